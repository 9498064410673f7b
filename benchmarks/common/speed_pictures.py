"""The pictures of what was timed, each drawn from a CSV file."""

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


def draw_times(path: Path, plot_path: Path) -> None:
    """Draw a panel per task: the mean of each evaluation against the minutes of training, a line per run."""
    from ddpg.storage.figures import finish, new_figure, panels

    runs: dict[str, dict[tuple[str, str], list[tuple[float, float]]]] = {}
    for row in read_rows(path):
        run = runs.setdefault(row["task"], {}).setdefault((row["contender"], row["seed"]), [])
        run.append((float(row["seconds"]) / 60, float(row["mean"])))
    figure = new_figure(4.2)
    labels: set[str] = set()
    for axes, (task, curves) in zip(panels(figure, len(runs)), runs.items(), strict=True):
        for (name, _), points in curves.items():
            label, color = CONTENDERS[name]
            axes.plot(*zip(*points, strict=True), color=color, lw=1.2, label=None if label in labels else label)
            axes.plot(*points[-1], color=color, marker="o", ms=4)
            labels.add(label)
        seeds = len({seed for _, seed in curves})
        axes.set_title(f"{task}, {seeds} seeds", fontsize="medium")
        axes.set_xlabel("minutes of training")
        axes.set_ylabel("return of ten noise-free episodes")
    figure.suptitle("Until three evaluations in a row are good enough (dots)", fontsize="medium")
    finish(figure, plot_path)
