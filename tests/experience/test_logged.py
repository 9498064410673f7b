"""Logged transitions: scaled, cut into transitions, counted, and refused where they cannot be right."""

import numpy as np
import pytest

from ddpg import DDPG, RequestError, make_environment
from ddpg.environment import TaskUnits
from ddpg.experience.logged import Log, store, transitions
from tests.helpers.agents import fill


def log(count=6, ends=(), terminals=(), **parts) -> Log:
    """Return a log of Pendulum's sizes: the states count up, the actions are 1 Nm, the rewards -1."""
    states = np.arange(3.0 * count).reshape(count, 3)
    flags = {name: np.isin(np.arange(count), rows) for name, rows in (("terminals", terminals), ("ends", ends))}
    flags["ends"] |= flags["terminals"]
    return Log("log.npz", states, np.ones((count, 1)), -np.ones(count), **flags)._replace(**parts)


def stored(data: Log):
    units = TaskUnits(make_environment("Pendulum-v1"))
    return transitions(data, units, 3)


def test_the_next_state_is_that_of_the_next_row_and_the_last_row_of_an_episode_is_dropped():
    found = stored(log(6, ends=[2]))
    np.testing.assert_array_equal(found.rows[:, :3], log().observations[[0, 1, 3, 4]])
    np.testing.assert_array_equal(found.rows[:, 6:], log().observations[[1, 2, 4, 5]])
    assert found.notes[-1] == "2 of 6 (33 %) rows are dropped: the last of an episode, without a next state"


def test_a_terminal_row_is_kept_for_its_reward_counts_and_its_next_state_does_not():
    found = stored(log(4, terminals=[1]))
    np.testing.assert_array_equal(found.rows[:, 5], [0, 1, 0])
    np.testing.assert_array_equal(found.rows[1, 6:], log().observations[1])


def test_next_states_of_the_file_win_over_those_of_the_next_rows():
    found = stored(log(3, next_observations=np.full((3, 3), 7.0)))
    assert len(found.rows) == 3
    assert (found.rows[:, 6:] == 7).all()


def test_actions_are_mapped_to_the_agents_units_and_clipped_ones_are_counted():
    """Pendulum's bounds are ±2; what is outside by rounding alone does not count."""
    found = stored(log(5, actions=np.array([[1.0], [-2.0], [2.0000001], [3.0], [0.0]])))
    np.testing.assert_allclose(found.rows[:, 3], [0.5, -1, 1, 1])
    assert "1 of 4 (25 %) actions were outside of the task's bounds, and are clipped" in found.notes


def test_returns_are_those_of_complete_episodes():
    assert stored(log(6, ends=[1, 4])).returns.tolist() == [-2, -3]
    assert stored(log(6)).returns.tolist() == [-6]  # the only one counts all the same
    cut = log(6, ends=[1, 4]).newest(5)
    assert stored(cut).returns.tolist() == [-3]
    assert "only the newest 5 of its 6 rows are read: no more fit into --buffer-size" in stored(cut).notes


def test_rows_in_no_order_have_no_returns():
    assert stored(log(6, next_observations=np.zeros((6, 3)))).returns.tolist() == []


def nan(shape, row):
    values = np.zeros(shape)
    values[row] = np.nan
    return values


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"observations": np.zeros((6, 4))}, "its states have 4 numbers, those of the task 3"),
        ({"actions": np.zeros((6, 2))}, "its actions have 2 numbers, those of the task 1"),
        ({"observations": nan((6, 3), (4, 1))}, "its states are not finite in row 4, counted from 0"),
        ({"actions": nan((6, 1), 2)}, "its actions are not finite in row 2"),
        ({"rewards": np.full(6, 1e300)}, "its rewards are not finite in row 0"),
        ({"next_observations": nan((6, 3), 5)}, "its next states are not finite in row 5"),
        ({"next_observations": np.zeros((6, 2))}, "its next states have 2 numbers, its states 3"),
        ({"ends": range(6)}, "no row is left: each is the last of its episode"),
    ],
)
def test_data_that_cannot_be_right_are_refused_in_a_line_that_names_the_row(parts, message):
    with pytest.raises(RequestError, match=f"data: log.npz: {message}"):
        stored(log(**parts))


def test_no_rows_are_refused():
    with pytest.raises(RequestError, match=r"data: log\.npz: it has no rows"):
        stored(log(0))


def test_shuffled_rows_are_refused_unless_each_has_its_next_state():
    walk = np.cumsum(np.random.default_rng(0).normal(size=(1_000, 3)), axis=0)
    shuffled = np.random.default_rng(1).permutation(walk)
    assert len(stored(log(1_000, observations=walk)).rows) == 999
    with pytest.raises(RequestError, match="its rows seem shuffled"):
        stored(log(1_000, observations=shuffled))
    assert len(stored(log(1_000, observations=shuffled, next_observations=walk)).rows) == 1_000


def test_stored_rows_are_marked_where_the_agent_imitates_and_are_no_steps(small):
    rows = stored(log()).rows
    for imitation in (0.0, 1.0):
        config = small.__class__(**vars(small) | {"imitation": imitation, "data": {"log.npz": ""}})
        agent = DDPG(3, 1, config)
        store(agent, rows)
        fill(agent, 3)
        kept = agent.replay_buffer.split(agent.replay_buffer.rows[:8])
        np.testing.assert_array_equal(agent.replay_buffer.rows[:5, : rows.shape[1]], rows)
        assert kept.logged.tolist() == ([[1]] * 5 + [[0]] * 3 if imitation else [[]] * 8)
        assert agent.steps == 3


def test_a_logged_mark_ends_where_the_ring_overwrites_it(small):
    config = small.__class__(**vars(small) | {"imitation": 1.0, "data": {"log.npz": ""}, "buffer_size": 16})
    agent = DDPG(3, 1, config)
    store(agent, np.tile(stored(log()).rows, (4, 1)))  # 20 rows, of which 16 fit
    fill(agent, 3)
    assert agent.replay_buffer.split(agent.replay_buffer.rows).logged[:, 0].tolist() == [0] * 3 + [1] * 13
    assert agent.steps == 3
