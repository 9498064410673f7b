"""The pictures of what was learned, each drawn from a CSV file."""

from pathlib import Path
from typing import Any

import numpy as np

from ddpg.storage.csv_files import read_rows

VARIANTS_IN_A_ROW = 4
BASES = {  # the settings that all variants of a study have, for its title
    "ablation": "preset blog",
    "blog_mistakes": "preset blog",
    "ablation_halfcheetah": "preset mujoco, 50 updates after every 50 steps",
}


def draw_variants(path: Path, plot_path: Path) -> None:
    """Draw a row of panels per task: in each one a variant over the first variant in gray, with 95 % bands."""
    from ddpg.compare.compare import RANGE_SEEDS, compare
    from ddpg.compare.curves import read_curves
    from ddpg.run.plotting import OPTIMA
    from ddpg.storage.figures import EPISODE, EVALUATION, SMALL, finish, new_figure, panels

    summaries = compare(read_curves([path])).summaries
    tasks = {summary.task: [other for other in summaries if other.task == summary.task] for summary in summaries}
    rows = [-(-(len(own) - 1) // VARIANTS_IN_A_ROW) for own in tasks.values()]
    figure = new_figure(2.1 * sum(rows) + 0.8)
    parts = figure.subfigures(len(tasks), height_ratios=rows, squeeze=False)[:, 0]
    for part, (task, (reference, *others)) in zip(parts, tasks.items(), strict=True):
        grid = panels(part, len(others), VARIANTS_IN_A_ROW, sharex=True, sharey=True)
        for axes, variant in zip(grid, others, strict=True):
            for summary, name, color in ((reference, reference.setting, EPISODE), (variant, "the variant", EVALUATION)):
                if summary.band is not None:
                    axes.fill_between(summary.steps, *summary.band, color=color, alpha=0.3, lw=0)
                label = name if part is parts[0] and axes is grid[0] else None
                axes.plot(summary.steps, summary.middle, color=color, label=label)
            if task in OPTIMA:
                label = "optimum" if axes is grid[0] else None
                axes.axhline(OPTIMA[task], color="black", lw=1, ls=":", label=label)
            axes.set_title(variant.setting, fontsize=SMALL)
            axes.tick_params(labelsize=SMALL)
            axes.locator_params(nbins=3)
        part.supylabel(f"{task}: return", fontsize=SMALL + 1)
        part.supxlabel("environment steps", fontsize=SMALL + 1)
    seeds = summaries[0].seeds
    band = "range" if seeds <= RANGE_SEEDS else "95 % bootstrap band"
    title = f"Noise-free evaluations during training: interquartile mean of {seeds} seeds, {band}"
    figure.suptitle("\n".join(filter(None, (title, BASES.get(path.parent.name)))), fontsize="medium")
    finish(figure, plot_path)


def draw_optimum(path: Path, plot_path: Path) -> None:
    """Draw value and torque over angle and speed: the optimum on the left, the agent on the right."""
    from ddpg.storage.csv_files import read_columns
    from ddpg.storage.figures import new_figure, save

    columns = read_columns(path)
    angle, speed = np.unique(columns["angle"]), np.unique(columns["speed"])
    figure = new_figure(6.6)
    pairs = (
        ("discounted return", "viridis", ("optimal_value", "optimal value"), ("critic", "critic: Q(s, μ(s))")),
        ("torque (N m)", "RdBu", ("optimal_torque", "optimal torque"), ("actor", "actor: μ(s), scaled to N m")),
    )
    for line, (unit, colors, *names) in zip(figure.subplots(2, 2, sharex=True, sharey=True), pairs, strict=True):
        low = min(columns[name].min() for name, _ in names)
        high = max(columns[name].max() for name, _ in names)
        for axes, (name, title) in zip(line, names, strict=True):
            field = columns[name].reshape(len(angle), len(speed)).T
            drawn = axes.pcolormesh(angle, speed, field, cmap=colors, vmin=low, vmax=high, rasterized=True)
            axes.set_title(title)
            axes.set_xlabel("angle (rad, 0 is upright)")
            axes.set_ylabel("angular speed (rad/s)")
        figure.colorbar(drawn, ax=list(line), label=unit)
    figure.suptitle("Pendulum-v1: dynamic programming (left) and a trained agent (right)")
    save(figure, plot_path)


def draw_estimates(path: Path, plot_path: Path) -> None:
    """Draw a scatter per task: the critic's estimate against the return that followed, with the line of equality."""
    from ddpg.storage.figures import AVERAGE, SMALL, new_figure, panels, save

    pairs: dict[str, list[tuple[float, float]]] = {}
    for row in read_rows(path):
        pair = float(row["return"]), float(row["estimate"])
        pairs.setdefault(f"{row['task']}, seed {row['seed']}", []).append(pair)
    figure = new_figure(3.4)
    for axes, (task, points) in zip(panels(figure, len(pairs)), pairs.items(), strict=True):
        returns, estimates = np.array(points).T
        ends = [min(returns.min(), estimates.min()), max(returns.max(), estimates.max())]
        axes.plot(ends, ends, color="#999999", lw=1)
        axes.plot(returns, estimates, ".", color=AVERAGE, ms=3, alpha=0.5)
        axes.set_title(task, fontsize=SMALL + 1)
        axes.locator_params(nbins=4)
        axes.tick_params(labelsize=SMALL)
        axes.grid(alpha=0.3)
    figure.supxlabel("discounted return that followed", fontsize="medium")
    figure.supylabel("estimate Q(s, a)", fontsize="medium")
    figure.suptitle("Estimated values against returns, noise-free episodes; on the gray line they are equal")
    save(figure, plot_path)


def draw_success(path: Path, plot_path: Path) -> None:
    """Draw a panel per task: the success rate of each seed as a thin line, their mean as a thick one."""
    from ddpg.storage.figures import AVERAGE, EPISODE, finish, new_figure, panels

    runs: dict[str, dict[str, dict[str, list[tuple[float, float]]]]] = {}
    for row in read_rows(path):
        seeds = runs.setdefault(row["task"], {}).setdefault(row["hindsight_goals"], {})
        seeds.setdefault(row["seed"], []).append((float(row["steps"]), float(row["success_rate"])))
    figure = new_figure(3.6 * -(-len(runs) // 3))
    for axes, (task, kinds) in zip(panels(figure, len(runs)), runs.items(), strict=True):
        for goals, seeds in kinds.items():
            color = EPISODE if goals == "0" else AVERAGE
            name = "without hindsight" if goals == "0" else f"hindsight, {goals} goals"
            draw_seeds(axes, list(seeds.values()), color, name if task == next(iter(runs)) else None)
        counts = " and ".join(str(len(seeds)) for seeds in kinds.values())
        axes.set_title(f"{task}, {counts} seeds", fontsize="medium")
        axes.set_xlabel("environment steps")
        axes.set_ylabel("success of noise-free episodes")
        axes.set_ylim(-0.03, 1.03)
        axes.grid(alpha=0.3)
    figure.suptitle("Sparse goals, preset goals: thin lines are seeds, thick lines their means", fontsize="medium")
    finish(figure, plot_path)


def draw_starts(path: Path, plot_path: Path) -> None:
    """Draw a panel per task: runs by what they start with, and the controller of the log, if there is one."""
    from ddpg.storage.figures import AVERAGE, EPISODE, EVALUATION, finish, new_figure, panels

    rows = read_rows(path)
    tasks, starts = (list(dict.fromkeys(row[name] for row in rows)) for name in ("task", "start"))
    others = [start for start in starts if start != "from nothing"]
    colors = dict(zip(["from nothing", *others], (EPISODE, AVERAGE, EVALUATION), strict=False))
    figure = new_figure(3.8)
    for axes, task in zip(panels(figure, len(tasks)), tasks, strict=True):
        own = [row for row in rows if row["task"] == task]
        label = (lambda name: name) if task == tasks[0] else (lambda name: None)
        for start, color in colors.items():
            seeds: dict[str, list[tuple[float, float]]] = {}
            for row in (row for row in own if row["start"] == start):
                seeds.setdefault(row["seed"], []).append((float(row["steps"]), float(row["mean"])))
            if seeds:
                draw_seeds(axes, list(seeds.values()), color, label(start))
        if "controller" in own[0]:
            level = np.mean([float(row["controller"]) for row in own])
            axes.axhline(level, color="black", ls="--", lw=1, label=label("the log's controller"))
        axes.set_title(f"{task}, {len({row['seed'] for row in own})} seeds", fontsize="medium")
        axes.set_xlabel("environment steps")
        axes.set_ylabel("return of noise-free episodes")
    figure.suptitle("What runs start with: thin lines are seeds, thick lines their means", fontsize="medium")
    finish(figure, plot_path)


def draw_seeds(axes: Any, curves: list[list[tuple[float, float]]], color: str, label: str | None) -> None:
    """Draw (steps, value) of each seed as a thin line, and their mean as a thick one, as far as all of them go."""
    points = min(map(len, curves))
    steps, values = np.moveaxis(np.array([curve[:points] for curve in curves]), -1, 0)
    axes.plot(steps.T, values.T, color=color, lw=0.8, alpha=0.5)
    axes.plot(steps.mean(axis=0), values.mean(axis=0), color=color, lw=2, label=label)


def draw_episode(path: Path, plot_path: Path) -> None:
    """Draw an episode of a point: with the goal that it missed, and with those that it is stored again with."""
    from ddpg.storage.figures import AVERAGE, EPISODE, EVALUATION, new_figure, save

    rows = read_rows(path)
    steps = np.array([[float(row[name]) for name in "xy"] for row in rows if row["stored"] == "as it was"])
    walk = np.vstack([[0, 0], steps]).T
    figure = new_figure(5.2)
    sides = zip(
        figure.subplots(1, 2),
        ("as it was", "again"),
        ("The episode, with the goal that it missed", "The same episode with goals that it reached later"),
        strict=True,
    )
    for axes, stored, title in sides:
        axes.plot(*walk, ".-", color=EPISODE, lw=1, ms=4, label="the way of the point, from the center")
        for reward, color, answer, size in (("-1", EVALUATION, "not reached", 6), ("0", AVERAGE, "reached", 9)):
            some = [row for row in rows if row["stored"] == stored and row["reward"] == reward]
            if some:
                x, y = ([float(row[name]) for row in some] for name in ("goal_x", "goal_y"))
                text = f"{len(some)} rows: the goal is {answer} by the step, reward {reward}"
                axes.plot(x, y, "x", color=color, ms=size, mew=1.5, label=text, zorder=1 if reward == "-1" else 2)
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel("x")
        axes.set_ylabel("y")
        axes.set_aspect("equal", adjustable="datalim")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False)
    save(figure, plot_path)
