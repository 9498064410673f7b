"""How well it learns: train and evaluate some seeds through the two command lines, and write one CSV row per seed.

    python benchmarks/learning.py --env Pendulum-v1 --steps 10000 --seeds 10 --episodes 1000 --evaluate-every 1000

It writes benchmarks/results/learning-ENV.csv (a row per seed), plots/learning-ENV.csv (the evaluations of each seed
while it trained) and plots/learning-ENV.png.  Further flags go to `train.py` as they are.  A seed whose run folder is
complete is not trained again, so an interrupted measurement goes on where it stopped.
"""

import argparse
import csv
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from ddpg.plotting import draw_seeds, read_columns  # noqa: E402


def measure(seed: int, arguments: argparse.Namespace, train_flags: list[str]) -> dict[str, Any]:
    """Train one seed and evaluate it, each in a process of its own; return its row of the table."""
    folder = arguments.folder / f"seed{seed}"
    if not (folder / "evaluation.json").exists():
        if folder.exists():
            length = ["--resume", str(folder)]
        else:
            length = ["--env", arguments.env, "--seed", str(seed), "--run-dir", str(folder), *train_flags]
        run("train.py", *length, "--steps", str(arguments.steps), "--no-progress", "--plot-dir", str(folder))
        checked = ["--episodes", str(arguments.episodes), "--seed", str(arguments.evaluation_seed), "--json"]
        (folder / "evaluation.json").write_text(run("evaluate.py", "--checkpoint", str(folder), *checked))
    figures = json.loads((folder / "evaluation.json").read_text())
    return {"seed": seed, **{name: figures[name] for name in ("mean", "std", "median", "min", "max")}}


def run(script: str, *arguments: str) -> str:
    """Run one of the project's scripts and return its stdout; its failure ends the measurement with its stderr."""
    done = subprocess.run([sys.executable, ROOT / script, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def curve(folder: Path, seed: int) -> list[dict[str, float]]:
    """Return the evaluations of one seed while it trained."""
    columns = read_columns(folder / f"seed{seed}" / "evaluations.csv")
    points = zip(columns["steps"].tolist(), columns["mean"].tolist(), strict=True)
    return [{"seed": seed, "steps": int(steps), "mean": mean} for steps, mean in points]


def write_csv(path: Path, rows: list[dict]) -> None:
    """Write rows of one shape."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="Pendulum-v1", help="Gymnasium id")
    parser.add_argument("--steps", type=int, default=10_000, help="environment steps of each run")
    parser.add_argument("--seeds", type=int, default=10, help="seeds 0 to N - 1")
    parser.add_argument("--episodes", type=int, default=1_000, help="noise-free episodes to evaluate each over")
    parser.add_argument("--evaluation-seed", type=int, default=20_000, help="seed of the first of them")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at a time")
    parser.add_argument("--folder", type=Path, default=None, help="for the runs (default: runs/learning/ENV)")
    arguments, train_flags = parser.parse_known_args()
    arguments.folder = arguments.folder or ROOT / "runs" / "learning" / arguments.env

    with ThreadPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(lambda seed: measure(seed, arguments, train_flags), range(arguments.seeds)))
    write_csv(ROOT / "benchmarks" / "results" / f"learning-{arguments.env}.csv", rows)
    curves = ROOT / "plots" / f"learning-{arguments.env}.csv"
    write_csv(curves, [point for row in rows for point in curve(arguments.folder, row["seed"])])
    draw_seeds(curves, curves.with_suffix(".png"))
    for row in rows:
        print(f"seed {row['seed']:2}  mean {row['mean']:9.1f}  std {row['std']:8.1f}  median {row['median']:9.1f}")
    means = [row["mean"] for row in rows]
    print(f"mean over seeds {np.mean(means):.1f}, worst {min(means):.1f}, best {max(means):.1f}")


if __name__ == "__main__":
    main()
