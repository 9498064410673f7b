"""How fast it trains: this project and others, timed in turn within one run, and where the time of a step goes.

    python benchmarks/speed.py

Machines drift by half within minutes, so the contenders take turns for several rounds, and what counts is the median of
the ratios within a round.  Needs `requirements-benchmark.txt` for the others.  It writes speed.csv, its picture and
anatomy.csv into plots/.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from pictures import CONTENDERS, draw_speeds
from runs import ROOT, write_csv

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


class Worker:
    """A contender in its own process, waiting for its turn."""

    def __init__(self, name: str, task: str, batch_size: int, updates: int) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, HERE / "contenders.py", name, task, str(batch_size), str(updates)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=ENVIRONMENT,
        )

    def steps_per_second(self, steps: int) -> float:
        """Let it run so many steps."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("speed "):
                return float(line.split()[1])
        raise SystemExit(f"{self.name} ended early; run benchmarks/contenders.py by hand to see why")

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def compare(names: list[str], task: str, batch_size: int, updates: int, rounds: int, steps: int) -> list[dict]:
    """Time the contenders in turn; return one row per contender and round."""
    workers = [Worker(name, task, batch_size, updates) for name in names]
    rows = []
    for worker in workers:  # past the warm-up and the compilation
        worker.steps_per_second(batch_size + 50 if worker.name == "post" else 2_000)
    for number in range(rounds):
        for worker in workers:
            time.sleep(0.1)  # lets the threads of the one before go to sleep
            speed = worker.steps_per_second(max(1, steps // 10) if worker.name == "post" else steps)
            rows.append(
                {
                    "task": task,
                    "batch_size": batch_size,
                    "updates": updates,
                    "round": number,
                    "contender": worker.name,
                    "steps_per_second": round(speed, 2),
                }
            )
    for worker in workers:
        worker.close()
    return rows


def report(rows: list[dict]) -> None:
    """Print a table: the median speed of each contender, and the median of ours over it."""
    first = rows[0]
    print(f"\n{first['task']}, minibatch {first['batch_size']}, {first['updates']} update(s) every {first['updates']}")
    speeds: dict[str, list[float]] = {}
    for row in rows:
        speeds.setdefault(row["contender"], []).append(row["steps_per_second"])
    for name, values in speeds.items():
        ratio = np.median(np.divide(speeds["ours"], values))
        print(f"  {CONTENDERS[name][0]:32} {np.median(values):8.1f} steps/s   ours is {ratio:5.2f} times as fast")


def anatomy(task: str, batch_size: int, updates: int) -> list[dict]:
    """Take this project's step apart, print it, and return a row per part."""
    command = [sys.executable, str(HERE / "anatomy.py"), task, str(batch_size), str(updates)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT, check=True)
    parts = json.loads(done.stdout)
    print("  a step of ours, ms:  " + ", ".join(f"{part} {value:.3f}" for part, value in parts.items()), flush=True)
    setting = {"task": task, "batch_size": batch_size, "updates": updates}
    return [setting | {"part": part, "milliseconds": round(value, 4)} for part, value in parts.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=["Pendulum-v1", "HalfCheetah-v5", "Humanoid-v5"])
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--updates", nargs="+", type=int, default=[1, 50], help="updates after every so many steps")
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="ours goes with any"
    )
    parser.add_argument("--rounds", type=int, default=15, help="many short turns see the same weather")
    parser.add_argument("--steps", type=int, default=200, help="environment steps in a turn; the post's has a tenth")
    parser.add_argument("--out", type=Path, default=ROOT / "plots", metavar="DIR", help="for what it writes")
    arguments = parser.parse_args()

    settings = [
        (task, batch_size, updates)
        for batch_size in arguments.batch_sizes
        for task in arguments.tasks
        for updates in arguments.updates
    ]
    speeds, parts = [], []
    for task, batch_size, updates in settings:
        names = [name for name in arguments.contenders if name != "ours" and not (name == "post" and updates > 1)]
        rows = compare(["ours", *names], task, batch_size, updates, arguments.rounds, arguments.steps)
        report(rows)
        speeds += rows
        parts += anatomy(task, batch_size, updates)
        write_csv(arguments.out / "speed.csv", speeds)  # each time: a measurement that is cut off leaves what it has
        write_csv(arguments.out / "anatomy.csv", parts)
    draw_speeds(arguments.out / "speed.csv", arguments.out / "speed.png")


if __name__ == "__main__":
    main()
