"""Compare settings over seeds: summaries of their learning curves, as a table, JSON or CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ddpg.compare.curves import Curve
from ddpg.compare.statistics import (
    bootstrap_interval,
    improvement_interval,
    interquartile_mean,
    probability_of_improvement,
)
from ddpg.errors import RequestError

FINAL_SHARE = 0.1  # of a run's evaluations, which make its final performance
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
        improvements: (task, setting, over which setting, probability, interval) for each setting but a task's first.
        notes: What a reader must know about curves that do not fit together.
    """

    summaries: list[Summary]
    improvements: list[tuple[str, str, str, float, Interval]]
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return all figures, JSON-ready."""
        names = ("task", "setting", "over", "probability", "interval")
        return {
            "settings": [summary.as_json() for summary in self.summaries],
            "improvements": [dict(zip(names, row, strict=True)) for row in self.improvements],
            "notes": self.notes,
        }


def compare(curves: Sequence[Curve], last: int | None = None) -> Comparison:
    """Summarize curves over their seeds.

    Args:
        curves: The runs.
        last: How many of a run's last evaluations make its final performance; by default a tenth of them.

    Raises:
        RequestError: A run has no evaluation after its start.
    """
    for curve in curves:
        if curve.steps[-1] <= 0:
            raise RequestError(f"{curve.task}, {curve.setting}, seed {curve.seed} has no evaluation after step 0")
    tasks = {curve.task: [other for other in curves if other.task == curve.task] for curve in curves}
    summaries, improvements, notes = [], [], []
    for task, runs in tasks.items():
        shortest = min(curve.steps[-1] for curve in runs)
        if any(curve.steps[-1] > 1.05 * shortest for curve in runs):  # a last episode may end a little later
            notes.append(f"{task}: runs differ in length; areas are compared up to step {shortest:.0f}, the shortest")
        settings = list(dict.fromkeys(curve.setting for curve in runs))
        groups = [[curve for curve in runs if curve.setting == setting] for setting in settings]
        own = [summarize(group, shortest, last, notes) for group in groups]
        summaries += own
        for summary in own[1:]:
            scores = summary.final, own[0].final
            chance, interval = probability_of_improvement(*scores), improvement_interval(*scores)
            improvements.append((task, summary.setting, own[0].setting, chance, interval))
    return Comparison(summaries, improvements, notes)


def summarize(runs: Sequence[Curve], shortest: float, last: int | None, notes: list[str]) -> Summary:
    """Return the summary of one setting on one task, and note what does not fit together.

    Args:
        runs: Its runs.
        shortest: Up to which step areas are compared.
        last: As in `compare`.
        notes: Receives a line for what a reader must know.
    """
    task, setting = runs[0].task, runs[0].setting
    begin, end = max(curve.steps[0] for curve in runs), min(curve.steps[-1] for curve in runs)
    longest = max(curve.steps[-1] for curve in runs)
    if longest > 1.05 * end:
        notes.append(f"{task}, {setting}: its runs end between steps {end:.0f} and {longest:.0f}; the curve ends first")
    if any(curve.seed is None for curve in runs):
        notes.append(f"{task}, {setting}: a published mean, whose seeds are not given; so it has no band")
    steps = np.unique(np.concatenate([curve.steps for curve in runs]))
    steps = steps[(steps >= begin) & (steps <= end)]
    if len(steps) > len(runs[0].steps):  # episodes that end early end at other steps in each run: one grid for all
        steps = np.linspace(begin, end, len(runs[0].steps))
    values = np.array([np.interp(steps, curve.steps, curve.scores) for curve in runs])
    tests = [curve.test for curve in runs]
    return Summary(
        task,
        setting,
        len(runs),
        steps,
        interquartile_mean(values),
        bootstrap_interval([values]),
        np.array([final_performance(curve, last) for curve in runs]),
        np.array([mean_over(curve, shortest) for curve in runs]),
        None if None in tests else np.array(tests, np.float64),
    )


def final_performance(curve: Curve, last: int | None) -> float:
    """Return the mean of a run's last evaluations; the untrained policy is never among them."""
    scores = curve.scores[curve.steps > 0]
    return float(np.mean(scores[-(last or max(1, round(FINAL_SHARE * len(scores)))) :]))


def mean_over(curve: Curve, end: float) -> float:
    """Return the mean return from a run's first evaluation to a step: the area under the curve over its width."""
    steps = np.append(curve.steps[curve.steps < end], end)
    scores = np.interp(steps, curve.steps, curve.scores)
    return float(np.trapezoid(scores, steps) / (steps[-1] - steps[0])) if steps[-1] > steps[0] else float(scores[-1])


def table(comparison: Comparison) -> str:
    """Return the comparison as text for a terminal."""
    titles = ("final return", "mean over training", "test of the final policy")
    rows: list[tuple[str, ...]] = [("task", "setting", "seeds", "steps", *titles)]
    for summary in comparison.summaries:
        cells = [shown(getattr(summary, name)) for name in ("final", "area", "test")]
        rows.append((summary.task, summary.setting, str(summary.seeds), f"{summary.steps[-1]:.0f}", *cells))
    if all(summary.test is None for summary in comparison.summaries):
        rows = [row[:-1] for row in rows]
    lines = aligned(rows)
    for task, setting, over, chance, interval in comparison.improvements:
        ends = f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else ""
        lines.append(f"{task}: {setting} ends better than {over} with probability {chance:.2f}{ends}")
    return "\n".join([*lines, *(f"note: {note}" for note in comparison.notes)])


def shown(runs: np.ndarray | None) -> str:
    """Return an interquartile mean with its interval, such as "-147.4 [-149.0, -146.1]"."""
    if runs is None:
        return ""
    digits = 1 if np.abs(runs).max() >= 10 else 3
    interval = bootstrap_interval([runs])
    ends = "" if interval is None else f" [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"
    return f"{interquartile_mean(runs):.{digits}f}{ends}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of text as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def as_csv(comparison: Comparison) -> str:
    """Return the comparison as CSV, one row per setting and task."""
    rows = [flat(summary.as_json()) for summary in comparison.summaries]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def flat(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a setting without nesting: "final_iqm", "final_low", "final_high" and so on."""
    row = {name: figures[name] for name in ("task", "setting", "seeds", "steps")}
    for name in ("final", "area", "test"):
        found = figures[name] or {}
        low, high = found.get("interval") or (None, None)
        row |= {f"{name}_{key}": found.get(key) for key in ("iqm", "mean", "min", "max")}
        row |= {f"{name}_low": low, f"{name}_high": high}
    return row
