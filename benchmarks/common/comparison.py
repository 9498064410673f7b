"""Variants of the algorithm, each trained on several tasks with several seeds: a table, curves and a picture."""

import argparse
import json
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.patches import Patch, patched_copy
from benchmarks.common.pictures import draw_variants
from benchmarks.common.sweeps import PatchedJob, add_sweep_flags, carry_out, curve
from ddpg.command.presets import PRESETS
from ddpg.compare.statistics import bootstrap_interval, interquartile_mean
from ddpg.config import Config
from ddpg.storage.csv_files import read_rows


@dataclass(frozen=True)
class Variant:
    """A changed algorithm: its name, the settings that differ, and patches for a copy of the code."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()

    @property
    def folder(self) -> str:
        """The name of the variant's folders."""
        return self.name.replace(" ", "-")


BASE = replace(PRESETS["blog"], evaluate_every=1_000)
Cell = tuple[Variant, str, int]  # a variant, a task, and the steps of each run


def main(
    description: str | None,
    name: str,
    cells: list[Cell],
    base: Config = BASE,
    seeds: int = 5,
) -> Path | None:
    """Train and test every cell, and write the table, the curves and the picture.

    Args:
        description: For the help.
        name: Names the files and the folder of the runs.
        cells: What to compare.
        base: The settings that a variant changes.
        seeds: How many seeds.

    Returns:
        The folder of the study, or None if only the patches were to be checked.
    """
    arguments = parse(description, name, base.evaluate_every, seeds)
    patches = {variant.name: variant.patches for variant, *_ in cells if variant.patches}
    if arguments.check_patches:
        with tempfile.TemporaryDirectory() as scratch:
            for variant, own in patches.items():
                patched_copy(Path(scratch, variant), own)
        return None
    folder = arguments.folder.absolute()
    base = replace(base, evaluate_every=arguments.evaluate_every, threads=1)
    runs = runs_of(cells, base, arguments.seeds, folder)
    carry_out(folder, [job for _, job in runs], {"patches": patches}, arguments.jobs, may_diverge=True)

    study = arguments.out / name
    results, curves = study / "table.csv", study / "curves.csv"
    write_csv(results, [result(key, job) for key, job in runs])
    write_csv(curves, [key | point for key, job in runs for point in curve(job)])
    if arguments.seeds > 1:  # a band needs two seeds
        draw_variants(curves, study / "picture.png")
    print_table(results)
    return study


def runs_of(cells: list[Cell], base: Config, seeds: int, folder: Path) -> list[tuple[dict[str, Any], PatchedJob]]:
    """Return the runs of all cells, each after the columns that name its task and variant in the tables."""
    return [
        (
            {"task": task, "variant": variant.name},
            PatchedJob(
                folder / task / variant.folder / f"seed{seed}",
                replace(base, env=task, seed=seed, steps=steps, **variant.settings),
                patches=variant.patches,
            ),
        )
        for variant, task, steps in cells
        for seed in range(seeds)
    ]


def parse(description: str | None, name: str, evaluate_every: int, seeds: int) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = parser_for(description)
    parser.add_argument(
        "--evaluate-every",
        type=int,
        default=evaluate_every,
        help=f"steps between two points of a curve (default: {evaluate_every})",
    )
    parser.add_argument("--check-patches", action="store_true", help="make the patched copies of the code and stop")
    add_sweep_flags(parser, name, seeds)
    add_output_flag(parser)
    return parser.parse_args()


def result(key: dict[str, Any], job: PatchedJob) -> dict[str, Any]:
    """Return a row of the table: how good a run was at the end, and in the last third of its evaluations.

    There is no end if the networks diverged.
    """
    scores = [float(point["mean"]) for point in curve(job)]
    late = float(np.mean(scores[-(len(scores) // 3) :]))
    last = read_rows(job.folder / "episodes.csv")[-1]
    speed = round(int(last["steps"]) / float(last["seconds"]))
    test = job.folder / "test.json"
    final = json.loads(test.read_text(encoding="utf-8"))["results"]["mean"] if test.exists() else ""
    own = {"seed": job.config.seed, "steps": job.config.steps}
    return key | own | {"final": final, "late": late, "steps_per_second": speed}


def print_table(results: Path) -> None:
    """Print the interquartile means of the late returns and their 95 % intervals: variants by tasks."""
    rows = read_rows(results)
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    print(f"| variant | {' | '.join(tasks)} |\n|---|{'---|' * len(tasks)}")
    for variant in dict.fromkeys(row["variant"] for row in rows):
        some = [[float(r["late"]) for r in rows if (r["task"], r["variant"]) == (task, variant)] for task in tasks]
        print(f"| {variant} | {' | '.join(cell(np.array(late)) for late in some)} |")


def cell(late: np.ndarray) -> str:
    """Return an interquartile mean and its interval, such as "-150 [-155, -148]"; "" if there are no runs."""
    if not len(late):
        return ""
    interval = bootstrap_interval([late])
    return f"{interquartile_mean(late):.0f}" + (f" [{interval[0]:.0f}, {interval[1]:.0f}]" if interval else "")
