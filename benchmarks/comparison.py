"""Variants of the algorithm, each trained on several tasks with several seeds: a table, curves and a picture."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from output import ROOT, add_output_flag, parser_for, read_csv, write_csv
from patches import Patch, patched_copy
from pictures import draw_comparison
from training_runs import TrainingRun, run_all


@dataclass(frozen=True)
class Variant:
    """A changed algorithm: its name, flags for `train.py`, and patches for a copy of the code."""

    name: str
    flags: tuple[str, ...] = ()
    patches: tuple[Patch, ...] = ()

    @property
    def folder(self) -> str:
        """The name of the variant's folders."""
        return self.name.replace(" ", "-")


Cell = tuple[Variant, str, int]  # a variant, a task, and the steps of each run


def main(description: str | None, name: str, cells: list[Cell]) -> Path | None:
    """Train and evaluate every cell, and write the table, the curves and the picture.

    Args:
        description: For the help.
        name: Names the files and the folder of the runs.
        cells: What to compare.

    Returns:
        The folder of the tables, or None if only the patches were to be checked.
    """
    arguments = parse(description, name)
    code = {
        variant: patched_copy(arguments.folder / "code" / variant.folder, variant.patches) if variant.patches else ROOT
        for variant, *_ in cells
    }
    if arguments.check_patches:
        return None
    flags = ("--evaluate-every", str(arguments.evaluate_every))
    runs = []
    for variant, task, steps in cells:
        for seed in range(arguments.seeds):
            folder = arguments.folder / task / variant.folder / f"seed{seed}"
            run = TrainingRun(folder, task, seed, steps, flags + variant.flags, code=code[variant])
            runs.append(({"task": task, "variant": variant.name}, run))
    run_all([run for _, run in runs], arguments.jobs)

    results, curves = arguments.out.results / f"{name}.csv", arguments.out.plots / f"{name}.csv"
    write_csv(results, [result(key, run) for key, run in runs])
    write_csv(curves, [key | point for key, run in runs for point in run.curve()])
    if arguments.seeds > 1:  # a band needs two seeds
        draw_comparison(curves, curves.with_suffix(".png"))
    print_table(results)
    return arguments.out.results


def parse(description: str | None, name: str) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = parser_for(description)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on (default: 5)")
    parser.add_argument("--evaluate-every", type=int, default=1_000, help="steps between two points of a curve")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / name, help="folder of the runs")
    parser.add_argument("--check-patches", action="store_true", help="make the patched copies of the code and stop")
    add_output_flag(parser)
    return parser.parse_args()


def result(key: dict[str, Any], run: TrainingRun) -> dict[str, Any]:
    """Return a row of the table: how good a run was at the end, and in the last third of its evaluations."""
    curve = [float(point["mean"]) for point in run.curve()]
    late = float(np.mean(curve[-(len(curve) // 3) :]))
    last = read_csv(run.folder / "episodes.csv")[-1]
    speed = round(int(last["steps"]) / float(last["seconds"]))
    final = run.statistics()["mean"]
    return key | {"seed": run.seed, "steps": run.steps, "final": final, "late": late, "steps_per_second": speed}


def print_table(results: Path) -> None:
    """Print the late returns: their mean over the seeds and its 95 % interval, a row per variant, a column per task."""
    from scipy import stats

    rows = read_csv(results)
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    print(f"| variant | {' | '.join(tasks)} |\n|---|{'---|' * len(tasks)}")
    for variant in dict.fromkeys(row["variant"] for row in rows):
        cells = []
        for task in tasks:
            late = [float(row["late"]) for row in rows if (row["task"], row["variant"]) == (task, variant)]
            count = len(late)
            half = stats.t.ppf(0.975, count - 1) * np.std(late, ddof=1) / count**0.5 if count > 1 else np.nan
            cells.append(f"{np.mean(late):.0f} ± {half:.0f}" if late else "")
        print(f"| {variant} | {' | '.join(cells)} |")
