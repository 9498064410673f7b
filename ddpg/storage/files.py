"""Files that are always complete, and the one way to write a file or to remove one: neither follows a link."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ddpg.errors import RequestError

SHORT = 40  # letters of a name that a name made from it keeps: a file name has at most 255 bytes


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file that people can read, atomically."""
    with replaced_file(path) as file:
        file.write(f"{json.dumps(value, indent=2)}\n".encode())


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a hidden name beside a file, to write to; the file gets its own name when it is complete."""
    partial = path.with_name(f".{path.name[:SHORT]}.partial")
    try:
        remove(partial)
        yield partial
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            remove(partial)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


@contextmanager
def replaced_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that takes the place of what has its name when it is complete."""
    with replaced(path) as partial, new_file(partial) as file:
        yield file


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


def short_name(name: str, ending: str) -> str:
    """Return a file name that a file system takes: a long one keeps its beginning, and a checksum of the whole."""
    if len((name + ending).encode()) <= 200:
        return name + ending
    return f"{name[:SHORT]}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:12]}{ending}"


def remove(path: Path) -> None:
    """Remove a file or a folder of this program, if it is there; of a link, the link alone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


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


def refuse_foreign(path: Path, is_own: Callable[[bytes], bool], what: str, setting: str | None) -> None:
    """Refuse to write over something that this program did not make.

    Args:
        path: What is to be written.
        is_own: Says by the first bytes of a file whether this program made it.
        what: What is to be written, such as "a picture".
        setting: The option that names the path.
    """
    if not path.exists() and not path.is_symlink():
        return
    if path.is_file() and not path.is_symlink():
        with path.open("rb") as file:
            if is_own(file.read(1_000)):
                return
    raise RequestError(f"{path} exists and is not {what} of this program; choose another name", setting)


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
