"""How well it learns: train and evaluate several seeds through the two command lines.

    python benchmarks/learning.py --env Pendulum-v1 --steps 10000 --seeds 10 --episodes 1000 --evaluate-every 1000

This command takes about three minutes on two cores. It writes results/learning-NAME.csv (a row per seed),
plots/learning-NAME.csv (the evaluations of each seed during training) and plots/learning-NAME.png, where NAME is the
task, and the preset if it is not "blog". Further flags are passed to `train.py`. An interrupted benchmark continues
where it stopped; run folders and tables made with other settings are never reused or overwritten.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from output import ROOT, add_output_flag, parser_for, read_csv, write_csv
from training_runs import TrainingRun, parse_with_train_flags, run_all


def main() -> None:
    arguments, train_flags = parse()
    name = arguments.name or arguments.env + ("" if arguments.preset == "blog" else f"-{arguments.preset}")
    flags = ("--preset", arguments.preset, *train_flags)
    shared = {"steps": arguments.steps, "episodes": arguments.episodes, "flags": " ".join(flags)}
    results = arguments.out.results / f"learning-{name}.csv"
    refuse_other_results(results, shared)
    runs = [
        TrainingRun(
            arguments.folder / name / f"seed{seed}", arguments.env, seed, arguments.steps, flags, arguments.episodes
        )
        for seed in range(arguments.seeds)
    ]
    run_all(runs, arguments.jobs, "choose another --name")

    rows = [{"seed": run.seed} | run.statistics() | shared for run in runs]
    for row in rows:
        print(f"seed {row['seed']:2}  mean {row['mean']:9.1f}  std {row['std']:8.1f}  median {row['median']:9.1f}")
    means = [row["mean"] for row in rows]
    print(f"mean over seeds {np.mean(means):.1f}, worst {min(means):.1f}, best {max(means):.1f}")
    write_csv(results, rows)
    curves = arguments.out.plots / f"learning-{name}.csv"
    write_csv(curves, [point for run in runs for point in run.curve()])
    if len(runs) > 1:  # a band needs two seeds
        sys.path.insert(0, str(ROOT))
        from ddpg.run.plotting import draw_seeds

        draw_seeds(curves, curves.with_suffix(".png"))


def parse() -> tuple[argparse.Namespace, list[str]]:
    """Return the arguments, and the flags for `train.py`."""
    parser = parser_for(__doc__)
    parser.add_argument("--env", default="Pendulum-v1", help="Gymnasium id (default: Pendulum-v1)")
    parser.add_argument("--preset", default="blog", help="settings to start from (default: blog)")
    parser.add_argument("--name", help="name of the results and run folders (default: the task, and the preset)")
    parser.add_argument("--steps", type=int, default=10_000, help="environment steps of each run (default: 10000)")
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds, from 0 on (default: 10)")
    parser.add_argument("--episodes", type=int, default=1_000, help="evaluation episodes of each run (default: 1000)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "learning", help="folder of the runs")
    add_output_flag(parser)
    return parse_with_train_flags(parser)


def refuse_other_results(results: Path, asked: dict[str, Any]) -> None:
    """Refuse to overwrite a table that was measured with other settings."""
    if not results.exists():
        return
    measured = read_csv(results)[0]
    other = [name for name, value in asked.items() if sorted(measured[name].split()) != sorted(str(value).split())]
    if other:
        found = ", ".join(f"{name} {measured[name]!r} instead of {str(asked[name])!r}" for name in other)
        raise SystemExit(f"{results} was measured with {found}; choose another --name, or delete that file")


if __name__ == "__main__":
    main()
