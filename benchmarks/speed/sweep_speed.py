"""What running side by side gains, and what the sweep costs: three ways to train, in turn.

    python -m benchmarks.speed.sweep_speed    # about 15 minutes on two cores; nothing else should run meanwhile

One run with all cores; one plain `train.py` per core, with one thread each; the same runs as a sweep. Speeds are those
after the first fifth of the steps, so that what starting and compiling take does not count; the seconds of the whole
command are written beside them. It writes results/sweep_speed/table.csv.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv
from ddpg.storage.csv_files import read_rows

TASKS = ("Pendulum-v1", "HalfCheetah-v5")
WAYS = ("one run, all cores", "plain processes", "sweep")


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way (default: 5)")
    parser.add_argument("--steps", type=int, default=10_000, help="environment steps of each run (default: 10000)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    rows = []
    for task in TASKS:
        for number in range(arguments.rounds):
            for way in WAYS[number % 3 :] + WAYS[: number % 3]:
                with tempfile.TemporaryDirectory() as folder:
                    seconds = run(way, task, arguments.steps, Path(folder))
                    speed = sum(speed_of(path) for path in Path(folder).rglob("episodes.csv"))
                key = {"task": task, "round": number, "way": way}
                rows.append(key | {"steps_per_second": round(speed, 1), "seconds": round(seconds, 2)})
                print(f"{task:15} round {number}  {way:19} {speed:8.1f} steps/s together  {seconds:6.1f} s", flush=True)
    write_csv(arguments.out / "sweep_speed" / "table.csv", rows)
    for task in TASKS:
        print(f"{task:15} " + ", ".join(f"{name} {value:.3f}" for name, value in ratios(rows, task).items()))


def run(way: str, task: str, steps: int, folder: Path) -> float:
    """Train in one of the ways; return the seconds of the whole command."""
    cores = os.cpu_count() or 1
    flags = ["--env", task, "--steps", str(steps), "--evaluate-every", str(steps), "--evaluation-episodes", "1"]
    train = [sys.executable, str(ROOT / "train.py"), *flags, "--no-progress", "--plot-dir", str(folder)]
    commands = {
        WAYS[0]: [[*train, "--threads", str(cores), "--run-dir", f"{folder}/run"]],
        WAYS[1]: [[*train, "--threads", "1", "--seed", str(k), "--run-dir", f"{folder}/seed{k}"] for k in range(cores)],
        WAYS[2]: [
            [
                *(sys.executable, "-m", "ddpg.sweep", "train", *flags, "--seeds", str(cores)),
                *("--test-episodes", "0", "--no-progress", "--sweep-dir", f"{folder}/sweep"),
            ]
        ],
    }[way]
    start = time.monotonic()
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for command in commands]
    codes = [process.wait() for process in processes]
    if any(codes):
        raise SystemExit(f"{way}: exit codes {codes}")
    return time.monotonic() - start


def speed_of(episodes: Path) -> float:
    """Return a run's steps per second after the first fifth of its steps."""
    rows = [(int(row["steps"]), float(row["seconds"])) for row in read_rows(episodes)]
    first = next(row for row in rows if row[0] >= rows[-1][0] / 5)
    return (rows[-1][0] - first[0]) / (rows[-1][1] - first[1])


def ratios(rows: list[dict], task: str) -> dict[str, float]:
    """Return the medians of the ratios within a round: side by side over one run, the sweep over plain processes."""
    speeds = {(row["round"], row["way"]): row["steps_per_second"] for row in rows if row["task"] == task}
    rounds = sorted({number for number, _ in speeds})

    def ratio(way: str, over: str) -> float:
        return statistics.median(speeds[number, way] / speeds[number, over] for number in rounds)

    return {"sweep over one run": ratio(WAYS[2], WAYS[0]), "sweep over plain processes": ratio(WAYS[2], WAYS[1])}


if __name__ == "__main__":
    main()
