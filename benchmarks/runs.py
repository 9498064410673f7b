"""Training runs for the measurements: `train.py` and `evaluate.py` as a user types them, each run in its own process.

A run whose evaluation is on the disk is not repeated, and an interrupted one goes on at its last checkpoint.
"""

import csv
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

from forks import in_forks

ROOT = Path(__file__).parent.parent
FIGURES = ("mean", "std", "median", "min", "max")


@dataclass(frozen=True)
class Job:
    """One run: its folder, its task, how long, further flags of `train.py`, and whose `train.py`.

    After training it is evaluated over `episodes` noise-free episodes.
    """

    folder: Path
    env: str
    seed: int
    steps: int
    flags: tuple[str, ...] = ()
    episodes: int = 100
    code: Path = ROOT

    @property
    def evaluation(self) -> Path:
        """The file with what `evaluate.py --json` printed."""
        return self.folder / "evaluation.json"

    def carry_out(self) -> int:
        """Train and evaluate, here and now; return the exit code."""
        sys.path.insert(0, str(self.code))
        import evaluate
        import train

        new = ["--run-dir", self.folder, "--env", self.env, "--seed", self.seed, *self.flags]
        begun = any(self.folder.glob("checkpoints/step-*/manifest.json"))
        if not begun:
            shutil.rmtree(self.folder, ignore_errors=True)  # killed before there was anything to go on from
        place = ["--resume", self.folder] if begun else new
        end = ["--steps", self.steps, "--no-progress", "--plot-dir", self.folder.parent]
        if code := train.main([*map(str, [*place, *end])]):
            return code
        with redirect_stdout(StringIO()) as printed:
            wanted = ["--checkpoint", self.folder, "--episodes", self.episodes, "--seed", 20_000, "--json"]
            code = evaluate.main([*map(str, wanted)])
        if not code:
            self.evaluation.write_text(printed.getvalue())
        return code

    def figures(self) -> dict[str, float]:
        """Return mean, std, median, min and max of the evaluation's returns."""
        figures = json.loads(self.evaluation.read_text())
        return {name: figures[name] for name in FIGURES}

    def curve(self) -> list[dict[str, Any]]:
        """Return the noise-free evaluations made while it trained."""
        with (self.folder / "evaluations.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [{"seed": self.seed, "steps": row["steps"], "mean": row["mean"]} for row in rows]


class Measured(Protocol):
    """A run of some kind: `Job`, or another that has these."""

    @property
    def folder(self) -> Path:
        """Its folder, with its log beside it."""

    @property
    def evaluation(self) -> Path:
        """The file that is there once it is done."""

    def carry_out(self) -> int:
        """Do it, and return the exit code."""


def carry_out(jobs: Sequence[Measured], at_a_time: int) -> None:
    """Carry out the runs that are not done yet; one that fails ends the measurement with its log."""
    todo = [job for job in jobs if not job.evaluation.exists()]
    logs = [job.folder.with_name(f"{job.folder.name}.log") for job in todo]
    calls = [(job.carry_out, log) for job, log in zip(todo, logs, strict=True)]
    for job, log, code in zip(todo, logs, in_forks(calls, at_a_time), strict=True):
        if code:
            raise SystemExit(f"{job.folder} ended with {code}:\n{log.read_text()[-2000:]}")


def write_csv(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows of one shape."""
    rows = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
