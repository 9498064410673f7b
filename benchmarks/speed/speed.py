"""How fast it trains: this project and others, timed in turn, and where the time of a step goes.

    python -m benchmarks.speed.speed    # about an hour on two cores

Machines change speed by up to 50 % within minutes. So the contenders take turns for several rounds, and what counts is
the median of the ratios within a round. The others need `pip install -r requirements-benchmark.txt`. NumPy runs with
the BLAS kernel that it chooses itself, which is printed and recorded. It writes results/speed.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.speed_pictures import CONTENDERS, draw_speeds
from benchmarks.common.workers import ENVIRONMENT, Worker


def compare(names: list[str], task: str, batch_size: int, updates: int, rounds: int, steps: int) -> list[dict]:
    """Time the contenders in turn; return one row per contender and round."""
    workers = [Worker(name, task, batch_size, updates) for name in names]
    for worker in workers:  # past the random actions at the beginning and the compilation
        worker.steps_per_second({"post": batch_size + 50, "numpy": 50}.get(worker.name, 2_000))
    rows = []
    for number in range(rounds):
        for worker in workers:
            time.sleep(0.1)  # the threads of the contender before it go to sleep
            speed = worker.steps_per_second(max(1, steps // 10) if worker.name == "post" else steps)
            rows.append(
                {
                    "task": task,
                    "batch_size": batch_size,
                    "updates": updates,
                    "round": number,
                    "contender": worker.name,
                    "steps_per_second": round(speed, 2),
                    "numpy_kernel": worker.kernel,
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
    print(f"  NumPy's BLAS: {'; '.join(dict.fromkeys(row['numpy_kernel'] for row in rows))}")


def break_down(task: str, batch_size: int, updates: int) -> list[dict]:
    """Time the parts of this project's step, print them, and return a row per part."""
    command = [sys.executable, "-m", "benchmarks.speed.step_breakdown", task, str(batch_size), str(updates)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT, check=True)
    parts = json.loads(done.stdout)
    print("  a step of ours, ms:  " + ", ".join(f"{part} {value:.3f}" for part, value in parts.items()), flush=True)
    setting = {"task": task, "batch_size": batch_size, "updates": updates}
    return [setting | {"part": part, "milliseconds": round(value, 4)} for part, value in parts.items()]


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = parser_for(__doc__)
    parser.add_argument("--tasks", nargs="+", default=["Pendulum-v1", "HalfCheetah-v5", "Humanoid-v5"])
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--updates", nargs="+", type=int, default=[1, 50], help="updates after every so many steps")
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="ours is always one of them"
    )
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender (default: 15)")
    parser.add_argument("--steps", type=int, default=200, help="environment steps in a turn; a tenth for the post")
    add_output_flag(parser)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    settings = [
        (task, batch_size, updates)
        for batch_size in arguments.batch_sizes
        for task in arguments.tasks
        for updates in arguments.updates
    ]
    study = arguments.out / "speed"
    speeds, parts = [], []
    for task, batch_size, updates in settings:
        names = [name for name in arguments.contenders if name != "ours" and not (name == "post" and updates > 1)]
        rows = compare(["ours", *names], task, batch_size, updates, arguments.rounds, arguments.steps)
        report(rows)
        speeds += rows
        parts += break_down(task, batch_size, updates)
        write_csv(study / "table.csv", speeds)  # each time, so that an interrupted benchmark keeps what it measured
        write_csv(study / "parts.csv", parts)
    draw_speeds(study / "table.csv", study / "picture.png")


if __name__ == "__main__":
    main()
