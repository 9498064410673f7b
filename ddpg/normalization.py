"""Normalized observations: all four networks see states by their mean and deviation over all states stored so far.

Batch normalization uses the statistics of each minibatch instead, and learns another scale in each network.

The agent owns the statistics and scales the states of each step, `ddpg/run/agent_state.py` saves them, and
`ddpg/policy/plain_policy.py` exports them.
"""

import keras
import numpy as np

from ddpg.replay_buffer import ReplayBuffer

LIMIT = 5.0  # a normalized state is clipped to so many standard deviations
EPSILON = 1e-8  # added to the variance: a number that never changes has none
GROWTH = 1.01  # how many times more states there must be before the statistics change


class StateNormalization:
    """Scales states by the mean and the standard deviation of all states stored so far, and clips them to ±5.

    The statistics are variables, so that a checkpoint holds them, but of no network, so that no soft update touches
    them. They are read once after each change.

    Args:
        replay_buffer: Where the states are stored.

    Attributes:
        count: How many states are counted, `(1,)` float64.
        mean: Their mean, `(state_size,)` float64; 0 before the first.
        variance: Their variance, `(state_size,)` float64; 1 before the first.
    """

    def __init__(self, replay_buffer: ReplayBuffer) -> None:
        def variable(value: np.ndarray, name: str) -> keras.Variable:
            return keras.Variable(value, dtype="float64", trainable=False, name=name)

        size, self.replay_buffer = replay_buffer.state_size, replay_buffer
        self.count = variable(np.zeros(1), "count")
        self.mean, self.variance = variable(np.zeros(size), "mean"), variable(np.ones(size), "variance")
        self.variables = [self.count, self.mean, self.variance]
        self.elsewhere = 0  # states counted that were never in this replay buffer
        self._read: tuple[int, np.ndarray, np.ndarray] | None = None  # what is read of the variables

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Return states `(..., state_size)` as the networks see them, float32."""
        _, offset, scale = self._statistics()
        offset, scale = (self.replay_buffer.split(row).state for row in (offset, scale))
        return np.minimum(np.maximum((states - offset) * scale, -LIMIT), LIMIT)

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of the replay buffer `(..., row_size)` with both states of each as the networks see them.

        One pass over whole rows, which lie in one piece of memory, is faster than one over each of their states.
        """
        _, offset, scale = self._statistics()
        rows = (rows - offset) * scale
        return np.minimum(np.maximum(rows, -self._limit, out=rows), self._limit, out=rows)

    def follow(self) -> None:
        """Count the states that were stored since the last time, once they are 1 % more.

        A change at each state would take longer, and would hardly be seen later on.
        """
        buffer, (count, *_) = self.replay_buffer, self._statistics()
        total = buffer.added + self.elsewhere
        new = total - count
        if not new or (total < GROWTH * count and new < buffer.capacity):
            return
        states, share = buffer.newest(new).state.astype(np.float64), new / total
        mean, variance = self.mean.numpy(), self.variance.numpy()
        step = states.mean(axis=0) - mean
        self.count.assign([total])
        self.mean.assign(mean + share * step)
        self.variance.assign((1 - share) * variance + share * states.var(axis=0) + share * (1 - share) * step**2)
        self._read = None

    def _statistics(self) -> tuple[int, np.ndarray, np.ndarray]:
        """Return the count, and what a row is shifted and scaled by: 0 and 1 where it holds no state."""
        if self._read is None:
            offset, scale, limit = (np.full(self.replay_buffer.row_size, x, np.float32) for x in (0, 1, np.inf))
            for row, value in (
                (offset, self.mean.numpy()),
                (scale, 1 / np.sqrt(self.variance.numpy() + EPSILON)),
                (limit, LIMIT),
            ):
                parts = self.replay_buffer.split(row)
                parts.state[:] = parts.next_state[:] = value
            self._read, self._limit = (int(self.count.numpy()[0]), offset, scale), limit
        return self._read
