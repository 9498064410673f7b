"""Files that are always whole: atomic replacement, fsync, checksums, and a lock that a killed process cannot leave."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ddpg.errors import RequestError

try:
    import fcntl
except ImportError:  # Windows has no flock; two runs in one folder are then not noticed
    fcntl = None  # type: ignore[assignment]


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file that people can read, in one step."""
    partial = path.with_name(path.name + ".partial")
    with new_file(partial) as file:
        file.write(f"{json.dumps(value, indent=2)}\n".encode())
    partial.replace(path)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a new file, never through a link that stands in its place, and put it on the disk; name it in errors."""
    try:
        path.unlink(missing_ok=True)
        with path.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say which file it was
        raise


def synchronise(path: Path) -> None:
    """Ask the system to put a file's or folder's content on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(descriptor)


def checksum(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_link(path: Path) -> None:
    """Refuse a symbolic link, which could lead anywhere."""
    if path.is_symlink():
        raise RequestError(f"{path} is a symbolic link", "checkpoint")


def may_write(path: Path) -> bool:
    """Say whether this process may write to a file or folder that exists."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def check_plot_folder(folder: Path) -> None:
    """Refuse a folder for the reward curve that could not be made or written to; a refused command writes nothing."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir() or not may_write(nearest):
        raise RequestError(f"cannot write to {folder}: {nearest} is not a folder that can be written to", "plot_dir")


class Lock:
    """Keeps a second run out of a run folder for as long as this process lives.

    The system drops the lock with the process, however it ends, so a killed run blocks nothing.

    Args:
        folder: The run folder.

    Raises:
        RequestError: Another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self.descriptor = os.open(folder, os.O_RDONLY) if fcntl else None
        if self.descriptor is not None:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.close()
                raise RequestError(
                    f"another process is running in {folder}; wait for it or stop it", "resume"
                ) from None

    def close(self) -> None:
        """Let others in."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
