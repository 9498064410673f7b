"""The replay buffer R (both posts; paper, section 3): a finite cache of transitions, oldest discarded first."""

from typing import Any, NamedTuple

import numpy as np


class Batch(NamedTuple):
    """N transitions, float32, side by side; the arrays may be NumPy's or TensorFlow's.

    Every member has two dimensions, the rewards and flags too: a `(N,)` reward and a `(N, 1)` value would broadcast to
    `(N, N)`, the best-known bug of DDPG tutorials.
    """

    state: np.ndarray  # (N, state_size)
    action: np.ndarray  # (N, action_size), in [-1, 1]
    reward: np.ndarray  # (N, 1)
    terminated: np.ndarray  # (N, 1), 1 where the task reached a terminal state; a time limit is 0
    next_state: np.ndarray  # (N, state_size)
    logged: Any = None  # (N, 1), 1 where logged data are to be imitated; (N, 0) in runs without imitation


def row_size(state_size: int, action_size: int, marks_logged: bool = False) -> int:
    """Return how many numbers a transition has: two states, an action, a reward, a flag, and perhaps a mark."""
    return 2 * state_size + action_size + 2 + marks_logged


class ReplayBuffer:
    """A preallocated ring of float32 rows, one per transition: state | action | reward | terminated | next state.

    Where logged data are imitated, a mark follows. One row is one copy to store, and a minibatch is one gather and one
    transfer to TensorFlow.

    Args:
        capacity: Transitions held; the oldest is overwritten when it is full.
        state_size: Numbers in a state.
        action_size: Numbers in an action.
        marks_logged: Whether each row has a mark that tells logged data from the agent's own transitions.
    """

    def __init__(self, capacity: int, state_size: int, action_size: int, marks_logged: bool = False) -> None:
        self.capacity = capacity
        self.state_size = state_size
        self.action_size = action_size
        self.row_size = row_size(state_size, action_size, marks_logged)
        self.rows = np.zeros((capacity, self.row_size), np.float32)
        self.added = 0  # transitions ever stored

    def __len__(self) -> int:
        """Return how many transitions can be sampled now."""
        return min(self.added, self.capacity)

    def add(self, state, action, reward: float, terminated: bool, next_state) -> None:
        """Store one transition, over the oldest one when the buffer is full.

        Args:
            state, next_state: `(state_size,)`.
            action: `(action_size,)`.
            reward: One number.
            terminated: The task reached a terminal state (not: ran into a time limit).
        """
        row = self.split(self.rows[self.added % self.capacity])
        row.state[:] = state
        row.action[:] = action
        row.reward[:] = reward
        row.terminated[:] = terminated
        row.next_state[:] = next_state
        row.logged[:] = 0
        self.added += 1

    def extend(self, rows: np.ndarray) -> None:
        """Store rows `(n, row_size)` in their order, over the oldest ones when the buffer is full."""
        self.rows[np.arange(self.added, self.added + len(rows)) % self.capacity] = rows
        self.added += len(rows)

    def sample(self, batch_size: int, rng: np.random.Generator, minibatches: int = 1) -> np.ndarray:
        """Draw minibatches uniformly, without repeating a transition inside one.

        Args:
            batch_size: Transitions in a minibatch, at most `len(self)`.
            rng: The random stream to draw from.
            minibatches: How many, drawn independently.

        Returns:
            `(minibatches, batch_size, row_size)` float32; `split` names the columns.
        """
        index = [rng.choice(len(self), batch_size, replace=False, shuffle=False) for _ in range(minibatches)]
        return self.rows.take(index, axis=0)

    def newest(self, count: int) -> Batch:
        """Return a copy of the newest transitions, oldest first: `count` of them, or all that there are."""
        count = min(count, len(self))
        return self.split(self.rows.take(range(self.added - count, self.added), axis=0, mode="wrap"))

    def split(self, rows) -> Batch:
        """Name the columns of rows `(..., row_size)`, NumPy's or TensorFlow's, without copying."""
        s, a = self.state_size, self.action_size
        return Batch(
            state=rows[..., :s],
            action=rows[..., s : s + a],
            reward=rows[..., s + a : s + a + 1],
            terminated=rows[..., s + a + 1 : s + a + 2],
            next_state=rows[..., s + a + 2 : 2 * s + a + 2],
            logged=rows[..., 2 * s + a + 2 :],
        )


def finite(name: str, values, size: int) -> np.ndarray:
    """Return a state or an action `(size,)` as float32.

    Raises:
        ValueError: It has another shape, or a number in it is not finite.
    """
    array = np.asarray(values, np.float32)
    if array.shape != (size,):
        raise ValueError(f"the {name} must have the shape {(size,)}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"the {name} {array} is not finite")
    return array


def check_transition(state, action, reward: float, next_state, state_size: int, action_size: int) -> None:
    """Raise `ValueError` unless the parts of a transition are finite, well shaped, and the action in [-1, 1]."""
    finite("state", state, state_size)
    finite("next state", next_state, state_size)
    if np.abs(finite("action", action, action_size)).max() > 1:
        raise ValueError(f"the action {action} is outside of [-1, 1]")
    if np.shape(reward) not in ((), (1,)) or not np.isfinite(reward):
        raise ValueError(f"the reward must be one finite number, got {reward}")
