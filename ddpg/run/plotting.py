"""The reward curve of a run, from its CSV files.

python -m ddpg.run.plotting RUN_DIR PLOT.png
"""

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

from ddpg.storage.csv_files import read_columns
from ddpg.storage.figures import AVERAGE, EPISODE, EVALUATION, finish


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


def main(arguments: list[str]) -> None:
    """Draw the reward curve that the command line asks for."""
    if len(arguments) != 2 or not Path(arguments[0], "episodes.csv").exists():
        print("usage: python -m ddpg.run.plotting RUN_DIR PLOT.png", file=sys.stderr)
        sys.exit(2)
    draw_reward_curve(*map(Path, arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
