"""A run's folder while it is running; DDPG's runs and MolGAN's both have one."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ddpg.command.signals import StopRequest
from ddpg.errors import RunStopped
from ddpg.storage.checkpoint_format import SavedCheckpoint, Snapshot, non_negative_int
from ddpg.storage.checkpoints import Checkpoints, all_checkpoints
from ddpg.storage.lock import Lock
from ddpg.storage.replay_files import ReplayFiles, Segment
from ddpg.storage.run_log import Columns, RunLog, Settings, check_log, end_of
from ddpg.storage.unfinished import remove_unfinished

if TYPE_CHECKING:  # MolGAN saves its runs here too, and has no replay buffer
    from ddpg.replay_buffer import ReplayBuffer


class KeepingSettings(Settings, Protocol):
    """Settings that say how many checkpoints to keep."""

    @property
    def keep_checkpoints(self) -> int:
        """How many of the newest checkpoints to keep."""


class RunFolder:
    """A run's folder: its lock, log, checkpoints, clock and stop request.

    Made by `create` or `reopen`. As a context manager it handles signals, and closes the log and the lock at the end.

    Attributes:
        path: The folder.
        log: A `RunLog`.
        checkpoints: A `Checkpoints`.
        best: The best score of the run's evaluations so far, or None before the first.
        kept: What else the run keeps in its checkpoints, JSON-ready.
        stop: A `StopRequest`.
        by_products: Guards what may fail without ending the run.
    """

    def __init__(
        self,
        path: Path,
        lock: Lock,
        log: RunLog,
        checkpoints: Checkpoints,
        best: float | None = None,
        seconds: float = 0.0,
        kept: dict[str, Any] | None = None,
    ) -> None:
        self.path, self.lock, self.log, self.checkpoints = path, lock, log, checkpoints
        self.best, self.kept = best, kept or {}
        self.stop, self.by_products = StopRequest(), log.by_products
        self._start = time.perf_counter() - seconds

    @classmethod
    def create(cls, path: Path, config: KeepingSettings, columns: Columns, has_replay: bool) -> "RunFolder":
        """Create the folder of a new run.

        Raises:
            RequestError: It exists, or cannot be created.
        """
        log = RunLog.create(path, config, columns)
        try:
            folder = path / "checkpoints"
            replay = ReplayFiles(folder / "replay") if has_replay else None
            return cls(path, Lock(path), log, Checkpoints(folder, config.keep_checkpoints, replay))
        except BaseException:
            remove_unfinished(path)
            raise

    @classmethod
    def reopen(
        cls,
        saved: SavedCheckpoint,
        lock: Lock,
        config: KeepingSettings,
        columns: Columns,
        segments: list[Segment] | None = None,
    ) -> "RunFolder":
        """Open the folder of an interrupted run and cut it back to a checkpoint.

        Everything else about the run should have been checked before: from here on, files change.

        Args:
            saved: The checkpoint.
            lock: The lock on the folder.
            config: The run's settings, perhaps with more steps than before.
            columns: The columns of its CSV files.
            segments: The replay files of the checkpoint, if it has any.

        Raises:
            RequestError: The CSV files do not fit the checkpoint; nothing has changed then.
        """
        with saved.reading("run.json"):
            state = saved.description["run"]
            best = None if state["best"] is None else float(state["best"])
            csv_sizes = {name: non_negative_int(state["csv_sizes"][name]) for name in columns}
            csv_ends = {name: str(state["csv_ends"][name]) for name in columns}
            seconds, kept = float(state["seconds"]), dict(state.get("kept", {}))
        check_log(saved.run_dir, columns, csv_sizes, csv_ends)
        folder = saved.path.parent
        replay = None if segments is None else ReplayFiles(folder / "replay", segments)
        checkpoints = Checkpoints(folder, config.keep_checkpoints, replay)
        checkpoints.delete_after(saved.path)  # before the log is cut: later checkpoints count on its later rows
        if best is not None and not all_checkpoints(folder, best=True):
            best = -math.inf  # the best one came later and is gone: the next evaluation is the best so far
        log = RunLog.reopen(saved.run_dir, config, columns, csv_sizes)
        return cls(saved.run_dir, lock, log, checkpoints, best, seconds, kept)

    @property
    def seconds(self) -> float:
        """Wall-clock time of the run so far, including the time before a resume."""
        return time.perf_counter() - self._start

    def state(self) -> dict[str, Any]:
        """Return a copy of what a checkpoint must hold of the folder, JSON-ready."""
        sizes = self.log.csv_sizes()
        ends = {name: end_of(self.path / f"{name}.csv", size) for name, size in sizes.items()}
        state = {"seconds": self.seconds, "best": self.best, "csv_sizes": sizes, "csv_ends": ends}
        return state | {"kept": copy.deepcopy(self.kept)}

    def save(self, snapshot: Snapshot, buffer: "ReplayBuffer | None" = None) -> None:
        """Write a checkpoint, unless the networks are broken: those must not replace good ones.

        Raises:
            RunStopped: A variable is NaN or infinite.
        """
        if not all(np.isfinite(array).all() for array in snapshot.arrays.values()):
            raise RunStopped(f"step {snapshot.step}: the networks became NaN or infinite")
        self.checkpoints.save(snapshot, buffer)

    def save_if_best(self, score: float, take_snapshot: Callable[[], Snapshot], final: bool = False) -> None:
        """Keep the networks that have just been evaluated if they are the best so far.

        Args:
            score: The evaluation's score.
            take_snapshot: Returns the snapshot to write.
            final: A last evaluation outside the schedule, which is dropped when the run is extended: it never counts.
        """
        if self.best is None or (score > self.best and not final):
            self.best = score
            self.checkpoints.save_best(take_snapshot())

    @property
    def has_checkpoint(self) -> bool:
        """Whether the run can be resumed."""
        return bool(all_checkpoints(self.checkpoints.folder))

    def close(self) -> None:
        """Close the log and release the lock; remove a folder without a checkpoint, which is of no use."""
        self.log.close()
        if not self.has_checkpoint:
            remove_unfinished(self.path)
        self.lock.close()

    def __enter__(self) -> "RunFolder":
        self.stop.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.stop.__exit__(*error)
        self.close()


@contextmanager
def run_errors(run_dir: Path, save: Callable[[], None] | None = None) -> Iterator[None]:
    """Say where the run can be resumed when it stops by an error.

    Args:
        run_dir: The run folder.
        save: Saves the progress so far, where a run that stopped can still be saved.

    Raises:
        RunStopped: The run stopped, or the disk failed.
    """
    try:
        try:
            yield
        except RunStopped as error:
            outcome = f"the last valid checkpoint is in {run_dir}"
            if save:
                with suppress(RunStopped):  # the networks are broken too
                    save()
                    outcome = f"progress so far is saved in {run_dir}"
            checkpoints = all_checkpoints(run_dir / "checkpoints")
            if not checkpoints:
                outcome = "nothing was trained yet, so nothing is kept"
            elif checkpoints[-1].name == "step-000000000":
                outcome = f"nothing was trained yet; {run_dir} holds the untrained agent"
            raise RunStopped(f"{error}; {outcome}") from error.__cause__
    except OSError as error:
        kept = all_checkpoints(run_dir / "checkpoints")
        outcome = f"the last complete checkpoint in {run_dir} is intact" if kept else "nothing was saved yet"
        raise RunStopped(f"cannot write {error.filename or run_dir}: {error.strerror}; {outcome}") from None
