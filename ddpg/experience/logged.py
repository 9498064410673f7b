"""Logged transitions: what some controller did before, in the task's own units, as rows of the replay buffer."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ddpg.agent import DDPG
from ddpg.environment import TaskUnits
from ddpg.errors import RequestError

UNRELATED = 0.8  # a state's squared distance from the one before it, as a share of that of two states drawn at random
ENOUGH = 100  # rows to tell
ROUNDING = 1e-5  # an action so far outside of [-1, 1] was not clipped, but rounded


class Log(NamedTuple):
    """The time steps of some episodes, one after the other, as a file has them.

    Args:
        source: The file, for messages.
        observations: The states, flattened, `(N, state_size)`.
        actions: What was done in them, `(N, action_size)`, in the task's units.
        rewards: What followed, `(N,)`.
        terminals: Whether the task reached a terminal state then, `(N,)`.
        ends: Whether the episode ended then, for whatever reason, `(N,)`.
        next_observations: The states that followed, if the file has them; or else they are those of the next rows.
        total: How many time steps the file has, if only the newest of them are here.
    """

    source: str
    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminals: np.ndarray
    ends: np.ndarray
    next_observations: np.ndarray | None = None
    total: int = 0

    def newest(self, most: int) -> "Log":
        """Return the newest rows alone, `most` of them or all that there are."""
        arrays: dict[str, Any] = {
            name: value[-most:] for name, value in self._asdict().items() if isinstance(value, np.ndarray)
        }
        return self._replace(total=max(self.total, len(self.rewards)), **arrays)


@dataclass(frozen=True)
class Transitions:
    """What is learned from: rows of the replay buffer, and what a user should know of them.

    Args:
        rows: `(N, row_size)` float32, actions in [-1, 1].
        returns: The undiscounted returns of the complete episodes; none where the rows are in no order.
        notes: A line each.
    """

    rows: np.ndarray
    returns: np.ndarray
    notes: list[str]


def transitions(log: Log, units: TaskUnits, state_size: int) -> Transitions:
    """Return the transitions of a log, checked.

    Args:
        log: The log.
        units: The units of the task.
        state_size: Numbers in a state of the task.

    Raises:
        RequestError: The data are of another task, not finite, or in no order.
    """
    check(log, state_size, units.low.size)
    states, following, kept = states_and_next(log)
    if not kept.any():
        raise refusal(log, "no row is left: each is the last of its episode, without a next state")
    actions, clipped = scaled_actions(log.actions[kept], units)
    columns = states[kept], actions, log.rewards[kept, None], log.terminals[kept, None], following[kept]
    rows = np.hstack([column.astype(np.float32) for column in columns])
    returns = complete_returns(log)
    mean = f", their mean return is {returns.mean():.1f}" if len(returns) else ""
    notes = [f"{len(rows)} transitions in {episodes_in(log)} episodes from {log.source}{mean}"]
    if log.total > len(kept):
        notes.append(f"only the newest {len(kept)} of its {log.total} rows are read: no more fit into --buffer-size")
    if clipped:
        notes.append(f"{share(clipped, len(rows))} actions were outside of the task's bounds, and are clipped")
    if not kept.all():
        dropped = share(int((~kept).sum()), len(kept))
        notes.append(f"{dropped} rows are dropped: the last of an episode, without a next state")
    return Transitions(rows, returns, notes)


def check(log: Log, state_size: int, action_size: int) -> None:
    """Raise `RequestError` unless a log has rows, of finite numbers and of the task's sizes."""
    if not len(log.rewards):
        raise refusal(log, "it has no rows")
    states, actions, following = log.observations, log.actions, log.next_observations
    for what, array, size in (("states", states, state_size), ("actions", actions, action_size)):
        if array.shape[1] != size:
            raise refusal(log, f"its {what} have {array.shape[1]} numbers, those of the task {size}")
    if following is not None and following.shape != states.shape:
        raise refusal(log, f"its next states have {following.shape[1]} numbers, its states {state_size}")
    parts = {"states": states, "actions": actions, "rewards": log.rewards}
    for what, array in (parts if following is None else parts | {"next states": following}).items():
        with np.errstate(over="ignore"):
            finite = np.isfinite(array.astype(np.float32)).reshape(len(array), -1).all(axis=1)
        if not finite.all():
            raise refusal(log, f"its {what} are not finite in row {int(finite.argmin())}, counted from 0")


