"""The agent around `train_step`: exploration, the replay buffer, when updates happen, and what the seed decides."""

from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG, GaussianNoise, Metrics, OrnsteinUhlenbeckNoise
from tests.helpers.agents import NETWORKS, fill, numbers, transitions

STATE = np.ones(3, np.float32)


def test_the_policy_without_noise_is_deterministic_and_with_noise_is_not(small):
    agent = DDPG(3, 2, small)
    action = agent.act(STATE, explore=False)
    np.testing.assert_array_equal(action, agent.act(STATE, explore=False))
    np.testing.assert_allclose(action, agent.actor(STATE[None])[0], atol=1e-7)
    noisy = np.array([agent.act(STATE) for _ in range(500)])
    assert np.abs(noisy.std(axis=0) - small.noise_sigma).max() < 0.02
    assert np.abs(noisy.mean(axis=0) - action).max() < 0.02


def test_exploring_actions_stay_within_the_range(small):
    agent = DDPG(3, 2, replace(small, noise_sigma=5.0))
    actions = np.array([agent.act(STATE) for _ in range(100)])
    assert np.abs(actions).max() == 1
    assert actions.dtype == np.float32


@pytest.mark.parametrize("explore", [True, False])
@pytest.mark.parametrize("learning_starts", [0, 5])
def test_a_state_may_be_a_list_or_float64_and_the_action_is_float32(small, explore, learning_starts):
    agent = DDPG(3, 2, replace(small, learning_starts=learning_starts))
    for state in ([0.1, 0.2, 0.3], np.array([0.1, 0.2, 0.3])):
        action = agent.act(state, explore)
        assert (action.shape, action.dtype) == ((2,), np.float32)


def test_an_episode_begins_without_the_noise_of_the_one_before(small):
    agent = DDPG(3, 2, replace(small, noise="ou", noise_sigma=5.0))
    agent.act(STATE)
    assert np.abs(agent.noise.value).max() > 1
    agent.begin_episode()
    np.testing.assert_array_equal(agent.noise.value, 0)


@pytest.mark.parametrize(("noise", "kind"), [("gaussian", GaussianNoise), ("ou", OrnsteinUhlenbeckNoise)])
def test_the_noise_is_the_one_in_the_settings(small, noise, kind):
    assert type(DDPG(3, 2, replace(small, noise=noise)).noise) is kind


def test_noise_is_annealed_linearly_to_zero_over_the_given_steps(small):
    agent = DDPG(3, 2, replace(small, noise_decay_steps=100, noise_sigma=0.05))
    spread = []
    for steps in (0, 50, 100, 150):
        fill(agent, steps - agent.steps)
        spread.append(np.std([agent.act(np.zeros(3)) for _ in range(2000)]))
    np.testing.assert_allclose(spread, [0.05, 0.025, 0, 0], atol=2e-3)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_exploring_actions_is_uniformly_random(small, share):
    """Without noise, all others are the policy's."""
    agent = DDPG(3, 2, replace(small, random_actions=share, noise_sigma=0.0))
    actions = np.array([agent.act(STATE) for _ in range(2_000)])
    random = actions[(np.abs(actions - agent.act(STATE, explore=False)) > 1e-6).any(axis=1)]
    assert len(random) / len(actions) == pytest.approx(share, abs=0.03)
    if share:
        np.testing.assert_allclose(np.abs(random).mean(axis=0), 0.5, atol=0.05)
        assert np.abs(random).max() > 0.98


def test_all_four_networks_are_made_from_the_settings(small):
    config = replace(
        small,
        hidden_units=(12, 7),
        batch_normalization=True,
        kernel_initializer="fan_in",
        action_layer=2,
        critic_weight_decay=0.01,
    )
    agent = DDPG(3, 2, config)
    assert [network.name for network in (getattr(agent, name) for name in NETWORKS)] == list(NETWORKS)
    for actor, critic in ((agent.actor, agent.critic), (agent.target_actor, agent.target_critic)):
        assert [layer.kernel.shape for layer in (actor.hidden_1, actor.hidden_2, actor.action)] == [
            (3, 12),
            (12, 7),
            (7, 2),
        ]
        assert [layer.kernel.shape for layer in (critic.hidden_1, critic.hidden_2, critic.value)] == [
            (3, 12),
            (14, 7),
            (7, 1),
        ]
        assert len(actor.normalize[2].weights) == len(critic.normalize[1].weights) == 4
        assert np.abs(actor.hidden_1.bias).min() > 0  # Keras's initial biases are zeros
        assert np.abs(critic.hidden_1.bias).min() > 0
        assert len(critic.losses) == 3
    assert np.abs(numbers(DDPG(3, 2, small).critic)[: 5 * 16]).max() > 0.3  # Glorot's, √(6 / 21) = 0.53


