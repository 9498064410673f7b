"""The pictures of the studies, each drawn from a CSV file."""

from pathlib import Path

import numpy as np

from ddpg.storage.csv_files import read_rows

# The contenders of speed.py: their labels and colors (Okabe and Ito's, which color-blind readers can tell apart).
CONTENDERS = {
    "ours": ("this project", "#0072b2"),
    "sb3": ("Stable-Baselines3", "#e69f00"),
    "sbx": ("SBX", "#009e73"),
    "post": ("the post's update", "#cc79a7"),
    "numpy": ("NumPy, arithmetic alone", "#bbbbbb"),
}


VARIANTS_IN_A_ROW = 4


def draw_variants(path: Path, plot_path: Path) -> None:
    """Draw a row of panels per task: in each one a variant over the first variant in gray, with 95 % bands."""
    from ddpg.compare.compare import RANGE_SEEDS, compare
    from ddpg.compare.curves import read_curves
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
            axes.set_title(variant.setting, fontsize=SMALL)
            axes.tick_params(labelsize=SMALL)
            axes.locator_params(nbins=3)
        part.supylabel(f"{task}: return", fontsize=SMALL + 1)
        part.supxlabel("environment steps", fontsize=SMALL + 1)
    seeds = summaries[0].seeds
    band = "range" if seeds <= RANGE_SEEDS else "95 % bootstrap band"
    title = f"Noise-free evaluations while training: interquartile mean of {seeds} seeds, {band}"
    figure.suptitle(title, fontsize="medium")
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


def draw_speeds(path: Path, plot_path: Path) -> None:
    """Draw a panel per task and minibatch: a bar for the median speed of each contender and update schedule."""
    from ddpg.storage.figures import SMALL, new_figure, save

    speeds: dict[tuple[str, str], dict[tuple[str, str], list[float]]] = {}
    for row in read_rows(path):
        panel = speeds.setdefault((row["batch_size"], row["task"]), {})
        panel.setdefault((row["updates"], row["contender"]), []).append(float(row["steps_per_second"]))
    batch_sizes, tasks = (list(dict.fromkeys(column)) for column in zip(*speeds, strict=True))
    figure = new_figure(2.5 * len(tasks) + 0.8)
    grid = figure.subplots(len(tasks), len(batch_sizes), squeeze=False)
    for (batch_size, task), panel in speeds.items():
        axes = grid[tasks.index(task), batch_sizes.index(batch_size)]
        schedules = list(dict.fromkeys(updates for updates, _ in panel))
        for place, (name, (label, color)) in enumerate(CONTENDERS.items()):
            for group, updates in enumerate(schedules):
                if (updates, name) not in panel:
                    continue
                middle = float(np.median(panel[updates, name]))
                bar = axes.bar(group + 0.17 * (place - 2), middle, 0.16, color=color, label=None if group else label)
                axes.bar_label(bar, fmt="{:,.0f}", fontsize=SMALL)
        axes.set_xticks(range(len(schedules)), [f"{updates} every {updates}" for updates in schedules])
        axes.set_title(f"{task}, minibatch {batch_size}", fontsize="medium")
        axes.tick_params(labelsize=SMALL)
        axes.margins(y=0.15)  # for the numbers over the bars
    for axes in grid[-1]:
        axes.set_xlabel("updates after environment steps")
    figure.supylabel("environment steps/s", fontsize="medium")
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize="small")
    rounds = [len(values) for panel in speeds.values() for values in panel.values()]
    some = f"{min(rounds)} to {max(rounds)}" if min(rounds) < max(rounds) else rounds[0]
    figure.suptitle(f"Training speed, networks of 400 and 300 units: medians of {some} rounds in turn")
    save(figure, plot_path)


