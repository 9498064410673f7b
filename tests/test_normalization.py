"""Normalized observations: exact statistics of all stored states, which every network and every action uses."""

from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG, ReplayBuffer
from ddpg.equations import soft_update
from ddpg.normalization import LIMIT, StateNormalization
from tests.helpers.agents import fill, transitions

SCALES = np.array([1e-2, 1.0, 1e2], np.float32)


@pytest.fixture
def normalizing(small):
    """An agent that normalizes states, and has seen 64."""
    return fill(DDPG(3, 2, replace(small, normalize_observations=True)))


def stored(states, capacity: int = 10_000) -> tuple[StateNormalization, ReplayBuffer]:
    """Return a normalization and the buffer that it follows, which holds these states; no next state is like them."""
    states = np.asarray(states, np.float32)
    buffer = ReplayBuffer(capacity, states.shape[1], 1)
    normalization = StateNormalization(buffer)
    for state in states:
        buffer.add(state, 0.0, 0.0, False, state + 1e3)
    return normalization, buffer


def test_the_statistics_are_the_mean_and_the_deviation_of_all_states_however_they_were_counted():
    """Also where the mean is large beside the deviation: a sum of squares would lose all digits."""
    states = np.random.default_rng(0).normal(1e4, 1.0, size=(1_000, 2)).astype(np.float32)
    buffer = ReplayBuffer(10_000, 2, 1)
    normalization = StateNormalization(buffer)
    for number, state in enumerate(states, 1):
        buffer.add(state, 0.0, 0.0, False, state + 1e3)
        if number in (1, 7, 300, 1_000):
            normalization.follow()
    assert normalization.count.numpy() == 1_000
    np.testing.assert_allclose(normalization.mean.numpy(), states.mean(axis=0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(normalization.variance.numpy(), states.var(axis=0, dtype=np.float64), rtol=1e-9)


def test_normalized_states_have_mean_0_and_deviation_1_and_outliers_are_clipped():
    states = SCALES * np.random.default_rng(0).normal(3, 1, size=(2_000, 3)).astype(np.float32)
    normalization, _ = stored(states)
    assert np.array_equal(normalization(states[0]), np.clip(states[0], -5, 5))  # not before the first count
    normalization.follow()
    normalized = normalization(states)
    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(normalized.std(axis=0), 1, atol=1e-2)
    assert set(np.abs(normalization(states + np.float32(1e6)).ravel())) == {LIMIT} == {5.0}


def test_a_state_that_never_changes_is_zero():
    normalization, _ = stored(np.full((10, 1), 0.1))
    normalization.follow()
    np.testing.assert_allclose(normalization(np.array([0.1], np.float32)), 0, atol=1e-3)


def test_the_statistics_change_once_the_states_are_1_percent_more():
    normalization, buffer = stored(np.random.default_rng(0).normal(size=(500, 2)))
    normalization.follow()
    for number in range(501, 511):
        buffer.add(np.ones(2), 0.0, 0.0, False, np.ones(2))
        normalization.follow()
        assert normalization.count.numpy() == (500 if number < 505 else 505 if number < 511 else None)


def test_states_that_the_ring_is_about_to_lose_are_counted_before():
    normalization, buffer = stored(np.zeros((1_000, 1)), capacity=5)
    normalization.follow()
    for value in range(1, 11):
        buffer.add([value], 0.0, 0.0, False, [0.0])
        normalization.follow()
    assert normalization.count.numpy() == 1_010
    assert normalization.mean.numpy() == pytest.approx(sum(range(1, 11)) / 1_010)


def test_minibatches_reach_the_networks_normalized_and_the_buffer_keeps_the_states_as_they_are(
    normalizing, monkeypatch
):
    """Every minibatch of a round, both states of each transition, and the state of the action computed ahead."""
    seen = {}

    def train(minibatches, next_state):
        seen.update(minibatches=minibatches.copy(), next_state=next_state)
        return [0.0] * 5, np.zeros(2)

    normalizing.config = replace(normalizing.config, gradient_steps=3)
    monkeypatch.setattr(normalizing, "compiled_train_step", train)
    kept = normalizing.replay_buffer.rows.copy()
    rng_state = normalizing.rngs["replay"].bit_generator.state
    normalizing.update()
    np.testing.assert_array_equal(normalizing.replay_buffer.rows, kept)
    normalizing.rngs["replay"].bit_generator.state = rng_state
    raw = normalizing.replay_buffer.split(normalizing.replay_buffer.sample(16, normalizing.rngs["replay"], 3))
    got = normalizing.replay_buffer.split(seen["minibatches"])
    assert normalizing.normalization.count.numpy() == 64  # in effect from the first update on
    for name in ("state", "next_state"):
        expected = normalizing.normalization(getattr(raw, name))
        assert expected.shape == (3, 16, 3)
        np.testing.assert_array_equal(getattr(got, name), expected)
    for name in ("action", "reward", "terminated"):
        np.testing.assert_array_equal(getattr(got, name), getattr(raw, name))
    newest = normalizing.replay_buffer.newest(1).next_state[0]
    np.testing.assert_array_equal(seen["next_state"], normalizing.normalization(newest))


def test_both_states_of_a_row_are_clipped_and_nothing_else(normalizing):
    normalizing.normalization.follow()
    row = np.full(normalizing.replay_buffer.row_size, 1e6, np.float32)
    parts = normalizing.replay_buffer.split(normalizing.normalization.rows(row))
    assert set(parts.state) == set(parts.next_state) == {5.0}
    assert set(parts.action) | set(parts.reward) | set(parts.terminated) == {1e6}


@pytest.mark.parametrize("train_frequency", [1, 4])
@pytest.mark.parametrize("explore", [True, False])
def test_actions_are_those_of_normalized_states(small, train_frequency, explore):
    config = replace(small, normalize_observations=True, noise_sigma=0.0, train_frequency=train_frequency)
    agent, state = fill(DDPG(3, 2, config)), np.array([0.3, -0.2, 0.1], np.float32)
    agent.normalization.mean.assign(np.full(3, 0.7))
    expected = agent.actor(agent.normalization(state)[None])[0]
    assert np.abs(expected - agent.actor(state[None])[0]).max() > 1e-4
    np.testing.assert_allclose(agent.act(state, explore), expected, atol=1e-6)


@pytest.mark.parametrize("train_frequency", [1, 4])
def test_the_action_computed_ahead_is_that_of_a_fresh_call(small, train_frequency):
    """The statistics change between an update and the next action only if a state is counted in between."""
    config = replace(small, normalize_observations=True, noise_sigma=0.0, train_frequency=train_frequency)
    agent = fill(DDPG(3, 2, config))
    for state, action, reward, next_state, terminated in transitions(8, seed=5):
        agent.remember(state, action, reward, next_state, terminated)
        agent.update()
        np.testing.assert_allclose(agent.act(next_state), agent.act(next_state, explore=False), atol=1e-6)


def test_no_network_owns_the_statistics_so_that_no_soft_update_touches_them(normalizing):
    networks = (normalizing.actor, normalizing.critic, normalizing.target_actor, normalizing.target_critic)
    owned = {id(variable) for network in networks for variable in network.variables}
    assert not owned & {id(variable) for variable in normalizing.normalization.variables}
    normalizing.normalization.follow()
    before = [variable.numpy() for variable in normalizing.normalization.variables]
    normalizing.update()
    soft_update(normalizing.target_actor.variables, normalizing.actor.variables, 1.0)
    for variable, value in zip(normalizing.normalization.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