def test_a_transition_is_stored_as_it_was_remembered(small):
    agent = DDPG(3, 2, small)
    (transition,) = transitions(1)
    agent.remember(*transition)
    state, action, reward, next_state, terminated = transition
    stored = agent.replay_buffer.split(agent.replay_buffer.rows[0])
    expected = {"state": state, "action": action, "reward": reward, "terminated": terminated, "next_state": next_state}
    for name, value in expected.items():
        np.testing.assert_array_equal(getattr(stored, name), np.float32([value]).ravel())
    assert agent.steps == 1


@pytest.mark.parametrize(
    "rounds", [{}, {"train_frequency": 4, "gradient_steps": 4}, {"train_frequency": 4, "gradient_steps": 1}]
)
def test_learning_rates_fall_linearly_from_the_first_update_to_zero_at_the_given_step(small, rounds):
    """Counted in environment steps, however many updates they have."""
    decay = {"learning_starts": 20, "learning_rate_decay_steps": 60, "critic_learning_rate": 4e-4}
    agent = DDPG(3, 2, replace(small, **decay, **rounds))
    rates = []
    for transition in transitions(72):
        agent.remember(*transition)
        if agent.steps in (20, 40, 60):
            optimizers = agent.actor_optimizer, agent.critic_optimizer
            rates.append([float(optimizer.learning_rate) for optimizer in optimizers])
            weights = numbers(agent.critic)
        agent.update()
    np.testing.assert_allclose(rates, [[1e-4, 4e-4], [5e-5, 2e-4], [0, 0]], atol=1e-9)
    np.testing.assert_array_equal(numbers(agent.critic), weights)  # those of step 60


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, range(16, 31)),
        ({"learning_starts": 20}, range(20, 31)),
        ({"train_frequency": 5}, [20, 25, 30]),
        ({"train_frequency": 4, "learning_starts": 3}, [16, 20, 24, 28]),
        ({"train_frequency": 7, "learning_starts": 22}, [28]),
    ],
)
def test_updates_happen_every_train_frequency_steps_from_the_first_full_minibatch(small, settings, expected):
    agent = DDPG(3, 2, replace(small, batch_size=16, **settings))
    updated = []
    for step in range(1, 31):
        fill(agent, 1)
        if agent.update():
            updated.append(step)
    assert updated == list(expected)
    assert agent.updates == len(updated)


def test_warm_up_actions_are_uniform_and_end_after_learning_starts_steps(small):
    agent = DDPG(3, 2, replace(small, learning_starts=400))
    actions = []
    for _ in range(400):
        actions.append(agent.act(np.zeros(3)))
        assert agent.update() is None
        fill(agent, 1)
    assert abs(np.std(actions) - 1 / np.sqrt(3)) < 0.03
    assert np.abs(np.mean(actions)) < 0.05
    assert np.std([agent.act(np.zeros(3)) for _ in range(100)]) < 0.15
    assert agent.update() is not None


def test_evaluation_during_the_warm_up_uses_the_policy(small):
    agent = DDPG(3, 2, replace(small, learning_starts=400))
    np.testing.assert_allclose(agent.act(STATE, explore=False), agent.actor(STATE[None])[0], atol=1e-7)


