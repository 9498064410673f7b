"""In which states a file is compared with its agent, how far it may be away, and whose states and figures these are."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium import spaces

from ddpg import DDPG, make_environment
from ddpg.policy import export
from ddpg.policy.export import replay_states, source_of, source_of_agent

LOW, HIGH = np.array([-2.0, 0.0]), np.array([2.0, 1_000.0])


@pytest.fixture
def few(monkeypatch):
    """20 states of each kind are enough here."""
    monkeypatch.setattr(export, "STATES", 20)


def made_up(monkeypatch, answer, usual=(), inexact=(0.0, 0.0)):
    """Return what an export compares a policy in, whose action for a state of two numbers is `answer(state)`."""
    policy = SimpleNamespace(
        state_space=spaces.Box(-1, 1, (2,), np.float32), act_flat=answer, bounds=lambda: (LOW, HIGH)
    )
    monkeypatch.setattr(export, "plain_policy", lambda agent, low, high: "a model")
    monkeypatch.setattr(
        export, "exact_actions", lambda agent, low, high, states: np.array([answer(s) for s in states]) + inexact
    )
    return source_of(None, policy, np.array(usual, np.float32).reshape(-1, 2), {"of": "it"})


def test_usual_states_come_first_then_random_ones_then_large_ones_of_both_signs(few, monkeypatch):
    usual = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
    source = made_up(monkeypatch, lambda state: HIGH, usual)
    assert (source.usual, source.model, source.metadata) == (3, "a model", {"of": "it"})
    assert len(source.states) == len(source.actions) == 3 + 20 + 2 + 2
    np.testing.assert_array_equal(source.states[:3], np.float32(usual))
    random, large = source.states[3:23], source.states[23:]
    assert np.abs(random).max() <= 1 and len({state.tobytes() for state in random}) == 20
    np.testing.assert_array_equal(large, np.concatenate([1_000 * random[:2], -1_000 * random[:2]]))
    np.testing.assert_array_equal(made_up(monkeypatch, lambda state: HIGH, usual).states, source.states)  # every time
    assert made_up(monkeypatch, lambda state: HIGH).usual == 20  # without a replay buffer, the random ones


@pytest.mark.parametrize("between", [(-2.0, 500.0), (0.0, 1_000.0)])
def test_of_the_large_states_those_count_whose_actions_are_all_at_a_bound(few, monkeypatch, between):
    """There float32 can say nothing of an action in between; a bound is met within a share of each range."""

    def answer(state):
        if np.abs(state).max() < 2:
            return np.array([0.0, 500.0])
        return np.array([-2.0, 999.995]) if state[0] > 0 else np.array(between)

    source = made_up(monkeypatch, answer)
    assert (source.states[20:, 0] > 2).all() and len(source.states) == 22
    assert len(source.states) == len(source.actions) and (source.actions[20:, 1] > 999).all()


def test_the_tolerance_is_a_share_of_each_range_and_grows_with_the_rounding_of_the_agent(few, monkeypatch):
    for inexact, tolerance in (((0, 0), 1e-5), ((4e-3, 0), 4e-3), ((-4e-3, 0.5), 4e-3), ((0, -2.0), 8e-3)):
        source = made_up(monkeypatch, lambda state: HIGH, inexact=inexact)
        assert source.tolerance == pytest.approx(tolerance)


def usual_states(agent, monkeypatch) -> np.ndarray:
    """Return the usual states of an agent in memory."""
    monkeypatch.setattr(export, "source_of", lambda agent, policy, usual, metadata: (usual, metadata))
    usual, metadata = source_of_agent(agent, make_environment("Pendulum-v1"))
    assert (metadata["step"], metadata["evaluation"]) == (agent.steps, None)
    return usual


@pytest.mark.parametrize(("stored", "kept"), [(3, 3), (30, 16)])
def test_the_usual_states_of_an_agent_are_those_that_it_has_stored(small, few, monkeypatch, stored, kept):
    agent = DDPG(3, 1, replace(small, buffer_size=16))
    for number in range(stored):
        agent.remember(np.full(3, number), [0.0], 0.0, np.full(3, 99), False)
    assert sorted(usual_states(agent, monkeypatch).tolist()) == [[n] * 3 for n in range(stored - kept, stored)]


def test_of_many_stored_states_as_many_as_are_needed_are_taken_evenly(small, few, monkeypatch):
    agent = DDPG(3, 1, small)
    for number in range(50):
        agent.remember(np.full(3, number), [0.0], 0.0, np.zeros(3), False)
    usual = usual_states(agent, monkeypatch)
    assert usual[:, 1].tolist() == list(range(0, 50, 3))
    agent.replay_buffer.rows[:] = -1  # they are copies: the agent may learn on
    assert usual[:, 1].tolist() == list(range(0, 50, 3))


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """A run's newest checkpoint, with two replay files of rows that begin with their number, and its best one."""
    (tmp_path / "replay").mkdir()
    segments = [SimpleNamespace(name=name, start=start, stop=start + 50) for name, start in (("old", 0), ("new", 50))]
    for segment in segments:
        rows = np.zeros((50, export.row_size(2, 1)), np.float32)
        rows[:, :2] = np.arange(segment.start, segment.stop)[:, None]
        (tmp_path / "replay" / segment.name).write_bytes(rows.tobytes())

    def checkpoint(name, replay):
        return SimpleNamespace(path=tmp_path / name, manifest={"replay": replay}, reading=lambda name: nullcontext())

    newest = checkpoint("step-2", segments)
    monkeypatch.setattr(export, "segments_in", lambda manifest: manifest["replay"])
    monkeypatch.setattr(export, "all_checkpoints", lambda folder: ["step-1", "step-2"])
    monkeypatch.setattr(export, "open_checkpoint", lambda path: {"step-2": newest}[path])
    return newest, checkpoint("best-1", [])


@pytest.mark.parametrize("best", [False, True])
def test_the_usual_states_of_a_run_are_its_newest_ones_also_for_its_best_networks(saved, few, best):
    states = replay_states(saved[best], 2, 1)
    assert states.tolist() == [[number, number] for number in range(50, 100, 3)]


def test_a_replay_file_that_is_missing_or_cut_short_is_left_out(saved, few):
    newest, _ = saved
    newest.manifest["replay"].pop(0)
    assert len(replay_states(newest, 2, 1)) == 17  # a single file is the newest too
    file = newest.path.parent / "replay" / "new"
    file.write_bytes(file.read_bytes()[:-4])
    for remove in (lambda: None, file.unlink, newest.manifest["replay"].clear):
        remove()
        states = replay_states(newest, 2, 1)
        assert (states.shape, states.dtype) == ((0, 2), np.float32)
