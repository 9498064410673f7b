"""A long run, watched from outside: its resident memory, its open files and its speed.

    python -m benchmarks.endurance.soak    # 300,000 steps of Pendulum-v1, about fifteen minutes on two cores; Linux

Machines change speed by up to 50 % within minutes. So the run is paused every ten seconds, and a fixed amount of work
(the arithmetic of an update, in NumPy) is timed instead: `relative` is the run's speed over that work's. It writes
results/soak/table.csv, a row per tenth of the run.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv
from benchmarks.common.processes import resident_mib
from benchmarks.common.workers import Worker


@dataclass(frozen=True)
class Observation:
    """What was seen of the run while it ran undisturbed for some seconds."""

    steps: int  # the run's steps at the end
    steps_per_second: float
    reference: float  # updates per second of the fixed work, right after it
    resident_mib: float  # the maximum
    open_files: int  # the maximum


def main() -> None:
    arguments = parse()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=arguments.folder) as folder,
        closing(Worker("numpy", arguments.env, 64, 1)) as reference,
    ):
        print(f"NumPy's BLAS: {reference.kernel}")
        reference.steps_per_second(arguments.updates)  # warms up
        command = [sys.executable, str(ROOT / "train.py"), "--env", arguments.env, "--steps", str(arguments.steps)]
        process = subprocess.Popen([*command, "--run-dir", f"{folder}/run", "--plot-dir", folder, "--no-progress"])
        try:
            observations = watch(
                process,
                Path(folder, "run", "episodes.csv"),
                arguments.seconds,
                lambda: reference.steps_per_second(arguments.updates),
            )
        finally:
            process.kill()  # has no effect on a run that has ended
        if process.returncode:
            raise SystemExit(f"train.py ended with {process.returncode}")
    rows = by_tenth(observations, arguments.steps, reference.kernel)
    for row in rows:
        print(row)
    write_csv(arguments.out / "soak" / "table.csv", rows)


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = parser_for(__doc__)
    parser.add_argument("--steps", type=int, default=300_000, help="environment steps of the run (default: 300000)")
    parser.add_argument("--env", default="Pendulum-v1", help="Gymnasium id (default: Pendulum-v1)")
    parser.add_argument("--seconds", type=float, default=10, help="between two pauses of the run (default: 10)")
    parser.add_argument("--updates", type=int, default=500, help="of the fixed work in each pause (default: 500)")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs", help="where to write the run meanwhile")
    add_output_flag(parser)
    return parser.parse_args()


def watch(
    process: subprocess.Popen, episodes: Path, seconds: float, time_reference: Callable[[], float]
) -> list[Observation]:
    """Watch a run until it ends.

    Args:
        process: The process of the run.
        episodes: Its episodes.csv.
        seconds: How long the run continues between two pauses.
        time_reference: Does the fixed work and returns its speed.
    """
    observations: list[Observation] = []
    while process.poll() is None:
        start, before, sizes, files = time.perf_counter(), steps_in(episodes), [0.0], [0]
        while time.perf_counter() < start + seconds and process.poll() is None:
            time.sleep(0.5)
            sizes.append(resident_mib(process.pid))
            files.append(open_files(process.pid))
        steps, elapsed = steps_in(episodes), time.perf_counter() - start
        process.send_signal(signal.SIGSTOP)
        try:
            speed = time_reference()
        finally:
            process.send_signal(signal.SIGCONT)
        observations.append(Observation(steps, (steps - before) / elapsed, speed, max(sizes), max(files)))
    return observations


def by_tenth(observations: list[Observation], steps: int, kernel: str) -> list[dict]:
    """Return a row per tenth of a run of so many steps."""
    rows = []
    for tenth in range(10):
        low, high = steps * tenth / 10, steps * (tenth + 1) / 10
        within = [each for each in observations if low < each.steps <= high]
        if not within:
            raise SystemExit(f"nothing was seen of tenth {tenth + 1}; use more --steps or fewer --seconds")
        rows.append(
            {
                "tenth": tenth + 1,
                "resident_mib": round(max(each.resident_mib for each in within), 1),
                "open_files": max(each.open_files for each in within),
                "steps_per_second": round(float(np.mean([each.steps_per_second for each in within])), 1),
                "relative": round(float(np.mean([each.steps_per_second / each.reference for each in within])), 4),
                "numpy_kernel": kernel,
            }
        )
    return rows


def steps_in(episodes: Path) -> int:
    """Return the steps of the run so far; 0 before there are any."""
    try:
        return int(episodes.read_text().splitlines()[-1].split(",")[1])
    except (OSError, ValueError, IndexError):
        return 0


def open_files(process: int) -> int:
    """Return how many files a process has open, 0 if it has ended."""
    try:
        return len(list(Path(f"/proc/{process}/fd").iterdir()))
    except OSError:
        return 0


if __name__ == "__main__":
    main()
