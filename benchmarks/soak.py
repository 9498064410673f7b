"""A long run, watched from outside: its resident memory, its open files and its speed.

    python benchmarks/soak.py        # 300,000 steps of Pendulum-v1, some twelve minutes on two cores; Linux

It writes benchmarks/results/soak.csv, a row per tenth of the run.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from runs import ROOT, write_csv


def watch(process: subprocess.Popen, episodes: Path) -> list[tuple[int, float, int]]:
    """Return (steps, resident MiB, open files), every second until the process ends."""
    seen = []
    while process.poll() is None:
        time.sleep(1)
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            files = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
            resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
            steps = int(episodes.read_text().splitlines()[-1].split(",")[1])
        except (OSError, StopIteration, ValueError, IndexError):  # it has not begun yet, or just ended
            continue
        seen.append((steps, resident / 1024, files))
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--env", default="Pendulum-v1")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        command = [sys.executable, str(ROOT / "train.py"), "--env", arguments.env, "--steps", str(arguments.steps)]
        process = subprocess.Popen([*command, "--run-dir", f"{folder}/run", "--plot-dir", folder, "--no-progress"])
        seen = np.array(watch(process, Path(folder, "run", "episodes.csv")))
        if process.returncode:
            raise SystemExit(f"train.py ended with {process.returncode}")
        with Path(folder, "run", "episodes.csv").open(newline="") as file:
            times = np.array([(int(row["steps"]), float(row["seconds"])) for row in csv.DictReader(file)])
    rows = []
    for tenth in range(10):
        low, high = arguments.steps * tenth / 10, arguments.steps * (tenth + 1) / 10
        steps, seconds = times[(times[:, 0] > low) & (times[:, 0] <= high)].T
        _, resident, files = seen[(seen[:, 0] > low) & (seen[:, 0] <= high)].T
        rows.append(
            {
                "tenth": tenth + 1,
                "resident_mib": round(float(resident.max()), 1),
                "open_files": int(files.max()),
                "steps_per_second": round(float((steps[-1] - steps[0]) / (seconds[-1] - seconds[0])), 1),
            }
        )
        print(rows[-1])
    write_csv(ROOT / "benchmarks" / "results" / "soak.csv", rows)


if __name__ == "__main__":
    main()
