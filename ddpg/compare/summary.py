"""What a comparison finds, as it is printed, drawn and written: the figures of each setting on each task."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ddpg.compare.statistics import bootstrap_interval, interquartile_mean

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Summary:
    """One setting on one task.

    Args:
        task, setting: Their names.
        seeds: How many runs; 1 for a published mean.
        steps: The steps of the curve, `(points,)`: those that all runs reached.
        middle: The interquartile mean over the runs at each, `(points,)`.
        band: The ends of its 95 % interval, `(points,)` each, or None for a single run.
        final: Each run's final performance, `(seeds,)`: the mean of its last evaluations.
        area: Each run's mean return over the steps that all runs on the task reached, `(seeds,)`.
        test: Each run's mean return of the final policy on other starts, `(seeds,)`, or None if not all were tested.
    """

    task: str
    setting: str
    seeds: int
    steps: np.ndarray
    middle: np.ndarray
    band: tuple[np.ndarray, np.ndarray] | None
    final: np.ndarray
    area: np.ndarray
    test: np.ndarray | None

    def as_json(self) -> dict[str, Any]:
        """Return the figures, JSON-ready."""
        figures: dict[str, Any] = {"task": self.task, "setting": self.setting, "seeds": self.seeds}
        figures["steps"] = int(self.steps[-1])
        for name in ("final", "area", "test"):
            runs = getattr(self, name)
            figures[name] = None if runs is None else described(runs)
        return figures


def described(runs: np.ndarray) -> dict[str, Any]:
    """Return the interquartile mean of some runs, its interval, their mean, and the runs."""
    interval = bootstrap_interval([runs])
    return {
        "iqm": float(interquartile_mean(runs)),
        "interval": None if interval is None else [float(end) for end in interval],
        "mean": float(np.mean(runs)),
        "min": float(np.min(runs)),
        "max": float(np.max(runs)),
        "runs": [float(run) for run in runs],
    }


@dataclass(frozen=True)
class Comparison:
    """The summaries of all settings on all tasks.

    Args:
        summaries: By task and setting.
        improvements: (task, setting, over which setting, probability, interval) for each setting but a task's first; a
            single run of either has no probability and no interval.
        notes: What a reader must know about curves that do not fit together.
    """

    summaries: list[Summary]
    improvements: list[tuple[str, str, str, float | None, Interval]]
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return all figures, JSON-ready."""
        names = ("task", "setting", "over", "probability", "interval")
        return {
            "settings": [summary.as_json() for summary in self.summaries],
            "improvements": [dict(zip(names, row, strict=True)) for row in self.improvements],
            "notes": self.notes,
        }
