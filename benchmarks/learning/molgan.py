"""What MolGAN generates at each weight of the objective, and with two options of the original: several seeds of each.

    python -m benchmarks.learning.molgan --data qm9_5k.smi    # about 90 minutes on two cores

It writes results/molgan: two rows per run, of the best generator and of the last one, and a picture. An interrupted
benchmark continues where it stopped; run folders made with other settings or other data are never reused.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.molgan_plot import draw_tradeoff
from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.sweeps import add_sweep_flags, carry_out
from ddpg.molgan.config import MolGANConfig, with_schedule
from ddpg.storage.csv_files import read_rows
from ddpg.sweep.jobs import MolGANJob

# 12 to 13 minutes on one core instead of 6 to 8
OBJECTIVE_FIRST = {
    "rl_weight": 0.95,
    "epochs": 600,
    "rl_start": 90,
    "rl_full": 300,
    "min_unique": 0.001,
    "sampling_noise": 0.0,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "λ = 1": {"rl_weight": 0.0},
    "λ = 0.5": {"rl_weight": 0.5},
    "λ = 0.2": {"rl_weight": 0.8},
    "λ = 0.1": {"rl_weight": 0.9},
    "λ = 0": {"rl_weight": 1.0},
    "objective first": OBJECTIVE_FIRST,
    "λ = 0.5, ratio": {"rl_weight": 0.5, "ratio": True},
    "λ = 1, features": {"rl_weight": 0.0, "imitation": "features"},
}
SHOWN = ("valid", "likeliest_valid", "likeliest_molgan_valid", "unique", "novel", "objective")


def rows_of(job: MolGANJob, variant: str) -> list[dict[str, Any]]:
    """Return the rows of the table: the best generator's and the last one's."""
    tests = json.loads((job.folder / "test.json").read_text(encoding="utf-8"))["results"]
    shared = {"variant": variant, "rl_weight": job.config.rl_weight, "seed": job.config.seed} | training(job)
    return [shared | {"generator": which} | tests[which] for which in ("best", "last")]


def training(job: MolGANJob) -> dict[str, float]:
    """Return the duration, how well the reward network knew the rewards at the end, and equation 7's ratios."""
    epochs = [{name: float(value) for name, value in row.items()} for row in read_rows(job.folder / "epochs.csv")]
    ratios = [
        abs(row["imitation_loss"] / row["predicted_reward"])
        for row in epochs
        if row["rl_weight"] or not epochs[-1]["rl_weight"]
    ]
    predicted, reward, loss = (
        float(np.mean([row[name] for row in epochs[-10:]])) for name in ("predicted_reward", "reward", "reward_loss")
    )
    return {
        "train_seconds": epochs[-1]["seconds"],
        "predicted_reward": predicted,
        "reward": reward,
        "reward_error": loss**0.5,
        "least_ratio": min(ratios),
        "greatest_ratio": max(ratios),
    }


def main() -> None:
    arguments = parse()
    data = arguments.data.resolve()
    jobs = {}
    for variant in arguments.variants:
        for seed in range(arguments.seeds):
            folder = f"{variant.replace('λ', 'lambda').replace(' ', '')}-seed{seed}"
            config = MolGANConfig(**with_schedule({"seed": seed, "threads": 1} | VARIANTS[variant]))
            jobs[variant, seed] = MolGANJob(arguments.folder.absolute() / folder, config, data, arguments.samples)
    extra = {"data": hashlib.sha256(data.read_bytes()).hexdigest()}
    carry_out(arguments.folder.absolute(), list(jobs.values()), extra, arguments.jobs, "update")

    rows = [row for (variant, _), job in jobs.items() for row in rows_of(job, variant)]
    table = arguments.out / "molgan" / "table.csv"
    write_csv(table, rows)
    print_table(rows, arguments.variants)
    draw_tradeoff(table, table.with_name("picture.png"))


def parse() -> argparse.Namespace:
    """Return the arguments."""
    parser = parser_for(__doc__)
    parser.add_argument("--data", type=Path, required=True, help=".smi, .csv or .sdf file of molecules")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="default: all")
    parser.add_argument(
        "--samples", type=int, default=6_400, help="graphs to measure each generator by (default: 6400)"
    )
    add_sweep_flags(parser, "molgan-benchmark", seeds=3)
    add_output_flag(parser)
    return parser.parse_args()


def print_table(rows: Sequence[dict[str, Any]], variants: Sequence[str]) -> None:
    """Print the means over the seeds, a row per variant and generator."""
    print(f"{'':16}  {'generator':9}  " + "  ".join(f"{name:>22}" for name in SHOWN))
    for variant in variants:
        for which in ("best", "last"):
            some = [row for row in rows if (row["variant"], row["generator"]) == (variant, which)]
            means = "  ".join(f"{np.mean([row[name] for row in some]):22.3f}" for name in SHOWN)
            print(f"{variant:16}  {which:9}  {means}")


if __name__ == "__main__":
    main()
