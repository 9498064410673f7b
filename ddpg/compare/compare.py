"""Compare settings over seeds: summaries of their learning curves, as a table, JSON or CSV."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from ddpg.command.text import number
from ddpg.compare.curves import Curve
from ddpg.compare.statistics import (
    bootstrap_interval,
    improvement_interval,
    interquartile_mean,
    probability_of_improvement,
)
from ddpg.compare.summary import Comparison, Interval, Summary
from ddpg.errors import RequestError

RANGE_SEEDS = 4  # so many runs or fewer: the bootstrap interval is their range, from the lowest to the highest
FINAL_SHARE = 0.1  # of a run's evaluations, which make its final performance


def compare(curves: Sequence[Curve], last: int | None = None) -> Comparison:
    """Summarize curves over their seeds.

    Args:
        curves: The runs.
        last: How many of a run's last evaluations make its final performance; by default a tenth of them.

    Raises:
        RequestError: A run has no evaluation after its start, or the runs on a task have no steps in common.
    """
    for curve in curves:
        if curve.steps[-1] <= 0:
            raise RequestError(f"{curve.task}, {curve.setting}, seed {curve.seed} has no evaluation after step 0")
    tasks = {curve.task: [other for other in curves if other.task == curve.task] for curve in curves}
    summaries, improvements, notes = [], [], notes_on(curves)
    for task, runs in tasks.items():
        shortest, latest = min(curve.steps[-1] for curve in runs), max(curve.steps[0] for curve in runs)
        if latest > shortest:
            raise RequestError(
                f"{task}: one run begins at step {latest:.0f}, after another has ended at {shortest:.0f}; they have no "
                "steps in common, so compare them one by one"
            )
        if any(curve.steps[-1] > 1.05 * shortest for curve in runs):  # a last episode may end a little later
            notes.append(f"{task}: runs differ in length; areas are compared up to step {shortest:.0f}, the shortest")
        settings = list(dict.fromkeys(curve.setting for curve in runs))
        groups = [[curve for curve in runs if curve.setting == setting] for setting in settings]
        own = [summarize(group, shortest, last, notes) for group in groups]
        summaries += own
        for summary in own[1:]:
            scores = summary.final, own[0].final
            interval = improvement_interval(*scores)
            chance = probability_of_improvement(*scores) if interval else None
            improvements.append((task, summary.setting, own[0].setting, chance, interval))
    return Comparison(summaries, improvements, notes)


def notes_on(curves: Sequence[Curve]) -> list[str]:
    """Return what a reader must know about how curves were read."""
    notes = [f"all have {', '.join(curves[0].shared)}"] if curves[0].shared else []
    for curve in curves:
        if curve.dropped:
            rows = "row" if curve.dropped == 1 else "rows"
            name = f"{curve.task}, {curve.setting}, seed {curve.seed}"
            notes.append(f"{name}: {curve.dropped} {rows} without a number left out")
    return notes


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
    lines += [improvement_line(comparison, *improvement) for improvement in comparison.improvements]
    notes = list(comparison.notes)
    if few := {summary.seeds for summary in comparison.summaries if 1 < summary.seeds <= RANGE_SEEDS}:
        notes.append(f"an interval of {' or '.join(map(str, sorted(few)))} runs is no more than their range")
    return "\n".join([*lines, *(f"note: {note}" for note in notes)])


def improvement_line(
    comparison: Comparison, task: str, setting: str, over: str, chance: float | None, interval: Interval
) -> str:
    """Return what is known of one setting against another on a task."""
    own = {summary.setting: summary for summary in comparison.summaries if summary.task == task}
    ends, other_ends = (own[name].steps[-1] for name in (setting, over))
    lengths = f" (at step {ends:.0f} against {other_ends:.0f})" if abs(ends - other_ends) > 0.05 * ends else ""
    if chance is None or interval is None:
        difference = float(np.mean(own[setting].final) - np.mean(own[over].final))
        word = "higher" if difference > 0 else "lower"
        return (
            f"{task}: {setting} ends {number(abs(difference))} {word} than {over}{lengths}; "
            "with a single run of either, that may be luck"
        )
    ends_of = f"[{interval[0]:.2f}, {interval[1]:.2f}]"
    return f"{task}: {setting} ends better than {over}{lengths} with probability {chance:.2f} {ends_of}"


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
