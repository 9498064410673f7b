"""Sweeps that tests start, in their own process or as a user does."""

import os
import subprocess
import sys
import time
from pathlib import Path

from ddpg.sweep.__main__ import main
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL

TASK = ("--env", "Pendulum-v1", *SMALL, "--evaluation-episodes", "1", "--evaluate-every", "200")
LONG = (*TASK, "--steps", "3000", "--checkpoint-every", "400", "--evaluate-every", "1000")


def sweep(folder: Path, *flags: str) -> int:
    return main(["train", *flags, "--sweep-dir", str(folder), "--no-progress", "--test-episodes", "2"])


def train_alone(run_dir: Path, *flags: str) -> None:
    """Run `train.py` in a new process, because the threads of a process can be set only once."""
    where = ["--run-dir", str(run_dir), "--plot-dir", str(run_dir.parent), "--threads", "1", "--no-progress"]
    done = subprocess.run([sys.executable, ROOT / "train.py", *flags, *where], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def start(folder: Path, *flags: str) -> subprocess.Popen:
    """Start a sweep as a user does, in a process group of its own."""
    command = [sys.executable, "-m", "ddpg.sweep", "train", *flags, "--sweep-dir", str(folder), "--no-progress"]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def wait_for_rows(path: Path, rows: int, process: subprocess.Popen) -> None:
    """Return when a CSV file has so many rows."""
    deadline = time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) <= rows:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[1]
        time.sleep(0.05)


def worker_of(folder: Path) -> int:
    """Return the process that trains the run in a folder: the one that holds its lock."""
    target = os.path.realpath(folder)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if any(os.path.realpath(link) == target for link in (entry / "fd").iterdir()):
                    return int(entry.name)
            except OSError:
                continue
    raise AssertionError(f"nobody trains {folder}")
