"""A long run, watched from outside: its resident memory, its open files and its speed.

    python benchmarks/soak.py        # 300,000 steps of Pendulum-v1, some fifteen minutes on two cores; Linux

Machines drift by half within minutes, so the run is stopped for a moment every ten seconds, and a fixed piece of work
(the arithmetic of an update, in NumPy) is timed instead: `relative` is the run's speed over that work's.  It writes
benchmarks/results/soak.csv, a row per tenth of the run.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from floor import floor
from memory import resident_mib
from runs import ROOT, write_csv

sys.path.insert(0, str(ROOT))
SECONDS_AT_A_TIME, REFERENCE_UPDATES = 10, 500


@dataclass
class Watched:
    """What was seen of the run while it was left alone for some seconds."""

    steps: int  # where it stood at the end
    steps_per_second: float
    reference: float  # updates per second of the fixed work, right after it
    resident_mib: float  # the most
    open_files: int  # the most


def watch(process: subprocess.Popen, episodes: Path, env: str) -> list[Watched]:
    """Watch the process until it ends."""
    reference = floor(env, 64, 1)
    seen: list[Watched] = []
    while process.poll() is None:
        began, before, sizes, files = time.perf_counter(), steps_in(episodes), [0.0], [0]
        while time.perf_counter() < began + SECONDS_AT_A_TIME and process.poll() is None:
            time.sleep(0.5)
            sizes.append(resident_mib(process.pid))
            files.append(open_files(process.pid))
        steps, ran = steps_in(episodes), time.perf_counter() - began
        process.send_signal(signal.SIGSTOP)
        try:
            began = time.perf_counter()
            speed = reference(REFERENCE_UPDATES) / (time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGCONT)
        seen.append(Watched(steps, (steps - before) / ran, speed, max(sizes), max(files)))
    return seen


def steps_in(episodes: Path) -> int:
    """Return the steps done so far; 0 before there are any."""
    try:
        return int(episodes.read_text().splitlines()[-1].split(",")[1])
    except (OSError, ValueError, IndexError):
        return 0


def open_files(process: int) -> int:
    """Return how many files a process has open, 0 if it is gone."""
    try:
        return len(list(Path(f"/proc/{process}/fd").iterdir()))
    except OSError:
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--env", default="Pendulum-v1")
    arguments = parser.parse_args()

    (ROOT / "runs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "runs") as folder:
        command = [sys.executable, str(ROOT / "train.py"), "--env", arguments.env, "--steps", str(arguments.steps)]
        process = subprocess.Popen([*command, "--run-dir", f"{folder}/run", "--plot-dir", folder, "--no-progress"])
        seen = watch(process, Path(folder, "run", "episodes.csv"), arguments.env)
        if process.returncode:
            raise SystemExit(f"train.py ended with {process.returncode}")
    rows = []
    for tenth in range(10):
        low, high = arguments.steps * tenth / 10, arguments.steps * (tenth + 1) / 10
        within = [each for each in seen if low < each.steps <= high]
        rows.append(
            {
                "tenth": tenth + 1,
                "resident_mib": round(max(each.resident_mib for each in within), 1),
                "open_files": max(each.open_files for each in within),
                "steps_per_second": round(float(np.mean([each.steps_per_second for each in within])), 1),
                "relative": round(float(np.mean([each.steps_per_second / each.reference for each in within])), 4),
            }
        )
        print(rows[-1])
    write_csv(ROOT / "benchmarks" / "results" / "soak.csv", rows)


if __name__ == "__main__":
    main()
