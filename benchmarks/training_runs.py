"""Training runs for the benchmarks: `train.py` and `evaluate.py` as a user types them, each run in its own process.

A finished run is not repeated, and an interrupted one is resumed at its last checkpoint. Both are refused if any of
their settings differs from what is asked for now.
"""

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

from output import ROOT, read_csv
from parallel import run_in_parallel

STATISTICS = ("mean", "std", "median", "min", "max")
EVALUATION_SEED = 20_000
DIFFERS = 3  # exit code of a check that found another run in the folder
RUN_FLAGS = ("--seed", "--steps", "--run-dir", "--resume", "--plot-dir")  # each run has its own


class BenchmarkRun(Protocol):
    """A run of any kind that `run_all` can carry out."""

    @property
    def folder(self) -> Path:
        """The run folder; its log lies beside it."""

    @property
    def evaluation(self) -> Path:
        """The file that exists once the run is finished."""

    def check(self) -> int:
        """Print how the run on the disk differs from this one, if it does; return the exit code, 0 if it does not."""

    def run(self) -> int:
        """Train and evaluate, in this process; return the exit code."""


@dataclass(frozen=True)
class TrainingRun:
    """One run of `train.py`, evaluated by `evaluate.py`.

    Args:
        folder: Its run folder.
        env: Its task.
        seed: Its seed.
        steps: Its environment steps.
        flags: Further flags of `train.py`.
        episodes: How many noise-free episodes to evaluate it over after training.
        code: The folder of the `train.py` to use.
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
        """The file with what `evaluate.py --json` printed, and the seed of the evaluation."""
        return self.folder / "evaluation.json"

    def check(self) -> int:
        """Print how the run on the disk differs from this one, if it does; return the exit code, 0 if it does not."""
        sys.path.insert(0, str(self.code))
        from ddpg.run.command_line import run_command

        return run_command("train.py", lambda: report_difference(self.folder, self.settings(), self.evaluated()))

    def settings(self) -> dict[str, Any]:
        """Return every setting of the run, as `train.py` reads its flags."""
        from ddpg.config import Config
        from ddpg.run.command_line import given_settings
        from ddpg.run.train import base_config, parse

        arguments = parse(self.train_flags())
        return dataclasses.replace(base_config(arguments), **given_settings(arguments, Config)).as_json()

    def evaluated(self) -> dict[str, Any]:
        """Return the settings of the evaluation."""
        return {"episodes": self.episodes, "seed": EVALUATION_SEED}

    def train_flags(self) -> list[str]:
        """Return the flags of a new run."""
        return [*map(str, ["--env", self.env, "--seed", self.seed, "--steps", self.steps, *self.flags])]

    def run(self) -> int:
        """Train and evaluate, in this process; return the exit code."""
        sys.path.insert(0, str(self.code))
        from ddpg.run import evaluate, train

        begun = is_resumable(self.folder)
        flags = ["--resume", str(self.folder)] if begun else [*self.train_flags(), "--run-dir", str(self.folder)]
        if code := train.main([*flags, "--no-progress", "--plot-dir", str(self.folder.parent)]):
            return code
        flags = [f"--{name}={value}" for name, value in self.evaluated().items()]
        with redirect_stdout(StringIO()) as printed:
            code = evaluate.main(["--checkpoint", str(self.folder), "--json", *flags])
        if not code:
            self.evaluation.write_text(json.dumps({**json.loads(printed.getvalue()), **self.evaluated()}))
        return code

    def statistics(self) -> dict[str, float]:
        """Return mean, std, median, min and max of the evaluation's returns."""
        evaluation = json.loads(self.evaluation.read_text())
        return {name: evaluation[name] for name in STATISTICS}

    def curve(self) -> list[dict[str, Any]]:
        """Return the noise-free evaluations made during training."""
        rows = read_csv(self.folder / "evaluations.csv")
        return [{"seed": self.seed, "steps": row["steps"], "mean": row["mean"]} for row in rows]


def parse_with_train_flags(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, list[str]]:
    """Return a benchmark's arguments, and the flags that it passes on to each run."""
    arguments, train_flags = parser.parse_known_args()
    for flag in train_flags:
        if flag.partition("=")[0] in RUN_FLAGS:
            parser.error(f"{flag} is set by this benchmark, for each run")
    return arguments, train_flags


def is_resumable(folder: Path) -> bool:
    """Return whether a run folder has a checkpoint; delete a folder that has none."""
    if any(folder.glob("checkpoints/step-*/manifest.json")):
        return True
    shutil.rmtree(folder, ignore_errors=True)  # the run was killed before its first checkpoint
    return False


def report_difference(folder: Path, settings: Mapping[str, Any], evaluated: Mapping[str, Any]) -> int:
    """Print how a run on the disk differs from what is asked for, if it does; return the exit code.

    Args:
        folder: The run folder, which need not exist.
        settings: All settings asked for, as in its `config.json`.
        evaluated: The settings of the evaluation asked for, as in its `evaluation.json`.
    """
    found = ""
    if (folder / "config.json").exists():
        found = difference(json.loads((folder / "config.json").read_text(encoding="utf-8"))["config"], settings)
    if not found and (folder / "evaluation.json").exists():
        made = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
        found = difference({name: made.get(name) for name in evaluated}, evaluated, "evaluation ")
    if found:
        print(f"{folder} has {found}")
    return DIFFERS if found else 0


def difference(made: Mapping[str, Any], asked: Mapping[str, Any], prefix: str = "") -> str:
    """Return how settings differ, such as "gamma 0.99 instead of 0.9"; "" if they do not."""
    asked = json.loads(json.dumps(asked))  # JSON has no tuples
    names = [name for name in {**made, **asked} if made.get(name) != asked.get(name)]
    return ", ".join(f"{prefix}{name} {made.get(name)} instead of {asked.get(name)}" for name in names)


def run_all(runs: Sequence[BenchmarkRun], max_processes: int, remedy: str = "choose another --folder") -> None:
    """Carry out the runs that are not finished yet.

    Args:
        runs: The runs.
        max_processes: How many at once.
        remedy: What to do about a run folder with other settings, for the message.

    Raises:
        SystemExit: A run on the disk has other settings than asked for, or a run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder, str(index)) for index in range(len(runs))]
        checks = [(run.check, log) for run, log in zip(runs, logs, strict=True)]
        for log, code in zip(logs, run_in_parallel(checks, max_processes, imports=()), strict=True):
            if code:
                problem = log.read_text().strip().splitlines()[-1]
                raise SystemExit(f"{problem}; {remedy}, or delete that run" if code == DIFFERS else problem)
    todo = [run for run in runs if not run.evaluation.exists()]
    logs = [run.folder.with_name(f"{run.folder.name}.log") for run in todo]
    codes = run_in_parallel([(run.run, log) for run, log in zip(todo, logs, strict=True)], max_processes)
    for run, log, code in zip(todo, logs, codes, strict=True):
        if code:
            raise SystemExit(f"{run.folder} ended with exit code {code}:\n{log.read_text()[-2000:]}")
