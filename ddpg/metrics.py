"""The metrics of an update, and the mean of any metrics."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np

M = TypeVar("M", bound=tuple)


class Metrics(NamedTuple):
    """Metrics of one update, each a mean over the minibatch."""

    critic_loss: float  # (y - Q(s, a))²
    actor_loss: float  # -Q(s, μ(s))
    q_value: float  # Q(s, a)
    target_q: float  # y
    action_saturation: float  # share of the policy's actions within 1 % of a bound


class MeanMetrics(Generic[M]):
    """The running mean of updates' metrics.

    Args:
        kind: The NamedTuple of the metrics.
    """

    def __init__(self, kind: type[M]) -> None:
        self.kind = kind
        self.sums, self.count = np.zeros(len(kind._fields)), 0  # type: ignore[attr-defined]

    def add(self, metrics: Sequence[float] | None) -> None:
        """Add the metrics of one round of updates; None, for no update, adds nothing."""
        if metrics is not None:
            self.sums += metrics
            self.count += 1

    def mean(self) -> M | None:
        """Return the means, or None if nothing was added."""
        return self.kind(*(self.sums / self.count).tolist()) if self.count else None
