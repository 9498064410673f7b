"""The replay buffer: finite, oldest discarded, uniform, float32, and nothing mixed up on the way."""

import numpy as np
import pytest

from ddpg import ReplayBuffer, RequestError
from ddpg import replay_buffer as module


def filled(transitions: int, capacity: int = 5) -> ReplayBuffer:
    """A buffer in which transition t is recognisable by each of its members."""
    buffer = ReplayBuffer(capacity, state_size=2, action_size=3)
    for t in range(transitions):
        buffer.add([t, t + 0.25], [t + 0.1, t + 0.2, t + 0.3], 10 * t, t % 2 == 1, [t + 1, t + 1.25])
    return buffer


def test_a_transition_comes_back_as_it_went_in():
    batch = filled(2).split(filled(2).rows[:2])
    np.testing.assert_array_equal(batch.state, [[0, 0.25], [1, 1.25]])
    np.testing.assert_array_equal(batch.action, np.float32([[0.1, 0.2, 0.3], [1.1, 1.2, 1.3]]))
    np.testing.assert_array_equal(batch.reward, [[0], [10]])
    np.testing.assert_array_equal(batch.terminated, [[0], [1]])
    np.testing.assert_array_equal(batch.next_state, [[1, 1.25], [2, 2.25]])


def test_the_oldest_is_discarded_first():
    buffer = filled(7)
    assert len(buffer) == 5
    assert sorted(buffer.split(buffer.rows).state[:, 0]) == [2, 3, 4, 5, 6]


def test_members_of_a_sampled_transition_belong_together():
    buffer = filled(7)
    batch = buffer.split(buffer.sample(5, np.random.default_rng(0))[0])
    t = batch.state[:, :1]
    np.testing.assert_array_equal(batch.reward, 10 * t)
    np.testing.assert_array_equal(batch.terminated, t % 2)
    np.testing.assert_array_equal(batch.next_state, batch.state + 1)


def test_rewards_and_flags_have_two_dimensions_and_all_is_float32():
    """A (N,) reward beside a (N, 1) value would broadcast to (N, N)."""
    buffer = filled(5)
    rows = buffer.sample(4, np.random.default_rng(0), minibatches=3)
    assert rows.shape == (3, 4, 9)
    for member, size in zip(buffer.split(rows[0]), (2, 3, 1, 1, 2), strict=True):
        assert member.shape == (4, size)
        assert member.dtype == np.float32


def test_sampling_is_uniform_without_repeats_and_never_touches_empty_rows():
    buffer = filled(40, capacity=100)
    random = np.random.default_rng(1)
    counts = np.zeros(40)
    for _ in range(2_000):
        drawn = buffer.split(buffer.sample(8, random)[0]).state[:, 0].astype(int)
        assert len(set(drawn)) == 8
        counts[drawn] += 1
    # 400 expected each with a deviation of 18: five of them are 90.
    assert np.abs(counts - 400).max() < 90


def test_the_stream_decides_what_is_drawn():
    first, second, other = (filled(5).sample(3, np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_buffer_that_cannot_fit_is_refused_before_it_is_allocated(monkeypatch):
    monkeypatch.setattr(module, "available_memory", lambda: 1.5 * module.GIB)
    with pytest.raises(RequestError) as caught:
        ReplayBuffer(10**8, state_size=3, action_size=1)
    # 9 float32 numbers a row: 36 bytes.
    assert "3.35 GiB" in str(caught.value)
    assert str(int(1.5 * module.GIB // 36)) in str(caught.value)
    assert caught.value.setting == "buffer_size"


def test_the_free_memory_is_a_plausible_number():
    assert 2**20 < module.available_memory() < 2**50
