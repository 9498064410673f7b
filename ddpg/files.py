"""Files that are always whole: atomic replacement, fsync, checksums, and a lock that a killed process cannot leave."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ddpg.errors import RequestError

try:
    import fcntl
except ImportError:  # Windows has no flock; two runs in one folder are then not noticed
    fcntl = None  # type: ignore[assignment]


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file that people can read, in one step."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    synchronise(partial)
    partial.replace(path)


def synchronise(path: Path) -> None:
    """Ask the system to put a file's or folder's content on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
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
