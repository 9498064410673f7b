"""Normalized observations: exact running statistics, which every network and every action of the agent uses."""

from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG
from ddpg.networks import STATE_LIMIT, StateNormalization
from tests.helpers.agents import fill, transitions

SCALES = np.array([1e-2, 1.0, 1e2], np.float32)


@pytest.fixture
def normalizing(small):
    """An agent that normalizes states, and has seen 64."""
    return fill(DDPG(3, 2, replace(small, normalize_observations=True)))


def test_the_statistics_are_the_mean_and_the_deviation_of_all_states():
    """A running sum of squares would lose all digits of this deviation to the mean."""
    states = np.random.default_rng(0).normal(1e6, 1e-2, size=(1_000, 2))
    normalization = StateNormalization(2)
    for state in states:
        normalization.add(state)
    normalization.refresh()
    np.testing.assert_allclose(normalization.offset, states.mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(1 / normalization.scale, np.sqrt(states.var(axis=0) + 1e-8), rtol=1e-5)


def test_normalized_states_have_mean_0_and_deviation_1_and_outliers_are_clipped():
    states = SCALES * np.random.default_rng(0).normal(3, 1, size=(2_000, 3)).astype(np.float32)
    normalization = StateNormalization(3)
    for state in states:
        normalization.add(state)
    assert np.array_equal(normalization(states[0]), np.clip(states[0], -5, 5))  # not before `refresh`
    normalization.refresh()
    normalized = normalization(states)
    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(normalized.std(axis=0), 1, atol=1e-2)
    assert set(np.abs(normalization(states + np.float32(1e6)).ravel())) == {STATE_LIMIT}


def test_a_state_that_never_changes_is_zero():
    normalization = StateNormalization(1)
    for _ in range(10):
        normalization.add(np.array([0.1]))
    normalization.refresh()
    np.testing.assert_allclose(normalization(np.array([0.1], np.float32)), 0, atol=1e-3)


def test_minibatches_reach_the_networks_normalized_and_the_buffer_keeps_the_states_as_they_are(
    normalizing, monkeypatch
):
    seen = {}

    def train(minibatches, next_state):
        seen.update(minibatches=minibatches.copy(), next_state=next_state)
        return [0.0] * 5

    monkeypatch.setattr(normalizing.fast, "train", train)
    kept = normalizing.replay_buffer.rows.copy()
    rng_state = normalizing.rngs["replay"].bit_generator.state
    normalizing.update()
    np.testing.assert_array_equal(normalizing.replay_buffer.rows, kept)
    normalizing.rngs["replay"].bit_generator.state = rng_state
    raw = normalizing.replay_buffer.split(normalizing.replay_buffer.sample(16, normalizing.rngs["replay"]))
    got = normalizing.replay_buffer.split(seen["minibatches"])
    for name in ("state", "next_state"):
        np.testing.assert_array_equal(getattr(got, name), normalizing.normalization(getattr(raw, name)))
    for name in ("action", "reward", "terminated"):
        np.testing.assert_array_equal(getattr(got, name), getattr(raw, name))
    # the action in this state is computed ahead, and `FastCalls` normalizes the states of actions
    np.testing.assert_array_equal(seen["next_state"], normalizing.replay_buffer.last_next_state())


def test_actions_are_those_of_normalized_states(normalizing):
    state = np.array([0.3, -0.2, 0.1], np.float32)
    normalizing.normalization.mean += 0.7
    normalizing.normalization.refresh()
    expected = normalizing.actor(normalizing.normalization(state)[None])[0]
    np.testing.assert_allclose(normalizing.act(state, explore=False), expected, atol=1e-6)


@pytest.mark.parametrize("train_frequency", [1, 4])
def test_the_action_computed_ahead_is_that_of_a_fresh_call(small, train_frequency):
    """The statistics change between an update and the next action only if a state is counted in between."""
    config = replace(small, normalize_observations=True, noise_sigma=0.0, train_frequency=train_frequency)
    agent = fill(DDPG(3, 2, config))
    for state, action, reward, next_state, terminated in transitions(8, seed=5):
        agent.remember(state, action, reward, next_state, terminated)
        agent.update()
        np.testing.assert_allclose(agent.act(next_state), agent.act(next_state, explore=False), atol=1e-6)


def test_statistics_come_back_exactly_and_nonsense_is_refused():
    normalization, again = StateNormalization(2), StateNormalization(2)
    for state in np.random.default_rng(1).normal(size=(7, 2)):
        normalization.add(state)
    normalization.refresh()
    normalization.add(np.ones(2))  # counted, not in effect
    again.restore(normalization.as_json())
    for name, value in vars(normalization).items():
        np.testing.assert_array_equal(value, getattr(again, name))
    for damage in ({"mean": [1.0]}, {"scale": [1.0, float("nan")]}, {"squares": "x"}):
        with pytest.raises(ValueError):
            again.restore(normalization.as_json() | damage)
