"""Runs that a study trains, and what they have written."""

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.common.output import ROOT
from ddpg.command.tensorflow import prepare_tensorflow
from ddpg.config import Config
from ddpg.storage.csv_files import read_columns

LAST = 10  # evaluations whose mean is a run's final return, as Tianshou and PFRL report it


def config_of(run: Path) -> dict[str, Any]:
    """Return the settings of a run folder."""
    return json.loads((run / "config.json").read_text(encoding="utf-8"))["config"]


def task_of(config: dict[str, Any]) -> str:
    """Return the name of a run's task, without its module."""
    return config["env"].rpartition(":")[2]


def commit() -> str:
    """Return the commit of this code."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def add_runs_flags(parser: argparse.ArgumentParser, study: str, seeds: int) -> None:
    """Add the flags of a study that trains runs in folders, which are kept."""
    parser.add_argument("--runs", type=Path, default=Path("runs", study), metavar="DIR", help="where runs lie")
    parser.add_argument("--seeds", type=int, default=seeds, help=f"seeds of each kind (default: {seeds})")


def train_in(run_dir: Path, config: Config) -> None:
    """Train a run in its folder: a new one, one that was stopped, or, if it is finished, nothing."""
    from ddpg.run.start import resume_run, start_run
    from ddpg.storage.checkpoints import all_checkpoints

    prepare_tensorflow(config.threads)  # what comes next may be no training
    plots = run_dir.parent / "plots"
    if not all_checkpoints(run_dir / "checkpoints"):
        shutil.rmtree(run_dir, ignore_errors=True)
        start_run(config, run_dir, plots).train(show_progress=False)
    elif evaluations_of(run_dir)[-1]["steps"] < (config.steps or 0):
        resume_run(run_dir, plots, {}).train(show_progress=False)


def evaluations_of(run_dir: Path) -> list[dict[str, Any]]:
    """Return steps and mean return of a run's evaluations; of none, a point before the first step."""
    logged = read_columns(run_dir / "evaluations.csv")
    points = zip(logged.get("steps", []), logged.get("mean", []), strict=True)
    return [{"steps": int(steps), "mean": round(float(mean), 2)} for steps, mean in points] or [{"steps": -1}]


def first_reaching(level: float, curve: list[dict[str, Any]]) -> int | str:
    """Return the steps of the first evaluation with this mean return; an empty text if there is none."""
    return next((point["steps"] for point in curve if point["mean"] >= level), "")
