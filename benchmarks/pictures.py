"""Pictures of comparisons: one panel per task and variant, each against the first variant of the task.

python benchmarks/pictures.py plots/ablation.csv plots/ablation.png
"""

import csv
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent

Curve = tuple[np.ndarray, np.ndarray]


def read_curves(path: Path) -> dict[str, dict[str, list[Curve]]]:
    """Return the curves of each seed by task and variant, from a CSV of task, variant, seed, steps, mean."""
    points: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            point = float(row["steps"]), float(row["mean"])
            points.setdefault((row["task"], row["variant"], row["seed"]), []).append(point)
    curves: dict[str, dict[str, list[Curve]]] = {}
    for (task, variant, _), curve in points.items():
        steps, means = np.array(curve).T
        curves.setdefault(task, {}).setdefault(variant, []).append((steps, means))
    return curves


def draw_comparison(path: Path, picture: Path) -> None:
    """Draw a row of panels per task: in each the first variant in grey, and another one over it, with 95 % bands."""
    sys.path.insert(0, str(ROOT))
    from matplotlib.figure import Figure

    from ddpg.plotting import EPISODE, EVALUATION, finish, mean_and_band

    curves = read_curves(path)
    columns = max(len(variants) for variants in curves.values()) - 1
    figure = Figure(figsize=(2.3 * columns, 2.2 * len(curves) + 0.8), dpi=110, layout="constrained")
    grid = figure.subplots(len(curves), columns, squeeze=False, sharex="row", sharey="row")
    seeds = 0
    for line, (task, variants) in zip(grid, curves.items(), strict=True):
        (reference, normal), *others = variants.items()
        seeds = len(normal)
        for axes, (variant, changed) in zip(line, others, strict=False):
            for name, each, colour in ((reference, normal, EPISODE), ("the variant", changed, EVALUATION)):
                steps, middle, half_width = mean_and_band(each)
                axes.fill_between(steps, middle - half_width, middle + half_width, color=colour, alpha=0.3, lw=0)
                label = name if axes is grid[0, 0] else None
                axes.plot(steps, middle, color=colour, label=label)
            axes.set_title(variant, fontsize="small")
            axes.tick_params(labelsize="x-small")
        for axes in line[len(others) :]:
            axes.remove()
        every = np.concatenate([means for each in variants.values() for _, means in each])
        room = 0.05 * (every.max() - every.min())
        line[0].set_ylim(every.min() - room, every.max() + room)
        line[0].set_ylabel(f"{task}\nreturn", fontsize="small")
        line[len(others) // 2].set_xlabel("environment steps", fontsize="small")
    figure.suptitle(f"Noise-free evaluations while training: mean of {seeds} seeds and 95 % band", fontsize="medium")
    finish(figure, picture)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python benchmarks/pictures.py CURVES.csv PICTURE.png")
    draw_comparison(Path(sys.argv[1]), Path(sys.argv[2]))
