"""Resume a run: find its checkpoint, lock its folder, and make it longer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from ddpg.errors import RequestError, blame
from ddpg.storage.checkpoint_format import CorruptFileError
from ddpg.storage.checkpoints import all_checkpoints, find_checkpoint
from ddpg.storage.lock import Lock

C = TypeVar("C")


@contextmanager
def resuming(path: Path) -> Iterator[tuple[Path, Lock]]:
    """Find the checkpoint that a path means and lock its run; release the lock if resuming fails.

    Errors name the option `resume`, and the checkpoint before a damaged one.

    Args:
        path: A run folder, for its newest checkpoint, or one of its checkpoints.

    Yields:
        The checkpoint and the lock on its run folder.
    """
    with blame("resume"):
        checkpoint_dir = find_checkpoint(path)
        run_dir = checkpoint_dir.parent.parent
        if checkpoint_dir.name.startswith("best-"):
            raise RequestError(f"{checkpoint_dir} holds only networks; resume from {run_dir}")
        lock = Lock(run_dir)
        try:
            yield checkpoint_dir, lock
        except BaseException as error:
            lock.close()
            checkpoints = all_checkpoints(checkpoint_dir.parent)
            if isinstance(error, CorruptFileError) and checkpoint_dir in checkpoints[1:]:
                older = checkpoints[checkpoints.index(checkpoint_dir) - 1]
                error.message += f"; to resume from the checkpoint before it: --resume {older}"
            raise


def extend_config(config: C, given: dict[str, Any], min_lengths: dict[str, int]) -> C:
    """Return a run's settings with a larger length.

    Args:
        config: The settings of the run.
        given: Settings given now.
        min_lengths: The settings that may grow, and the least that each may be.

    Raises:
        RequestError: Another setting differs, or a length is less than was planned or trained.
    """
    may_change = {field.name for field in fields(config) if field.metadata["may_change"]}  # type: ignore[arg-type]
    for name, value in given.items():
        if name in min_lengths:
            if value < min_lengths[name] and value != getattr(config, name):  # the last episode may have passed it
                raise RequestError(f"must be at least {min_lengths[name]}, the length already planned or trained", name)
        elif value != getattr(config, name) and name not in may_change:
            raise RequestError(f"cannot change from {getattr(config, name)!r} to {value!r} when resuming", name)
    return replace(config, **given)  # type: ignore[type-var]