def states_and_next(log: Log) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the states, the next states, and which rows have one: with a terminal state it does not matter which."""
    states = log.observations
    if log.next_observations is not None:
        return states, log.next_observations, np.ones(len(states), bool)
    refuse_shuffled(log)
    following = np.roll(states, -1, axis=0)
    following[log.terminals] = states[log.terminals]  # nothing is learned from it
    followed = ~log.ends
    followed[-1] = False
    return states, following, followed | log.terminals


def refuse_shuffled(log: Log) -> None:
    """Refuse rows whose states have no more to do with the next row's than with any other."""
    within = ~log.ends[:-1]
    if within.sum() < ENOUGH:
        return
    states = log.observations.astype(np.float64)
    steps, spread = np.diff(states, axis=0)[within], 2 * states.var(axis=0)
    if (spread > 0).any() and (np.square(steps).mean(axis=0) >= UNRELATED * spread)[spread > 0].all():
        raise refusal(
            log,
            "its rows seem shuffled, for each state is as far from the next row's as from any other; "
            "sort them by time, or add next_observations",
        )


def scaled_actions(actions: np.ndarray, units: TaskUnits) -> tuple[np.ndarray, int]:
    """Return actions in [-1, 1], and how many of them had to be clipped."""
    low, high = units.low.astype(np.float64), units.high.astype(np.float64)
    tolerance = ROUNDING * (high - low) / 2
    outside = (actions < low - tolerance) | (actions > high + tolerance)
    return units.normal_action(actions), int(outside.any(axis=1).sum())


def complete_returns(log: Log) -> np.ndarray:
    """Return the return of each episode that ended, or of the only one; none if the rows are in no order."""
    if log.next_observations is not None and len(log.observations) > 1:
        followed = (log.next_observations[:-1] == log.observations[1:]).all(axis=1)
        if not followed[~log.ends[:-1]].all():
            return np.zeros(0)
    returns = np.bincount(episode_of_rows(log), log.rewards.astype(np.float64).ravel())
    if log.total > len(log.ends):  # the first one is not complete
        returns = returns[1:]
    return returns if log.ends[-1] or len(returns) == 1 else returns[:-1]


def episodes_in(log: Log) -> int:
    """Return in how many episodes the rows are."""
    return int(episode_of_rows(log)[-1]) + 1


def episode_of_rows(log: Log) -> np.ndarray:
    """Return the number of each row's episode, from 0."""
    return np.concatenate([[0], np.cumsum(log.ends[:-1])])


def store(agent: DDPG, rows: np.ndarray, logged: bool = True) -> None:
    """Store transitions that are no environment steps of this run; the newest ones, if not all of them fit.

    Args:
        agent: The agent.
        rows: Rows without a mark, `(N, row_size)`.
        logged: Mark them as logged data, where the agent imitates them.
    """
    buffer = agent.replay_buffer
    rows = rows[-buffer.capacity :]
    index = np.arange(buffer.added, buffer.added + len(rows)) % buffer.capacity
    buffer.rows[index] = np.pad(rows, ((0, 0), (0, buffer.row_size - rows.shape[1])), constant_values=logged)
    buffer.added += len(rows)
    agent.rows_from_elsewhere += len(rows)


def share(part: int, whole: int) -> str:
    """Return a count as a share: "12 of 20000 (0.06 %)"."""
    percent = 100 * part / whole
    return f"{part} of {whole} ({percent:{'.0f' if percent > 99 else '.2g'}} %)"


def refusal(log: Log, reason: str) -> RequestError:
    """Return the error about a log."""
    return RequestError(f"{log.source}: {reason}", "data")
