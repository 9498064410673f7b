"""The reward curve of a run, from its CSV files.

python -m ddpg.run.plotting RUN_DIR PLOT.png
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

# Okabe and Ito's colors, which color-blind readers can tell apart.
EPISODE, AVERAGE, EVALUATION = "#999999", "#0072b2", "#d55e00"
LONG_NAME = 60  # characters; longer names in a legend stand one below the other


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


def finish(figure: Figure, plot_path: Path) -> None:
    """Add the grid and the legend, below the axes where it hides nothing, and save the figure."""
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    names = [name for axes in figure.axes for name in axes.get_legend_handles_labels()[1]]
    columns = 1 if any(len(name) > LONG_NAME for name in names) else 3
    figure.legend(loc="outside lower center", ncols=columns, fontsize="small")
    save(figure, plot_path)


def save(figure: Figure, plot_path: Path) -> None:
    """Write a figure atomically."""
    plot_path.parent.mkdir(parents=True, exist_ok=True)
    partial = plot_path.with_name(f".{plot_path.name}.partial")
    figure.savefig(partial, format="png")
    partial.replace(plot_path)


def main(arguments: list[str]) -> None:
    """Draw the reward curve that the command line asks for."""
    if len(arguments) != 2 or not Path(arguments[0], "episodes.csv").exists():
        print("usage: python -m ddpg.run.plotting RUN_DIR PLOT.png", file=sys.stderr)
        sys.exit(2)
    draw_reward_curve(*map(Path, arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
