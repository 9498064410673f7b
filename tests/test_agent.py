"""The agent: Algorithm 1 against numbers worked out by hand, and the ways in which its parts could be mixed up."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddpg import DDPG, Batch, Config


class Linear(keras.Model):
    """w · inputs + bias, the smallest actor or critic there is."""

    def __init__(self, weights: list[float], bias: float | None = None) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(1, use_bias=bias is not None)
        self.dense.build((None, len(weights)))
        self.dense.set_weights([np.array([weights]).T] + ([np.array([bias])] if bias is not None else []))

    def call(self, *inputs, training=False):
        return self.dense(tf.concat(inputs, axis=1))


@pytest.fixture
def by_hand() -> DDPG:
    """Q(s, a) = 2 s + 3 a + 1 and μ(s) = s / 2, targets equal, plain gradient steps of 0.1, γ = 0.9, τ = 0.01."""
    agent = DDPG(1, 1, Config(gamma=0.9, tau=0.01, hidden_units=(2, 2), buffer_size=100))
    agent.critic, agent.target_critic = Linear([2, 3], 1), Linear([2, 3], 1)
    agent.actor, agent.target_actor = Linear([0.5]), Linear([0.5])
    agent.critic_optimizer, agent.actor_optimizer = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
    return agent


def batch(state, action, reward, terminated, next_state) -> Batch:
    return Batch(*(tf.constant(x, tf.float32)[:, None] for x in (state, action, reward, terminated, next_state)))


def numbers(network) -> np.ndarray:
    return np.concatenate([variable.numpy().ravel() for variable in network.variables])


def test_one_update_gives_the_numbers_worked_out_by_hand(by_hand):
    """y = [8.2, 0]; without the terminal mask it would be [8.2, 13.5], with the broadcast bug the loss 19.095."""
    metrics = by_hand.learn(batch([1, 2], [0.5, -1], [1, 0], [0, 1], [2, 4]))
    assert float(metrics.target) == pytest.approx(4.1)
    assert float(metrics.critic_loss) == pytest.approx(8.845)
    np.testing.assert_allclose(numbers(by_hand.critic), [1.97, 3.385, 1.17], rtol=1e-6)
    # 1.5155 if the actor's loss were summed, 0.95 if the actor followed the critic of before the step.
    np.testing.assert_allclose(numbers(by_hand.actor), [1.00775], rtol=1e-6)
    np.testing.assert_allclose(numbers(by_hand.target_actor), [0.5050775], rtol=1e-6)
    np.testing.assert_allclose(numbers(by_hand.target_critic), [1.9997, 3.00385, 1.0017], rtol=1e-6)


def test_targets_come_from_the_target_networks(by_hand):
    by_hand.target_critic = Linear([0, 0], 10)
    assert float(by_hand.learn(batch([1], [0], [1], [0], [2])).target) == pytest.approx(1 + 0.9 * 10)
    by_hand.target_critic, by_hand.target_actor = Linear([0, 1], 0), Linear([4])
    assert float(by_hand.learn(batch([1], [0], [1], [0], [2])).target) == pytest.approx(1 + 0.9 * 8)


def test_the_actor_follows_the_online_critic_not_the_target_critic(by_hand):
    by_hand.target_critic = Linear([2, -3], 1)  # would push the actor the other way
    before = numbers(by_hand.actor)
    by_hand.learn(batch([1], [0.5], [0], [1], [1]))
    assert (numbers(by_hand.actor) > before).all()


def fill(agent: DDPG, transitions: int = 64) -> DDPG:
    random = np.random.default_rng(3)
    for _ in range(transitions):
        state, next_state = random.normal(size=(2, agent.state_size)).astype(np.float32)
        action = random.uniform(-1, 1, agent.action_size).astype(np.float32)
        agent.remember(state, action, float(random.normal()), next_state, bool(random.random() < 0.1))
    return agent


def test_targets_start_as_exact_copies_of_built_networks(small):
    agent = DDPG(3, 2, small)
    for online, target in ((agent.actor, agent.target_actor), (agent.critic, agent.target_critic)):
        assert len(target.variables) == 6
        np.testing.assert_array_equal(numbers(online), numbers(target))
        assert not {id(v) for v in online.variables} & {id(v) for v in target.variables}


def test_both_targets_move_a_little_at_each_update(small):
    agent = fill(DDPG(3, 2, replace(small, actor_learning_rate=0.01)))
    for online, target in ((agent.actor, agent.target_actor), (agent.critic, agent.target_critic)):
        before = numbers(target)
        agent.update()
        expected = before + small.tau * (numbers(online) - before)
        np.testing.assert_allclose(numbers(target), expected, atol=1e-6)
        assert not np.array_equal(numbers(target), before)


def test_target_networks_own_no_optimizer(small):
    agent = DDPG(3, 2, small)
    for network in (agent.target_actor, agent.target_critic):
        assert getattr(network, "optimizer", None) is None
    targets = {v.path for v in agent.target_actor.variables + agent.target_critic.variables}
    for optimizer in (agent.actor_optimizer, agent.critic_optimizer):
        assert not targets & {v.path for v in optimizer._trainable_variables}


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_compiled_update_is_the_update_as_it_is_written(small, jit_compile):
    compiled = fill(DDPG(3, 2, replace(small, jit_compile=jit_compile)))
    written = fill(DDPG(3, 2, small))
    for _ in range(3):
        metrics = compiled.update()
        rows = written.replay_buffer.sample(small.batch_size, written.generators["replay"])[0]
        expected = written.learn(written.replay_buffer.split(tf.constant(rows)))
        np.testing.assert_allclose(metrics, [float(x) for x in expected], rtol=1e-4, atol=1e-6)
    for name in ("actor", "critic", "target_actor", "target_critic"):
        np.testing.assert_allclose(numbers(getattr(compiled, name)), numbers(getattr(written, name)), atol=1e-5)


def test_a_round_of_updates_is_that_many_single_updates(small):
    together = fill(DDPG(3, 2, replace(small, gradient_steps=4)))
    apart = fill(DDPG(3, 2, small))
    together.update()
    for _ in range(4):
        apart.update()
    assert together.updates == apart.updates == 4
    np.testing.assert_allclose(numbers(together.actor), numbers(apart.actor), atol=1e-6)


def test_updates_happen_every_train_frequency_steps_from_the_first_full_minibatch(small):
    agent = DDPG(3, 2, replace(small, train_frequency=5, batch_size=16))
    learned = []
    for step in range(1, 31):
        fill(agent, 1)
        if agent.update():
            learned.append(step)
    assert learned == [20, 25, 30]


def test_the_update_and_the_policy_are_traced_once(small):
    agent = fill(DDPG(3, 2, small))
    traces = []
    for network in (agent.actor, agent.critic):
        call = network.call
        network.call = lambda *a, _call=call, **k: (traces.append(1), _call(*a, **k))[1]
    agent.update()
    agent.act(np.zeros(3, np.float32))
    agent.act(np.zeros(3, np.float32))
    once = len(traces)
    for _ in range(20):
        agent.update()
        agent.act(np.zeros(3, np.float32))
        agent.act(np.ones(3, np.float32))
        agent.act(np.ones(3, np.float32), explore=False)
    assert len(traces) == once > 0


def test_acting_and_learning_never_take_the_weights_through_the_host(small, monkeypatch):
    """The posts' and many tutorials' way; each of these calls costs more than a whole update."""
    agent = fill(DDPG(3, 2, small))
    for name in ("get_weights", "set_weights", "predict", "predict_on_batch", "fit", "train_on_batch"):
        monkeypatch.setattr(keras.Model, name, lambda *a, _name=name, **k: pytest.fail(f"{_name} was called"))
    for explore in (True, False):
        agent.update()
        agent.act(np.ones(3, np.float32), explore)


def test_an_episode_begins_without_the_noise_of_the_one_before(small):
    agent = DDPG(3, 2, replace(small, noise="ou", noise_scale=5.0))
    agent.act(np.ones(3, np.float32))
    assert np.abs(agent.noise.value).max() > 1
    agent.begin_episode()
    np.testing.assert_array_equal(agent.noise.value, 0)


def test_the_policy_without_noise_is_deterministic_and_with_noise_is_not(small):
    agent = DDPG(3, 2, small)
    state = np.ones(3, np.float32)
    action = agent.act(state, explore=False)
    np.testing.assert_array_equal(action, agent.act(state, explore=False))
    np.testing.assert_allclose(action, agent.actor(state[None])[0], atol=1e-7)
    noisy = np.array([agent.act(state) for _ in range(500)])
    assert np.abs(noisy.std(axis=0) - small.noise_scale).max() < 0.02
    assert np.abs(noisy.mean(axis=0) - action).max() < 0.02


def test_exploring_actions_stay_within_the_range(small):
    agent = DDPG(3, 2, replace(small, noise_scale=5.0))
    actions = np.array([agent.act(np.ones(3, np.float32)) for _ in range(100)])
    assert np.abs(actions).max() == 1
    assert actions.dtype == np.float32


def test_warm_up_actions_are_uniform_and_nothing_is_learned_meanwhile(small):
    agent = DDPG(3, 2, replace(small, learning_starts=400))
    actions = []
    for _ in range(400):
        actions.append(agent.act(np.zeros(3, np.float32)))
        assert agent.update() is None
        fill(agent, 1)
    assert abs(np.std(actions) - 1 / np.sqrt(3)) < 0.03
    assert agent.update() is not None
    assert np.abs(agent.act(np.zeros(3, np.float32))).max() < 0.6


def test_the_seed_makes_every_stream(small):
    def trace(seed: int) -> list[float]:
        agent = DDPG(3, 2, replace(small, seed=seed, learning_starts=2))
        actions = [agent.act(np.ones(3, np.float32))]
        fill(agent)
        agent.update()
        return [*np.concatenate([*actions, agent.act(np.ones(3, np.float32)), numbers(agent.critic)])]

    assert trace(1) == trace(1)
    assert trace(1) != trace(2)


def test_saturation_tells_the_share_of_actions_at_the_bounds(by_hand):
    by_hand.actor = Linear([1.0])
    metrics = by_hand.learn(batch([0.1, 1, 2, -3], [0] * 4, [0] * 4, [1] * 4, [0] * 4))
    assert float(metrics.saturation) == 0.75


@pytest.mark.parametrize("normalised", [False, True])
def test_the_action_worked_out_ahead_is_the_policy_of_after_the_update(small, normalised):
    config = replace(small, noise_scale=0.0, actor_learning_rate=0.1, batch_normalization=normalised)
    agent = fill(DDPG(3, 2, config))
    for _ in range(3):
        agent.update()
        state = agent.replay_buffer.split(agent.replay_buffer.rows[63]).next_state
        np.testing.assert_allclose(agent.act(state), agent.actor(state[None])[0], atol=1e-6)


def test_the_action_worked_out_ahead_is_used_for_no_other_state_and_once(small):
    agent = fill(DDPG(3, 2, replace(small, noise_scale=0.0)))
    state = agent.replay_buffer.split(agent.replay_buffer.rows[63]).next_state.copy()
    agent.update()
    np.testing.assert_allclose(agent.act(state + 1), agent.actor(state[None] + 1)[0], atol=1e-6)
    agent.update()
    agent.act(state)
    agent.actor.action.bias.assign([1.0, -1.0])
    np.testing.assert_allclose(agent.act(state), agent.actor(state[None])[0], atol=1e-6)
    agent.update()
    agent.begin_episode()
    agent.actor.action.bias.assign([-1.0, 1.0])
    np.testing.assert_allclose(agent.act(state), agent.actor(state[None])[0], atol=1e-6)


def test_the_target_is_normalised_over_the_minibatch(small):
    """The stated rule: in learning, no network normalises by running averages, which lag behind; nor do the targets."""
    config = replace(small, batch_normalization=True, action_layer=2)
    sound, shifted = fill(DDPG(3, 2, config)), fill(DDPG(3, 2, config))
    for network in (shifted.target_actor, shifted.target_critic):
        for variable in network.non_trainable_variables:
            variable.assign(variable + 5.0)
    assert shifted.update() == sound.update()


def test_running_averages_follow_what_learning_sees_and_the_targets_follow_them(small):
    agent = fill(DDPG(3, 2, replace(small, batch_normalization=True, action_layer=2, tau=0.5)), small.batch_size)
    rows = agent.replay_buffer.split(agent.replay_buffer.rows[: small.batch_size])  # the one minibatch that there is
    agent.update()
    online, target = agent.actor.normalize[0].moving_mean, agent.target_actor.normalize[0].moving_mean
    seen, seen_next = 0.01 * rows.state.mean(axis=0), 0.01 * rows.next_state.mean(axis=0)  # Keras's momentum is 0.99
    np.testing.assert_allclose(online, seen, atol=1e-7)
    np.testing.assert_allclose(target, 0.5 * seen + 0.5 * seen_next, atol=1e-7)


def test_acting_moves_no_running_average(small):
    agent = DDPG(3, 2, replace(small, batch_normalization=True))
    before = numbers(agent.actor)
    for _ in range(3):
        agent.act(np.full(3, 1000, np.float32), explore=False)
    np.testing.assert_array_equal(numbers(agent.actor), before)


def test_noise_fades_evenly_over_the_stated_steps(small):
    agent = DDPG(3, 2, replace(small, noise_decay_steps=100, noise_scale=0.05))
    state = np.zeros(3, np.float32)
    spread = []
    for steps in (0, 50, 100, 150):
        fill(agent, steps - agent.replay_buffer.added)
        spread.append(np.std([agent.act(state) for _ in range(2000)]))
    np.testing.assert_allclose(spread, [0.05, 0.025, 0, 0], atol=2e-3)
