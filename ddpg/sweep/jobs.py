"""What a worker does: train one run of a sweep, or resume it, and test its final policy.

A job is sent to a worker as it is. Its run folder is an ordinary one, as `train.py` or `python -m ddpg.molgan train`
makes it, with one more file, `test.json`, which says that the run is finished and how good its policy is.
"""

import csv
import json
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ddpg.command.inputs import open_without_waiting, read_object
from ddpg.command.tensorflow import import_tensorflow
from ddpg.config import Config
from ddpg.errors import RequestError
from ddpg.molgan.config import MolGANConfig
from ddpg.storage.checkpoints import all_checkpoints
from ddpg.storage.files import write_json
from ddpg.storage.lock import Lock
from ddpg.storage.unfinished import remove_unfinished

TEST_SEED = 20_000  # starts that no evaluation during training has used
SECONDS_FOR_LOCK = 60  # a worker that was lost with its node may live on for a while


class Job(Protocol):
    """One run of a sweep."""

    @property
    def folder(self) -> Path:
        """The run folder."""

    @property
    def config(self) -> Any:
        """Its settings."""

    @property
    def test(self) -> dict[str, Any]:
        """How the run is tested once it is trained."""

    def progress(self) -> tuple[float, int]:
        """Return the share of the run that is done, in [0, 1], and its steps so far."""

    def run(self) -> bool:
        """Train and test, in this process; return whether the run came to its end, or was asked to stop before."""


@dataclass(frozen=True)
class TrainingJob:
    """A run of DDPG.

    Args:
        folder: Its run folder, an absolute path.
        config: Its settings.
        test_episodes: How many noise-free episodes to test the final policy over; 0 for none.
    """

    folder: Path
    config: Config
    test_episodes: int = 100

    @property
    def test(self) -> dict[str, Any]:
        """How the run is tested once it is trained."""
        return {"episodes": self.test_episodes, "seed": TEST_SEED}

    def progress(self) -> tuple[float, int]:
        """Return the share of the run that is done, in [0, 1], and its steps so far."""
        row = last_row(self.folder / "episodes.csv")
        done = int(row["episode"]) if self.config.steps is None else int(row["steps"])
        planned = self.config.episodes if self.config.steps is None else self.config.steps
        return min(1.0, done / max(1, planned)), int(row["steps"])

    def run(self) -> bool:
        """Train and test, in this process; return whether the run came to its end, or was asked to stop before."""
        import_tensorflow()
        from ddpg.evaluation import evaluate
        from ddpg.run.start import resume_run, start_run
        from ddpg.task.environments import open_environment

        if is_resumable(self.folder):
            by_steps = self.config.steps is not None
            length = {"steps": self.config.steps} if by_steps else {"episodes": self.config.episodes}
            run = resume_run(self.folder, self.folder.parent, length)
        else:
            run = start_run(self.config, self.folder, self.folder.parent)
        run.train(show_progress=False)
        if run.folder.stop.signal_number:
            return False
        results = {}
        if self.test_episodes:
            with open_environment(self.config) as environment:
                evaluation = evaluate(run.agent, environment, self.test_episodes, TEST_SEED)
                results = evaluation.as_json(self.config.env)
        write_test(self, results)
        return True


@dataclass(frozen=True)
class MolGANJob:
    """A run of MolGAN.

    Args:
        folder: Its run folder, an absolute path.
        config: Its settings.
        data: The file of the molecules, an absolute path, or None for random molecules.
        test_samples: How many graphs to test the best generator and the last one with; 0 for none.
    """

    folder: Path
    config: MolGANConfig
    data: Path | None = None
    test_samples: int = 6_400

    @property
    def test(self) -> dict[str, Any]:
        """How the run is tested once it is trained."""
        return {"samples": self.test_samples}

    def progress(self) -> tuple[float, int]:
        """Return the share of the run that is done, in [0, 1], and its updates so far."""
        row = last_row(self.folder / "epochs.csv")
        return int(row["epoch"]) / self.config.epochs, int(row["steps"])

    def run(self) -> bool:
        """Train and test, in this process; return whether the run came to its end, or was asked to stop before."""
        import_tensorflow()
        from ddpg.molgan.chemistry.dataset import random_molecules, read_molecules
        from ddpg.molgan.measure import measure_checkpoint, require_rdkit
        from ddpg.molgan.start import resume_run, start_run

        require_rdkit()
        if is_resumable(self.folder):
            run = resume_run(self.folder, self.folder.parent, {"epochs": self.config.epochs})
        else:
            dataset = read_molecules(self.data) if self.data else random_molecules()
            run = start_run(self.config, dataset, self.folder, self.folder.parent)
        run.train(show_progress=False)
        if run.folder.stop.signal_number:
            return False
        results = {}
        if self.test_samples:
            last = all_checkpoints(self.folder / "checkpoints")[-1]
            results = {
                which: measure_checkpoint(checkpoint, self.test_samples)[1]
                for which, checkpoint in (("best", self.folder), ("last", last))
            }
        write_test(self, results)
        return True


def is_resumable(folder: Path) -> bool:
    """Return whether a run folder has a checkpoint; delete what a run left that died before its first one.

    Raises:
        RequestError: Another process is using the folder, or it holds something that no run has left.
    """
    if not folder.exists():
        return False
    with closing(patient_lock(folder)):
        if all_checkpoints(folder / "checkpoints"):
            return True
        remove_unfinished(folder)
    if folder.exists():
        raise RequestError(f"{folder} has no checkpoint, but other files; move them away")
    return False


def patient_lock(folder: Path) -> Lock:
    """Return the lock on a folder, for which a worker that was lost may be living on for a while."""
    deadline = time.monotonic() + SECONDS_FOR_LOCK
    while True:
        try:
            return Lock(folder)
        except RequestError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def cores_of_run(job: Job) -> int:
    """Return how many cores a run computes with: those of its updates, and one for each further simulator."""
    return (job.config.threads or 1) + (getattr(job.config, "num_envs", None) or 0)  # MolGAN has no simulators


def is_finished(job: Job) -> bool:
    """Return whether a run has been trained and tested as its job says."""
    try:
        found = read_object(job.folder / "test.json")
    except (OSError, ValueError):
        return False
    wanted = json.loads(json.dumps(made_by(job)))  # JSON has no tuples
    return wanted == {name: found.get(name) for name in wanted}


def write_test(job: Job, results: dict[str, Any]) -> None:
    """Write `test.json`: the settings, the test and its results."""
    write_json(job.folder / "test.json", made_by(job) | {"results": results})


def made_by(job: Job) -> dict[str, Any]:
    """Return what makes a result: the settings of the run and the test."""
    return {"config": job.config.as_json(), "test": job.test}


def last_row(path: Path) -> dict[str, str]:
    """Return the last complete row of a CSV file that may be growing; zeros if it has none yet."""
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            header = file.readline().decode().strip().split(",")
            file.seek(max(len(",".join(header)), file.seek(0, 2) - 2_000))
            *lines, _ = file.read().decode(errors="replace").split("\n")
    except (OSError, ValueError):
        return dict.fromkeys(("steps", "episode", "epoch"), "0")
    rows = [row for row in csv.reader(lines) if len(row) == len(header) and row != header]
    return dict(zip(header, rows[-1], strict=True)) if rows else dict.fromkeys(header, "0")
