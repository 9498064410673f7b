"""The replay buffer: finite, oldest discarded, uniform, float32, and nothing mixed up on the way."""

import numpy as np
import pytest

from ddpg import ReplayBuffer


def filled(transitions: int, capacity: int = 5) -> ReplayBuffer:
    """A buffer in which transition t is recognizable by each of its members."""
    buffer = ReplayBuffer(capacity, state_size=2, action_size=3)
    for t in range(transitions):
        buffer.add([t, t + 0.25], [t + 0.1, t + 0.2, t + 0.3], 10 * t, t % 2 == 1, [t + 1, t + 1.25])
    return buffer


def test_a_transition_comes_back_as_it_went_in():
    buffer = filled(2)
    batch = buffer.split(buffer.rows[:2])
    np.testing.assert_array_equal(batch.state, [[0, 0.25], [1, 1.25]])
    np.testing.assert_array_equal(batch.action, np.float32([[0.1, 0.2, 0.3], [1.1, 1.2, 1.3]]))
    np.testing.assert_array_equal(batch.reward, [[0], [10]])
    np.testing.assert_array_equal(batch.terminated, [[0], [1]])
    np.testing.assert_array_equal(batch.next_state, [[1, 1.25], [2, 2.25]])


def test_the_buffer_copies_what_it_stores():
    """A task may reuse its arrays for the next state."""
    buffer, state = ReplayBuffer(3, 2, 1), np.ones(2, np.float32)
    buffer.add(state, [0], 0, False, state)
    state[:] = 9
    np.testing.assert_array_equal(buffer.split(buffer.rows[0]).state, 1)


@pytest.mark.parametrize(
    ("transitions", "kept"),
    [(0, []), (3, [0, 1, 2]), (5, [0, 1, 2, 3, 4]), (7, [2, 3, 4, 5, 6]), (12, [7, 8, 9, 10, 11])],
)
def test_the_oldest_transition_is_discarded_first(transitions, kept):
    buffer = filled(transitions)
    assert len(buffer) == len(kept)
    assert buffer.added == transitions
    assert sorted(buffer.split(buffer.rows[: len(buffer)]).state[:, 0]) == kept


@pytest.mark.parametrize("transitions", [1, 4, 5, 6, 11])
def test_the_newest_transitions_are_copies_oldest_first(transitions):
    """Also when the newest transition has just filled the last row, or overwritten the first one."""
    buffer = filled(transitions)
    newest, all_of_them = buffer.newest(1).next_state, buffer.newest(100).next_state
    np.testing.assert_array_equal(newest, [[transitions, transitions + 0.25]])
    np.testing.assert_array_equal(all_of_them[:, 0], range(max(1, transitions - 4), transitions + 1))
    for t in range(5):
        buffer.add([0, 0], [0, 0, 0], t, False, [-1, -1])
    np.testing.assert_array_equal(newest, [[transitions, transitions + 0.25]])


@pytest.mark.parametrize("capacity", [3, 5, 8, 100])
def test_rows_stored_together_are_as_if_they_were_stored_one_by_one(capacity):
    together, one_by_one = filled(4, capacity), filled(10, capacity)
    together.extend(filled(10, 10).rows[4:])
    assert together.added == 10
    for kept, expected in zip(together.newest(10), one_by_one.newest(10), strict=True):
        np.testing.assert_array_equal(kept, expected)


def test_members_of_a_sampled_transition_belong_together():
    buffer = filled(7)
    batch = buffer.split(buffer.sample(5, np.random.default_rng(0))[0])
    t = batch.state[:, :1]
    np.testing.assert_array_equal(batch.reward, 10 * t)
    np.testing.assert_array_equal(batch.terminated, t % 2)
    np.testing.assert_array_equal(batch.next_state, batch.state + 1)
    np.testing.assert_allclose(batch.action - t, np.tile([0.1, 0.2, 0.3], (5, 1)), atol=1e-6)


def test_rewards_and_flags_have_two_dimensions_and_everything_is_float32():
    """A (N,) reward beside a (N, 1) value would broadcast to (N, N)."""
    buffer = filled(5)
    rows = buffer.sample(4, np.random.default_rng(0), minibatches=3)
    assert rows.shape == (3, 4, 9)
    for member, size in zip(buffer.split(rows[0]), (2, 3, 1, 1, 2, 0), strict=True):
        assert member.shape == (4, size)
        assert member.dtype == np.float32
    assert buffer.rows.nbytes == 5 * 9 * 4


def test_sampling_is_uniform_without_repeats_and_never_touches_empty_rows():
    buffer, rng = filled(40, capacity=100), np.random.default_rng(1)
    counts = np.zeros(40)
    for _ in range(2_000):
        drawn = buffer.split(buffer.sample(8, rng)[0]).state[:, 0].astype(int)
        assert len(set(drawn)) == 8
        counts[drawn] += 1
    # 400 expected each with a deviation of 18: five of them are 90.
    assert np.abs(counts - 400).max() < 90


def test_a_full_minibatch_can_be_drawn_from_as_many_transitions():
    buffer = filled(5, capacity=100)
    assert sorted(buffer.split(buffer.sample(5, np.random.default_rng(0))[0]).state[:, 0]) == [0, 1, 2, 3, 4]


def test_each_minibatch_of_a_round_is_drawn_independently():
    buffer = filled(40, capacity=100)
    together = buffer.sample(8, np.random.default_rng(2), minibatches=3)
    rng = np.random.default_rng(2)
    apart = [buffer.sample(8, rng)[0] for _ in range(3)]
    np.testing.assert_array_equal(together, apart)
    assert len({rows.tobytes() for rows in together}) == 3


def test_the_stream_decides_what_is_drawn():
    first, second, other = (filled(5).sample(3, np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
