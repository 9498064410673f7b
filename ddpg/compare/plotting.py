"""Pictures: the learning curves of a comparison, a panel per task; and Optuna's own of a study."""

from collections.abc import Sequence
from pathlib import Path

from ddpg.compare.compare import RANGE_SEEDS, Comparison
from ddpg.compare.curves import Curve
from ddpg.run.plotting import OPTIMA
from ddpg.storage.figures import PANELS, finish, new_figure, panels

# Okabe and Ito's colors, which color-blind readers can tell apart.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
LINES = ("-", "--", ":")
MARKERS = "os^Dvp*"  # of single runs, whose lines may lie under each other


def draw_comparison(comparison: Comparison, curves: Sequence[Curve], path: Path) -> None:
    """Draw interquartile means and their 95 % bands; thin lines are single runs, where a band says little of them.

    Args:
        comparison: The summaries.
        curves: The runs that they were made from.
        path: The PNG to write.
    """
    tasks = list(dict.fromkeys(summary.task for summary in comparison.summaries))
    settings = list(dict.fromkeys(summary.setting for summary in comparison.summaries))
    figure = new_figure(5.2 if len(tasks) == 1 else 3 * -(-len(tasks) // PANELS) + 0.8)
    grid = panels(figure, len(tasks))
    labelled: set[str] = set()
    for axes, task in zip(grid, tasks, strict=False):
        own = [summary for summary in comparison.summaries if summary.task == task]
        for summary in own:
            index = settings.index(summary.setting)
            color = COLORS[index % len(COLORS)]
            if summary.band is not None and (len(own) == 1 or summary.seeds <= RANGE_SEEDS):
                for curve in curves:
                    if (curve.task, curve.setting) == (task, summary.setting):
                        name = None if "single runs" in labelled else "single runs"
                        labelled.add("single runs")
                        thin = "#999999" if len(settings) == 1 else color
                        axes.plot(curve.steps, curve.scores, color=thin, lw=0.8, alpha=0.7, label=name)
            text = None if summary.setting in labelled else label(summary.setting, comparison, curves)
            labelled.add(summary.setting)
            style = LINES[index // len(COLORS) % 3]
            marker = {"marker": MARKERS[index % len(MARKERS)], "ms": 5} if summary.band is None else {}
            axes.plot(summary.steps, summary.middle, style, color=color, label=text, alpha=0.85, **marker)
            if summary.band is not None:
                axes.fill_between(summary.steps, *summary.band, color=color, alpha=0.2, lw=0)
        if task in OPTIMA and not any("env_kwargs" in name for each in curves for name in (each.setting, *each.shared)):
            axes.axhline(OPTIMA[task], color="black", lw=1, ls=":", label="optimum")
        axes.set_title(task, fontsize="medium")
        axes.set_xlabel("environment steps" if task != "MolGAN" else "updates")
        axes.set_ylabel(
            "score" if task == "MolGAN" else "return" if len(tasks) > 1 else "return (undiscounted sum of rewards)"
        )
        axes.locator_params(axis="x", nbins=3 if len(tasks) > 1 else 6)  # the numbers of long runs need room
    figure.suptitle(title(comparison), fontsize="medium")
    finish(figure, path)


def label(setting: str, comparison: Comparison, curves: Sequence[Curve]) -> str:
    """Return a setting's name in the legend, with how many seeds it has where that differs, or its only seed."""
    counts = {summary.seeds for summary in comparison.summaries}
    own = {summary.seeds for summary in comparison.summaries if summary.setting == setting}
    seeds = {curve.seed for curve in curves if curve.setting == setting}
    if counts == {1}:
        return f"{setting} (seed {seeds.pop()})" if len(seeds) == 1 and None not in seeds else setting
    word = "seed" if own == {1} else "seeds"
    return setting if len(counts) == 1 else f"{setting} ({'/'.join(map(str, sorted(own)))} {word})"


def title(comparison: Comparison) -> str:
    """Return the title: what the lines and bands are."""
    counts = {summary.seeds for summary in comparison.summaries}
    if counts == {1}:
        return "Noise-free evaluations during training: single runs"
    seeds = f"{max(counts)} seeds" if len(counts) == 1 else "the seeds"
    band = "range" if max(counts) <= RANGE_SEEDS else "95 % bootstrap band"
    return f"Noise-free evaluations during training: interquartile mean of {seeds}, {band}"
