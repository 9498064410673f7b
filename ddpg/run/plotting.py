"""The reward curve of a run, from its CSV files.

python -m ddpg.run.plotting RUN_DIR PLOT.png
"""

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ddpg.command.command import Parser, run_command
from ddpg.command.inputs import UNUSABLE, read_object
from ddpg.command.paths import absolute
from ddpg.command.presets import PRESETS, closest_preset
from ddpg.errors import RequestError, one_line
from ddpg.settings.setting import text_of
from ddpg.storage.csv_files import read_columns
from ddpg.storage.figures import AVERAGE, EPISODE, EVALUATION, check_picture, finish, new_figure

OPTIMA = {"Pendulum-v1": -135.7}  # over 1,000 starts: results/pendulum_optimum
DRAWN = {"episodes": ("steps", "return", "running_average"), "evaluations": ("steps", "mean", "std", "episodes")}
LINE_OF_TITLE = 100  # characters


def draw_reward_curve(run_dir: Path, config: dict[str, Any], plot_path: Path) -> None:
    """Draw one run: each episode's return, the running average, the noise-free evaluations.

    Args:
        run_dir: Holds `episodes.csv` and `evaluations.csv`.
        config: The settings of the run, as JSON.
        plot_path: The PNG to write; it is replaced atomically, so a viewer never sees half of it.
    """
    episodes, evaluations = (read_columns(run_dir / f"{name}.csv", needed) for name, needed in DRAWN.items())

    figure = new_figure(5)
    axes = figure.add_subplot()
    axes.plot(episodes["steps"], episodes["return"], ".", color=EPISODE, ms=4, label="training episodes, with noise")
    axes.plot(episodes["steps"], episodes["running_average"], color=AVERAGE, label="their running average, 40 episodes")
    label = f"noise-free evaluations: mean of {config['evaluation_episodes']}, 95 % interval"
    intervals = half_widths(evaluations["std"], evaluations["episodes"])
    style: dict[str, Any] = {"color": EVALUATION, "marker": "o", "ms": 4, "capsize": 3}
    axes.errorbar(evaluations["steps"], evaluations["mean"], intervals, label=label, **style)
    if config["env"] in OPTIMA and not config["env_kwargs"]:
        axes.axhline(OPTIMA[config["env"]], color="black", lw=1, ls=":", label="optimum, over all starts")
    lines = (f"DDPG on {config['env']}, seed {config['seed']}", settings_of(config), origin(config))
    axes.set_title("\n".join(filter(None, lines)), fontsize="medium")
    axes.set_xlabel("environment steps")
    axes.set_ylabel("return (undiscounted sum of rewards)")
    finish(figure, plot_path)


def origin(config: dict[str, Any]) -> str:
    """Return where a run began, for its picture; nothing for a run that began with nothing.

    Args:
        config: The settings of the run, as JSON; those of an earlier version lack some.
    """
    parts = []
    for path, sha256 in config.get("start_from", {}).items():
        phase, _, number = Path(path).name.partition("-")
        parts.append(f"from {phase} {int(number)} of {Path(path).parents[1].name} ({sha256[:8]})")
    if config.get("data"):
        names, updates = ", ".join(Path(path).name for path in config["data"]), config["data_updates"]
        parts.append(f"after {updates} updates on {names}" if updates else f"with the data of {names}")
    return ", ".join(parts)


def half_widths(std: np.ndarray, episodes: np.ndarray) -> np.ndarray:
    """Return half of the mean's 95 % confidence interval (Student's t), NaN for one episode.

    Args:
        std: The standard deviations between episodes, divided by n.
        episodes: n.
    """
    n = np.maximum(episodes, 2)
    return np.where(episodes > 1, stdtrit(n - 1, 0.975) * std / np.sqrt(n - 1), np.nan)


def settings_of(config: dict[str, Any]) -> str:
    """Return the settings of a run in a line or several: its preset, and what differs from it."""
    preset, different = closest_preset(config, PRESETS)
    changed = ", ".join(f"{name} {text_of(value)}" for name, value in different.items())
    return textwrap.fill(f"preset {preset}{f' with {changed}' if changed else ''}", LINE_OF_TITLE)


def draw_updates(updates: dict[str, np.ndarray], rewards: np.ndarray, gamma: float, plot_path: Path) -> None:
    """Draw a run's updates: the critic's loss, its values and their targets, and the share of saturated actions.

    Args:
        updates: The columns of `updates.csv`.
        rewards: The rewards in the replay buffer, whose largest possible sum is drawn too.
        gamma: γ.
        plot_path: The PNG to write.
    """
    figure = new_figure(7)
    loss, values, saturation = figure.subplots(3, sharex=True)
    steps = updates["steps"]
    loss.plot(steps, updates["critic_loss"], color=EPISODE, label="critic's loss")
    loss.set_yscale("log")
    values.plot(steps, updates["q_value"], color=AVERAGE, label="Q(s, a)")
    values.plot(steps, updates["target_q"], "--", color=EVALUATION, label="y")
    limit = max_abs_value(rewards, gamma)
    values.set_ylim(values.get_ylim())  # the limit may be far away, and the values are what one wants to see
    for each in (limit, -limit) if np.isfinite(limit) else ():
        values.axhline(each, color="black", lw=1, ls=":")
    values.plot([], [], color="black", lw=1, ls=":", label=f"±{limit:,.0f}: the most that rewards can add up to")
    saturation.plot(steps, updates["action_saturation"], color=AVERAGE, label="share of actions at a bound")
    saturation.set_ylim(-0.05, 1.05)
    saturation.set_xlabel("environment steps")
    for axes, label in ((loss, "loss"), (values, "value"), (saturation, "share")):
        axes.set_ylabel(label)
    finish(figure, plot_path)


def max_abs_value(rewards: np.ndarray, gamma: float) -> float:
    """Return max |r| / (1 - γ), the largest absolute value that such rewards can add up to; infinite for γ = 1."""
    return float(np.abs(rewards).max()) / (1.0 - gamma) if gamma < 1.0 else np.inf


def main(argv: list[str] | None = None) -> int:
    """Draw the reward curve that the command line asks for; return the exit code."""
    return run_command("python -m ddpg.run.plotting", lambda: run(parse(argv)))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(
        prog="python -m ddpg.run.plotting", description="Draw the reward curve of a run from its CSV files."
    )
    parser.add_argument("run_dir", type=absolute, metavar="RUN_DIR", help="a run folder")
    parser.add_argument("plot_path", type=absolute, metavar="PLOT.png", help="the picture")
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> int:
    """Draw as the arguments say."""
    run_dir, plot_path = arguments.run_dir, arguments.plot_path
    check_picture(plot_path, None)
    try:
        config = read_object(run_dir / "config.json")["config"]
        draw_reward_curve(run_dir, dict(config), plot_path)
    except UNUSABLE as error:
        raise RequestError(f"cannot draw the curve of {run_dir} as {plot_path} ({one_line(error)})") from None
    return 0


if __name__ == "__main__":
    sys.exit(main())
