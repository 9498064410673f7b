"""Variants of the algorithm, each trained on tasks with some seeds: a table and a picture of what a change costs."""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mistakes import Patch, patched_copy
from pictures import draw_comparison
from runs import ROOT, Job, carry_out, write_csv


@dataclass(frozen=True)
class Variant:
    """A changed algorithm: its name, flags for `train.py`, and patches for a copy of the code."""

    name: str
    flags: tuple[str, ...] = ()
    patches: tuple[Patch, ...] = ()

    @property
    def folder(self) -> str:
        """The name as a folder's name."""
        return self.name.replace(" ", "-")


def main(description: str | None, name: str, cells: list[tuple[Variant, str, int]]) -> None:
    """Train and evaluate every cell (variant, task, steps) and write the table, the curves and the picture."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0 to N - 1")
    parser.add_argument("--evaluate-every", type=int, default=1000, help="steps between the points of a curve")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / name, help="for the runs")
    arguments = parser.parse_args()

    code = {variant: ROOT for variant, *_ in cells}
    for variant in code:
        if variant.patches:
            code[variant] = patched_copy(arguments.folder / "code" / variant.folder, variant.patches)
    flags = ("--evaluate-every", str(arguments.evaluate_every))
    keyed = [
        (
            {"task": task, "variant": variant.name},
            Job(
                folder=arguments.folder / task / variant.folder / f"seed{seed}",
                env=task,
                seed=seed,
                steps=steps,
                flags=flags + variant.flags,
                code=code[variant],
            ),
        )
        for variant, task, steps in cells
        for seed in range(arguments.seeds)
    ]
    carry_out([job for _, job in keyed], arguments.jobs)
    write_csv(ROOT / "benchmarks" / "results" / f"{name}.csv", [row(key, job) for key, job in keyed])
    curves = ROOT / "plots" / f"{name}.csv"
    write_csv(curves, [key | point for key, job in keyed for point in job.curve()])
    draw_comparison(curves, curves.with_suffix(".png"))
    print_table(ROOT / "benchmarks" / "results" / f"{name}.csv")


def row(key: dict[str, Any], job: Job) -> dict[str, Any]:
    """Return one run's row: how good it was at the end, and on average over the last third of its evaluations."""
    curve = [float(point["mean"]) for point in job.curve()]
    late = float(np.mean(curve[-(len(curve) // 3) :]))
    with (job.folder / "episodes.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    speed = round(int(last["steps"]) / float(last["seconds"]))
    final = job.figures()["mean"]
    return key | {"seed": job.seed, "steps": job.steps, "final": final, "late": late, "steps_per_second": speed}


def print_table(results: Path) -> None:
    """Print the late returns: their mean over the seeds and its 95 % interval, a row per variant, a column per task."""
    from ddpg.statistics import student_t

    with results.open(newline="") as file:
        rows = list(csv.DictReader(file))
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    print(f"| variant | {' | '.join(tasks)} |\n|---|{'---|' * len(tasks)}")
    for variant in dict.fromkeys(row["variant"] for row in rows):
        cells = []
        for task in tasks:
            late = [float(row["late"]) for row in rows if (row["task"], row["variant"]) == (task, variant)]
            half = student_t(len(late) - 1) * np.std(late, ddof=1) / np.sqrt(len(late)) if len(late) > 1 else np.nan
            cells.append(f"{np.mean(late):.0f} ± {half:.0f}" if late else "")
        print(f"| {variant} | {' | '.join(cells)} |")
