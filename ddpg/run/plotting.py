"""Plots from the CSV files.

python -m ddpg.run.plotting RUN_DIR PLOT.png              a run's reward curve
python -m ddpg.run.plotting CURVES.csv PLOT.png           the curves of several seeds, with their band
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

# A colour-blind-safe trio (Okabe and Ito).
EPISODE, AVERAGE, EVALUATION = "#999999", "#0072b2", "#d55e00"


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of a CSV file of numbers, each `(rows,)` float64."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    values = np.array(rows, dtype=np.float64).reshape(-1, len(header))
    return dict(zip(header, values.T, strict=True))


def draw_reward_curve(run_dir: Path, plot_path: Path) -> None:
    """Draw one run: each episode's return, the running average, the noise-free evaluations.

    Args:
        run_dir: Holds `config.json`, `episodes.csv`, `evaluations.csv`.
        plot_path: The PNG to write; it is replaced atomically, so a viewer never sees half of it.
    """
    config = json.loads((run_dir / "config.json").read_text(encoding="utf-8"))["config"]
    episodes, evaluations = (read_columns(run_dir / f"{name}.csv") for name in ("episodes", "evaluations"))

    figure = Figure(figsize=(9, 5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(episodes["steps"], episodes["return"], ".", color=EPISODE, ms=4, label="episodic return, with noise")
    axes.plot(episodes["steps"], episodes["running_average"], color=AVERAGE, label="running average of 40 episodes")
    axes.errorbar(
        evaluations["steps"],
        evaluations["mean"],
        evaluations["std"],
        color=EVALUATION,
        marker="o",
        ms=4,
        capsize=3,
        label=f"noise-free evaluation: mean ± std of {config['evaluation_episodes']} episodes",
    )
    axes.set_title(f"DDPG on {config['env']}, seed {config['seed']}")
    axes.set_xlabel("environment steps")
    axes.set_ylabel("return (undiscounted sum of rewards)")
    finish(figure, plot_path)


def draw_seeds(curves: Path, plot_path: Path) -> None:
    """Draw the noise-free evaluations of several seeds: each one, their mean, and its 95 % confidence band.

    Args:
        curves: A CSV with the columns `seed`, `steps`, `mean`; its name, `learning-TASK.csv`, names the task.
        plot_path: The PNG to write.
    """
    columns = read_columns(curves)
    seeds = np.unique(columns["seed"])
    each = [(columns["steps"][columns["seed"] == seed], columns["mean"][columns["seed"] == seed]) for seed in seeds]
    steps, mean, half_width = mean_and_band(each)

    figure = Figure(figsize=(9, 5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for one in each:
        axes.plot(*one, color=EPISODE, lw=0.8, alpha=0.7, label="one seed" if one is each[0] else None)
    axes.fill_between(steps, mean - half_width, mean + half_width, color=EVALUATION, alpha=0.25, lw=0)
    axes.plot(steps, mean, color=EVALUATION, marker="o", ms=3, label=f"mean of {len(seeds)} seeds, 95 % band")
    # The band of a few seeds can be far wider than any return that occurs.
    lowest, highest = min(values.min() for _, values in each), max(values.max() for _, values in each)
    axes.set_ylim(lowest - 0.05 * (highest - lowest), highest + 0.05 * (highest - lowest))
    axes.set_title(f"DDPG on {curves.stem.removeprefix('learning-')}: noise-free evaluations during training")
    axes.set_xlabel("environment steps")
    axes.set_ylabel("return (undiscounted sum of rewards)")
    finish(figure, plot_path)


def mean_and_band(curves: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return steps, the mean over seeds, and half of its 95 % confidence interval (Student's t), each `(points,)`.

    Episodes that end early end at other steps in each seed: all curves are read off at the steps of the first.

    Args:
        curves: The steps and the returns of each seed, two or more.
    """
    from scipy import stats  # imported here: a training run draws its own curve and needs no SciPy

    steps = curves[0][0]
    returns = np.array([np.interp(steps, *curve) for curve in curves])
    t = stats.t.ppf(0.975, len(curves) - 1)
    return steps, returns.mean(axis=0), t * returns.std(axis=0, ddof=1) / np.sqrt(len(curves))


def finish(figure: Figure, plot_path: Path) -> None:
    """Add the grid and the legend, below the axes where it hides nothing, and save the figure."""
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    save(figure, plot_path)


def save(figure: Figure, plot_path: Path) -> None:
    """Write a figure atomically."""
    plot_path.parent.mkdir(parents=True, exist_ok=True)
    partial = plot_path.with_name(f".{plot_path.name}.partial")
    figure.savefig(partial, format="png")
    partial.replace(plot_path)


def main(arguments: list[str]) -> None:
    """Draw what the command line asks for."""
    if len(arguments) != 2 or not Path(arguments[0]).exists():
        sys.exit("usage: python -m ddpg.run.plotting RUN_DIR_OR_CURVES.csv PLOT.png")
    source, plot_path = map(Path, arguments)
    (draw_seeds if source.suffix == ".csv" else draw_reward_curve)(source, plot_path)


if __name__ == "__main__":
    main(sys.argv[1:])
