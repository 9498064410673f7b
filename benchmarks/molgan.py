"""What MolGAN makes at each weight of the objective, and with the original's two oddities: some seeds of each.

    python benchmarks/molgan.py --data qm9_5k.smi

It trains and evaluates through MolGAN's command line, and writes plots/molgan.csv (two rows per run: the kept generator
and the last one) and plots/molgan.png.  An interrupted measurement goes on where it stopped;
for other data or other flags name another --folder.
"""

import argparse
import csv
import json
import shutil
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from runs import ROOT, carry_out, write_csv
from tradeoff import draw_tradeoff


class Variant(NamedTuple):
    """What is asked for."""

    rl_weight: float  # of the objective, 1 - λ
    flags: tuple[str, ...] = ()


# 12 to 13 minutes on one core instead of 6 to 8
OBJECTIVE_FIRST = (
    *("--epochs", "600", "--rl-start", "90", "--rl-full", "300"),
    *("--least-unique", "0.001", "--sampling-noise", "0"),
)
VARIANTS = {
    "λ = 1": Variant(0.0),
    "λ = 0.5": Variant(0.5),
    "λ = 0.2": Variant(0.8),
    "λ = 0.1": Variant(0.9),
    "λ = 0": Variant(1.0),
    "objective first": Variant(0.95, OBJECTIVE_FIRST),
    "λ = 0.5, ratio": Variant(0.5, ("--ratio",)),
    "λ = 1, features": Variant(0.0, ("--imitation", "features")),
}
SHOWN = ("valid", "likeliest_valid", "likeliest_molgan_valid", "unique", "novel", "objective")


@dataclass(frozen=True)
class Training:
    """One run of MolGAN: its folder, the data's file, the flags of `train`, and how many graphs it is measured by."""

    folder: Path
    data: Path
    flags: tuple[str, ...]
    samples: int

    @property
    def evaluation(self) -> Path:
        """The file with what `evaluate --json` printed of the kept generator and of the last one."""
        return self.folder / "evaluation.json"

    def carry_out(self) -> int:
        """Train and evaluate, here and now, on one core; return the exit code."""
        sys.path.insert(0, str(ROOT))
        import tensorflow as tf

        from ddpg.molgan.__main__ import main

        tf.config.threading.set_intra_op_parallelism_threads(1)
        begun = any(self.folder.glob("checkpoints/step-*/manifest.json"))
        if not begun:
            shutil.rmtree(self.folder, ignore_errors=True)  # killed before there was anything to go on from
        new = ["--run-dir", self.folder, "--data", self.data, *self.flags]
        place = ["--resume", self.folder] if begun else new
        if code := main(["train", *map(str, [*place, "--no-progress", "--plot-dir", self.folder.parent])]):
            return code
        last = sorted(self.folder.glob("checkpoints/step-*"))[-1]
        figures = {}
        for which, checkpoint in (("best", self.folder), ("last", last)):
            with redirect_stdout(StringIO()) as printed:
                wanted = ["--checkpoint", checkpoint, "--samples", self.samples, "--json"]
                if code := main(["evaluate", *map(str, wanted)]):
                    return code
            figures[which] = json.loads(printed.getvalue())
        self.evaluation.write_text(json.dumps(figures))
        return 0

    def rows(self, variant: str, rl_weight: float, seed: int) -> list[dict]:
        """Return what was measured: a row for the kept generator, and one for the last."""
        figures = json.loads(self.evaluation.read_text())
        whose = {"variant": variant, "rl_weight": rl_weight, "seed": seed} | self.learned()
        return [whose | {"generator": which} | figures[which] for which in ("best", "last")]

    def learned(self) -> dict[str, float]:
        """Return how long it took, how well the reward network knew the rewards in the end, and equation 7's ratios."""
        with (self.folder / "epochs.csv").open(newline="") as file:
            epochs = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
        ratios = [
            abs(row["imitation"] / row["value"]) for row in epochs if row["rl_weight"] or not epochs[-1]["rl_weight"]
        ]
        ends = {
            name: float(np.mean([row[name] for row in epochs[-10:]])) for name in ("value", "reward", "reward_loss")
        }
        return {
            "train_seconds": epochs[-1]["seconds"],
            "predicted_reward": ends["value"],
            "reward": ends["reward"],
            "reward_error": ends["reward_loss"] ** 0.5,
            "least_ratio": min(ratios),
            "greatest_ratio": max(ratios),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help=".smi, .csv or .sdf file of molecules")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="default: all")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 to N - 1")
    parser.add_argument("--samples", type=int, default=6_400, help="graphs that each generator is measured by")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one core")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "molgan-benchmark", help="for the runs")
    arguments, train_flags = parser.parse_known_args()

    jobs = {}
    for variant in arguments.variants:
        rl_weight, flags = VARIANTS[variant]
        for seed in range(arguments.seeds):
            folder = arguments.folder / f"{variant.replace('λ', 'lambda').replace(' ', '')}-seed{seed}"
            all_flags = ("--rl-weight", str(rl_weight), "--seed", str(seed), *flags, *train_flags)
            jobs[variant, rl_weight, seed] = Training(folder, arguments.data.resolve(), all_flags, arguments.samples)
    carry_out(list(jobs.values()), arguments.jobs)

    rows = [row for key, job in jobs.items() for row in job.rows(*key)]
    results = ROOT / "plots" / "molgan.csv"
    write_csv(results, rows)
    print(f"{'':16}  {'generator':9}  " + "  ".join(f"{name:>22}" for name in SHOWN))
    for variant in arguments.variants:
        for which in ("best", "last"):
            some = [row for row in rows if (row["variant"], row["generator"]) == (variant, which)]
            means = "  ".join(f"{np.mean([row[name] for row in some]):22.3f}" for name in SHOWN)
            print(f"{variant:16}  {which:9}  {means}")

    draw_tradeoff(results, results.with_suffix(".png"))


if __name__ == "__main__":
    main()