def test_several_gradient_steps_are_that_many_single_updates_and_their_metrics_are_averaged(small):
    together = fill(DDPG(3, 2, replace(small, gradient_steps=4, critic_learning_rate=0.01)))
    apart = fill(DDPG(3, 2, replace(small, critic_learning_rate=0.01)))
    metrics, each = together.update(), [apart.update() for _ in range(4)]
    assert together.updates == apart.updates == 4
    for name in NETWORKS:
        np.testing.assert_allclose(numbers(getattr(together, name)), numbers(getattr(apart, name)), atol=1e-6)
    np.testing.assert_allclose(metrics, np.mean(each, axis=0), rtol=1e-5)
    assert np.std(each, axis=0)[0] > 0.01  # so the last one, or the sum, is not their mean


def test_update_returns_one_plain_number_per_metric(small):
    metrics = fill(DDPG(3, 2, small)).update()
    assert type(metrics) is Metrics
    assert {type(value) for value in metrics} == {float}


@pytest.mark.parametrize("train_frequency", [1, 4])
def test_update_works_on_a_buffer_that_was_filled_directly(small, train_frequency):
    """As after loading an agent, or for learning from recorded transitions: nothing was remembered."""
    config = replace(small, train_frequency=train_frequency, noise_sigma=0.0)
    direct, remembered = DDPG(3, 2, config), fill(DDPG(3, 2, config))
    for state, action, reward, next_state, terminated in transitions(64):
        direct.replay_buffer.add(state, action, reward, terminated, next_state)
    assert direct.update() == remembered.update()
    for name in NETWORKS:
        np.testing.assert_array_equal(numbers(getattr(direct, name)), numbers(getattr(remembered, name)))
    np.testing.assert_allclose(direct.act(STATE), direct.actor(STATE[None])[0], atol=1e-6)


# What each random stream decides, drawn from an agent.


def drawn_weights(agent: DDPG) -> np.ndarray:
    return np.concatenate([numbers(agent.actor), numbers(agent.critic)])


def drawn_noise(agent: DDPG) -> np.ndarray:
    agent.config = replace(agent.config, learning_starts=0)
    agent.actor.action.kernel.assign(np.zeros((16, 2)))  # so that the action is the noise
    return np.array([agent.act(STATE) for _ in range(5)])


def drawn_warm_up(agent: DDPG) -> np.ndarray:
    agent.config = replace(agent.config, learning_starts=1_000)
    return np.array([agent.act(STATE) for _ in range(5)])


def drawn_replay(agent: DDPG) -> np.ndarray:
    agent.config = replace(agent.config, learning_starts=0)
    drawn = []
    agent.compiled_train_step = lambda minibatches, _: (drawn.append(minibatches), ([0.0] * 5, np.zeros(2)))[1]
    fill(agent).update()
    return drawn[0]


STREAMS = {"weights": drawn_weights, "noise": drawn_noise, "warm_up": drawn_warm_up, "replay": drawn_replay}


@pytest.mark.parametrize("name", STREAMS)
def test_the_seed_decides_each_random_stream(small, name):
    one, again, other = (STREAMS[name](DDPG(3, 2, replace(small, seed=seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).mean() > 0.3  # biases start at zero


@pytest.mark.parametrize("name", ["noise", "warm_up", "replay"])
def test_no_random_stream_depends_on_how_much_another_was_used(small, name):
    alone, after_others = DDPG(3, 2, small), DDPG(3, 2, small)
    for other in sorted({"noise", "warm_up", "replay"} - {name}):
        STREAMS[other](after_others)
    if name == "replay":  # the buffer that it draws from must be the same
        after_others.replay_buffer.added = 0
    np.testing.assert_array_equal(STREAMS[name](after_others), STREAMS[name](alone))


def test_all_random_streams_differ(small):
    agent = DDPG(3, 2, small)
    assert len({float(rng.random()) for rng in agent.rngs.values()}) == 3
    assert not np.array_equal(agent.actor.hidden_2.kernel, agent.critic.hidden_2.kernel)  # both are (16, 16)


def test_the_first_weights_do_not_depend_on_settings_that_have_nothing_to_do_with_them(small):
    other = replace(small, noise="ou", learning_starts=9, buffer_size=99, gamma=0.5, gradient_steps=2)
    np.testing.assert_array_equal(drawn_weights(DDPG(3, 2, small)), drawn_weights(DDPG(3, 2, other)))
