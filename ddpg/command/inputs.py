"""Files that anybody may have written, read up to a sane size: a device or a wrong file must not fill the memory."""

import json
import os
from pathlib import Path
from typing import Any

from ddpg.errors import RequestError

MOST_BYTES = 2**26
UNUSABLE = (  # what reading such a file, and using its values, can raise
    OSError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError
)  # fmt: skip


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """Return the text of a file, without the byte order mark that some editors write at its start.

    Raises:
        OSError: It cannot be read.
        ValueError: It has more than `most` bytes, or is not UTF-8.
    """
    size = path.stat().st_size
    if size > most:
        raise ValueError(f"it has {size} bytes")
    with open(path, "rb", opener=open_without_waiting) as file:
        content = file.read(size or most + 1)  # Python sets as much memory aside as is asked for
    if len(content) > most:  # a device, which has no size
        raise ValueError(f"it has more than {most} bytes")
    return content.decode("utf-8-sig")


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe that nobody writes to is empty, where `open` would wait for ever."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(descriptor, True)
    return descriptor


def require_file(path: Path, setting: str | None = None) -> Path:
    """Return a path; raise `RequestError` if it is a pipe or a device, which may have no end, or a folder.

    Whether there is anything at all is left to whoever opens it.
    """
    if path.exists() and not path.is_file():
        raise RequestError(f"{path} is not an ordinary file; copy what it gives into one", setting)
    return path


def read_object(path: Path, most: int = MOST_BYTES) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It has more than `most` bytes, or is no JSON object.
    """
    try:
        value = json.loads(read_text(path, most))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value