def draw_simulators(path: Path, plot_path: Path) -> None:
    """Draw steps per second against the number of simulators: a line per speed of the simulator and update schedule."""
    from matplotlib.figure import Figure

    from ddpg.storage.figures import finish

    lines: dict[tuple[float, int], dict[int, list[float]]] = {}
    for row in read_rows(path):
        line = lines.setdefault((float(row["milliseconds"]), int(row["train_frequency"])), {})
        line.setdefault(int(row["simulators"]), []).append(float(row["steps_per_second"]))
    figure = Figure(figsize=(9, 4.4), dpi=110, layout="constrained")
    colors = dict(zip(sorted({key[0] for key in lines}), ("#0072b2", "#e69f00", "#009e73"), strict=True))
    for axes, frequency in zip(figure.subplots(1, 2, sharey=True), sorted({key[1] for key in lines}), strict=True):
        for milliseconds, color in colors.items():
            medians = {count: np.median(speeds) for count, speeds in lines[milliseconds, frequency].items()}
            alone = medians.pop(0)
            label = f"{milliseconds:g} ms a step" if frequency == 1 else None
            axes.plot(list(medians), list(medians.values()), color=color, marker="o", ms=4, label=label)
            axes.axhline(alone, color=color, ls=":", lw=1)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
        axes.set_xlabel("simulators (dotted: one, in turn with the updates)")
        axes.set_title("an update for each step" if frequency == 1 else f"an update for every {frequency} steps")
    figure.axes[0].set_ylabel("environment steps/s")
    finish(figure, plot_path)


def draw_scaling(path: Path, plot_path: Path) -> None:
    """Draw a panel per axis: the measurements of all rounds over the size, and their medians as a line."""
    from matplotlib.ticker import StrMethodFormatter

    from ddpg.storage.figures import AVERAGE, EPISODE, SMALL, new_figure, panels, save

    measured_at: dict[tuple[str, str], dict[int, list[float]]] = {}
    for row in read_rows(path):
        sizes = measured_at.setdefault((row["axis"], row["quantity"]), {})
        sizes.setdefault(int(row["size"]), []).append(float(row["measured"]))
    figure = new_figure(2.9 * -(-len(measured_at) // 2))
    for axes, ((axis, quantity), sizes) in zip(panels(figure, len(measured_at), 2), measured_at.items(), strict=True):
        for size, measured in sizes.items():
            axes.plot([size] * len(measured), measured, ".", color=EPISODE)
        axes.plot(list(sizes), [np.median(measured) for measured in sizes.values()], color=AVERAGE, marker="o", ms=4)
        axes.set_xscale("log")
        every = [value for measured in sizes.values() for value in measured]
        if max(every) > 5 * min(every):
            axes.set_yscale("log")  # a cost that grows with the size is a straight line
        else:
            axes.set_ylim(bottom=0)
        for each in (axes.xaxis, axes.yaxis):
            each.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        axes.tick_params(labelsize=SMALL)
        axes.set_xlabel(axis)
        axes.set_ylabel(quantity)
        axes.grid(alpha=0.3)
    figure.suptitle(
        "Costs against sizes, one at a time, from networks of 400 and 300 units and minibatches of 64",
        fontsize="medium",
    )
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
            points = min(map(len, seeds.values()))
            steps, rates = np.moveaxis(np.array([curve[:points] for curve in seeds.values()]), -1, 0)
            axes.plot(steps.T, rates.T, color=color, lw=0.8, alpha=0.5)
            axes.plot(
                steps.mean(axis=0),
                rates.mean(axis=0),
                color=color,
                lw=2,
                label=name if task == next(iter(runs)) else None,
            )
        counts = " and ".join(str(len(seeds)) for seeds in kinds.values())
        axes.set_title(f"{task}, {counts} seeds", fontsize="medium")
        axes.set_xlabel("environment steps")
        axes.set_ylabel("success of noise-free episodes")
        axes.set_ylim(-0.03, 1.03)
        axes.grid(alpha=0.3)
    figure.suptitle("Sparse goals: thin lines are seeds, thick lines their means", fontsize="medium")
    finish(figure, plot_path)


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
        axes.set_aspect("equal", adjustable="datalim")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.06), frameon=False)
    save(figure, plot_path)
