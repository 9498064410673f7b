"""The runs of a benchmark: a sweep by `ddpg.sweep`, also of patched copies of the code."""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.output import ROOT
from benchmarks.common.patches import Patch, patched_copy
from ddpg.command.signals import StopRequest
from ddpg.errors import RequestError
from ddpg.storage.csv_files import read_rows
from ddpg.sweep.jobs import Job, TrainingJob
from ddpg.sweep.sweep import open_sweep, run_all

DIVERGED = ("non-finite", "NaN")  # in the reason why a run failed
STOPPED = 3  # exit code of a run that was asked to stop and has saved
RUN = f"import pickle, sys; sys.exit(0 if pickle.load(sys.stdin.buffer).run() else {STOPPED})"


@dataclass(frozen=True)
class PatchedJob(TrainingJob):
    """A run of a patched copy of the code, in a process of its own, which imports the copy.

    Args:
        patches: The patches.
    """

    patches: tuple[Patch, ...] = ()

    def run(self) -> bool:
        """Train and test; return whether the run came to its end, or was asked to stop before."""
        with (
            tempfile.TemporaryDirectory() as folder,
            tempfile.TemporaryFile() as job,
            tempfile.TemporaryFile() as errors,
        ):
            pickle.dump(TrainingJob(self.folder, self.config, self.test_episodes), job)
            job.seek(0)
            command, where = [sys.executable, "-c", RUN], patched_copy(Path(folder, "code"), self.patches)
            with subprocess.Popen(command, cwd=where, stdin=job, stderr=errors) as process, StopRequest() as stop:
                while process.poll() is None and not stop.signal_number:
                    time.sleep(0.5)
                process.terminate()  # Ray's workers block SIGINT, and so do their children
            errors.seek(0)
            report = errors.read().decode(errors="replace").strip()
        if process.returncode not in (0, STOPPED):
            raise RuntimeError((report or f"exit code {process.returncode}").splitlines()[-1])
        return process.returncode == 0


def add_sweep_flags(parser: argparse.ArgumentParser, name: str, seeds: int) -> None:
    """Add the flags of a benchmark's runs.

    Args:
        parser: Receives them.
        name: Names the default folder.
        seeds: How many seeds by default.
    """
    parser.add_argument("--seeds", type=int, default=seeds, help=f"how many seeds, from 0 on (default: {seeds})")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one core (default: 2)")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / name, help="folder of the runs")


def carry_out(
    folder: Path,
    jobs: Sequence[Job],
    extra: dict[str, Any],
    cores: int,
    unit: str = "step",
    may_diverge: bool = False,
) -> None:
    """Carry out the runs that are not finished yet.

    Args:
        folder: The folder of the runs.
        jobs: The runs.
        extra: What else must be the same when the benchmark is repeated.
        cores: How many cores to use at a time.
        unit: What the steps of the runs are called.
        may_diverge: Whether a run whose networks become NaN is a result, and not a failure. It has no `test.json`.

    Raises:
        SystemExit: The folder has other runs, the user stopped the benchmark, or a run failed.
    """
    # Ray's workers must find ddpg and these scripts from any folder. A patched copy's own folder comes before it.
    folders = (str(ROOT), os.environ.get("PYTHONPATH"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
    try:
        with open_sweep(folder, jobs, extra, cores) as workers:
            outcome = run_all(jobs, workers, show_progress=True, unit=unit)
    except RequestError as error:
        raise SystemExit(f"error: {error}") from None
    if outcome.signal_number:
        raise SystemExit(128 + outcome.signal_number)
    failures = [
        f"{folder}: {reason}"
        for folder, reason in outcome.failures.items()
        if not may_diverge or not any(word in reason for word in DIVERGED)
    ]
    if failures:
        raise SystemExit("\n".join(failures))


def curve(job: TrainingJob) -> list[dict[str, Any]]:
    """Return the noise-free evaluations that a run made during training."""
    rows = read_rows(job.folder / "evaluations.csv")
    return [{"seed": job.config.seed, "steps": row["steps"], "mean": row["mean"]} for row in rows]
