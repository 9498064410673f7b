"""Files that are always complete: atomic replacement, fsync and checksums."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ddpg.errors import RequestError


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file that people can read, atomically."""
    partial = path.with_name(path.name + ".partial")
    with new_file(partial) as file:
        file.write(f"{json.dumps(value, indent=2)}\n".encode())
    partial.replace(path)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a new file, never through a link in its place, and flush it to the disk; name it in errors."""
    try:
        path.unlink(missing_ok=True)
        with path.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say which file it was
        raise


def fsync_path(path: Path) -> None:
    """Flush the content of a file or folder to the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot flush a folder
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
        raise RequestError(f"{path} is a symbolic link; replace it with the folder or file itself")


def is_writable(path: Path) -> bool:
    """Return whether this process may write to an existing file or folder."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def check_plot_dir(plot_dir: Path) -> None:
    """Refuse a folder for plots that could not be created or written to."""
    existing = existing_parent(plot_dir)
    if not existing.is_dir() or not is_writable(existing):
        raise RequestError(f"cannot write to {plot_dir}: {existing} is not a writable folder", "plot_dir")


def existing_parent(path: Path) -> Path:
    """Return a path itself, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())
