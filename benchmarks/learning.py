"""How well it learns: train and evaluate some seeds through the two command lines, and write one CSV row per seed.

    python benchmarks/learning.py --env Pendulum-v1 --steps 10000 --seeds 10 --episodes 1000 --evaluate-every 1000

It writes benchmarks/results/learning-NAME.csv (a row per seed), plots/learning-NAME.csv (the evaluations of each seed
while it trained) and plots/learning-NAME.png, where NAME is the task, and the preset if it is not "blog".  Further
flags go to `train.py` as they are.  An interrupted measurement goes on where it stopped.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from runs import ROOT, Job, carry_out, write_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="Pendulum-v1", help="Gymnasium id")
    parser.add_argument("--preset", default="blog", help="settings to start from")
    parser.add_argument("--name", help="of the results (default: the task, and the preset)")
    parser.add_argument("--steps", type=int, default=10_000, help="environment steps of each run")
    parser.add_argument("--seeds", type=int, default=10, help="seeds 0 to N - 1")
    parser.add_argument("--episodes", type=int, default=1_000, help="noise-free episodes to evaluate each over")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at a time")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "learning", help="for the runs")
    arguments, train_flags = parser.parse_known_args()
    name = arguments.name or arguments.env + ("" if arguments.preset == "blog" else f"-{arguments.preset}")

    flags = ("--preset", arguments.preset, *train_flags)
    folder = arguments.folder / name
    jobs = [
        Job(folder / f"seed{seed}", arguments.env, seed, arguments.steps, flags, arguments.episodes)
        for seed in range(arguments.seeds)
    ]
    carry_out(jobs, arguments.jobs)
    shared = {"steps": arguments.steps, "episodes": arguments.episodes, "flags": " ".join(flags)}
    rows = [{"seed": job.seed} | job.figures() | shared for job in jobs]
    for row in rows:
        print(f"seed {row['seed']:2}  mean {row['mean']:9.1f}  std {row['std']:8.1f}  median {row['median']:9.1f}")
    means = [row["mean"] for row in rows]
    print(f"mean over seeds {np.mean(means):.1f}, worst {min(means):.1f}, best {max(means):.1f}")

    write_csv(ROOT / "benchmarks" / "results" / f"learning-{name}.csv", rows)
    curves = ROOT / "plots" / f"learning-{name}.csv"
    write_csv(curves, [point for job in jobs for point in job.curve()])
    sys.path.insert(0, str(ROOT))
    from ddpg.plotting import draw_seeds

    draw_seeds(curves, curves.with_suffix(".png"))


if __name__ == "__main__":
    main()
