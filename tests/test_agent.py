"""The agent around `learn`: compiled once, exploring, seeded, and never through the host."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddpg import DDPG
from tests.agents import fill, numbers


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


@pytest.mark.parametrize("normalised", [False, True])
def test_the_action_worked_out_ahead_is_the_policy_of_after_the_update(small, normalised):
    config = replace(small, noise_scale=0.0, actor_learning_rate=0.1, batch_normalization=normalised)
    agent = fill(DDPG(3, 2, config))
    for _ in range(3):
        agent.update()
        state = agent.replay_buffer.split(agent.replay_buffer.rows[63]).next_state
        np.testing.assert_allclose(agent.act(state), agent.actor(state[None])[0], atol=1e-6)


@pytest.mark.parametrize("normalised", [False, True])
def test_between_two_updates_numpy_gives_the_policys_actions(small, normalised):
    """Of after the last update, not of the first time that it was asked for."""
    settings = {"train_frequency": 4, "noise_scale": 0.0, "actor_learning_rate": 0.1}
    agent = DDPG(3, 2, replace(small, batch_normalization=normalised, **settings))
    for _ in range(3):
        assert fill(agent, 64).update() is not None
        for state in np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32):
            action = agent.act(state)
            assert action.dtype == np.float32
            np.testing.assert_allclose(action, agent.actor(state[None])[0], atol=1e-6)


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
