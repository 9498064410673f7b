"""What MolGAN generates at each weight of the objective, and with two options of the original: several seeds of each.

    python benchmarks/molgan.py --data qm9_5k.smi        # about 90 minutes on two cores

It trains and evaluates through MolGAN's command line, and writes plots/molgan.csv (two rows per run: the best generator
and the last one) and plots/molgan.png. Further flags are passed to `train`. An interrupted benchmark continues where it
stopped; run folders made with other settings or other data are never reused.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from molgan_plot import draw_tradeoff
from output import ROOT, add_output_flag, parser_for, read_csv, write_csv
from training_runs import is_resumable, parse_with_train_flags, report_difference, run_all


class Variant(NamedTuple):
    """A setting of MolGAN."""

    rl_weight: float  # of the objective, 1 - λ
    flags: tuple[str, ...] = ()


# 12 to 13 minutes on one core instead of 6 to 8
OBJECTIVE_FIRST = (
    *("--epochs", "600", "--rl-start", "90", "--rl-full", "300"),
    *("--min-unique", "0.001", "--sampling-noise", "0"),
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
class MolGANRun:
    """One run of MolGAN.

    Args:
        folder: Its run folder.
        data: The file of the molecules.
        flags: The flags of `train`.
        samples: How many graphs each generator is measured by.
    """

    folder: Path
    data: Path
    flags: tuple[str, ...]
    samples: int

    @property
    def evaluation(self) -> Path:
        """The file with what `evaluate --json` printed of the best generator and of the last one."""
        return self.folder / "evaluation.json"

    def check(self) -> int:
        """Print how the run on the disk differs from this one, if it does; return the exit code, 0 if it does not."""
        sys.path.insert(0, str(ROOT))
        from ddpg.run.command_line import run_command

        asked = {"samples": self.samples}
        return run_command("ddpg.molgan", lambda: report_difference(self.folder, self.settings(), asked))

    def settings(self) -> dict[str, Any]:
        """Return every setting of the run, as `train` reads its flags."""
        from ddpg.molgan.__main__ import parse, with_schedule
        from ddpg.molgan.config import MolGANConfig
        from ddpg.run.command_line import given_settings

        given = given_settings(parse(["train", *self.flags]), MolGANConfig)
        return MolGANConfig(**with_schedule(given)).as_json()

    def run(self) -> int:
        """Train and evaluate, in this process; return the exit code."""
        sys.path.insert(0, str(ROOT))
        from ddpg.molgan.__main__ import main

        new = ["--run-dir", str(self.folder), "--data", str(self.data), *self.flags]
        flags = ["--resume", str(self.folder)] if is_resumable(self.folder) else new
        if code := main(["train", *flags, "--no-progress", "--plot-dir", str(self.folder.parent)]):
            return code
        last = sorted(self.folder.glob("checkpoints/step-*"))[-1]
        evaluations: dict[str, Any] = {"samples": self.samples}
        for which, checkpoint in (("best", self.folder), ("last", last)):
            with redirect_stdout(StringIO()) as printed:
                options = ["--checkpoint", str(checkpoint), "--samples", str(self.samples), "--json"]
                if code := main(["evaluate", *options]):
                    return code
            evaluations[which] = json.loads(printed.getvalue())
        self.evaluation.write_text(json.dumps(evaluations))
        return 0

    def rows(self, variant: str, rl_weight: float, seed: int) -> list[dict[str, Any]]:
        """Return the rows of the table: the best generator's and the last one's."""
        evaluations = json.loads(self.evaluation.read_text())
        shared = {"variant": variant, "rl_weight": rl_weight, "seed": seed} | self.training()
        return [shared | {"generator": which} | evaluations[which] for which in ("best", "last")]

    def training(self) -> dict[str, float]:
        """Return the duration, how well the reward network knew the rewards at the end, and equation 7's ratios."""
        epochs = [{name: float(value) for name, value in row.items()} for row in read_csv(self.folder / "epochs.csv")]
        ratios = [
            abs(row["imitation_loss"] / row["predicted_reward"])
            for row in epochs
            if row["rl_weight"] or not epochs[-1]["rl_weight"]
        ]
        predicted, reward, loss = (
            float(np.mean([row[name] for row in epochs[-10:]]))
            for name in ("predicted_reward", "reward", "reward_loss")
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
    arguments, train_flags = parse()
    reserve_for(arguments.folder, arguments.data)
    runs = {}
    for variant in arguments.variants:
        rl_weight, flags = VARIANTS[variant]
        for seed in range(arguments.seeds):
            folder = arguments.folder / f"{variant.replace('λ', 'lambda').replace(' ', '')}-seed{seed}"
            own = ("--rl-weight", str(rl_weight), "--seed", str(seed), "--threads", "1")
            run = MolGANRun(folder, arguments.data.resolve(), (*own, *flags, *train_flags), arguments.samples)
            runs[variant, rl_weight, seed] = run
    run_all(list(runs.values()), arguments.jobs)

    rows = [row for key, run in runs.items() for row in run.rows(*key)]
    table = arguments.out.plots / "molgan.csv"
    write_csv(table, rows)
    print_table(rows, arguments.variants)
    draw_tradeoff(table, table.with_suffix(".png"))


def parse() -> tuple[argparse.Namespace, list[str]]:
    """Return the arguments, and the flags for `train`."""
    parser = parser_for(__doc__)
    parser.add_argument("--data", type=Path, required=True, help=".smi, .csv or .sdf file of molecules")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="default: all")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0 on (default: 3)")
    parser.add_argument(
        "--samples", type=int, default=6_400, help="graphs to measure each generator by (default: 6400)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one core (default: 2)")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "molgan-benchmark", help="folder of the runs")
    add_output_flag(parser)
    return parse_with_train_flags(parser)


def reserve_for(folder: Path, data: Path) -> None:
    """Write into the folder of the runs which data they are made from; refuse one that has runs of other data."""
    record = folder / "data.json"
    content = {"file": data.name, "sha256": hashlib.sha256(data.read_bytes()).hexdigest()}
    if not record.exists():
        folder.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(content))
    made = json.loads(record.read_text())
    if made["sha256"] != content["sha256"]:
        raise SystemExit(f"{folder} has runs of other data ({made['file']}); choose another --folder, or delete it")


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
