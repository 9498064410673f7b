"""Paths as users write them: absolute before a task can change the working directory, and shown as they were meant."""

import argparse
import os
import re
from collections.abc import Iterable
from pathlib import Path

from ddpg.errors import RequestError


class UnusablePath(RequestError, argparse.ArgumentTypeError):
    """A path that cannot be written down everywhere; argparse shows its words as they are."""


def absolute(path: str | Path) -> Path:
    """Return a path with its tilde expanded and the working directory before it.

    Raises:
        RequestError: Its name is not Unicode, so that JSON files and pictures could not hold it.
    """
    try:
        if b"\0" in str(path).encode():
            raise ValueError
    except ValueError:
        shown = str(path).encode(errors="replace").decode()
        raise UnusablePath(f"the name {shown!r} has bytes that are no UTF-8 text; choose another name") from None
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:  # no such user, or one without a home
        return Path(path).absolute()


def refuse_same(path: Path | None, others: Iterable[Path | None], setting: str) -> None:
    """Refuse an output that would take the place of an input or of another output.

    Args:
        path: The output, or None.
        others: The inputs and the other outputs, as far as there are any.
        setting: The option that names the output.
    """
    if path and os.path.realpath(path) in {os.path.realpath(other) for other in others if other}:
        raise RequestError(f"{path} is there twice on the command line; choose another name", setting)


def shown(path: Path, start: Path) -> Path:
    """Return an absolute path as a user in the folder `start` would write it.

    It stays absolute if a command would read what follows `start` as a flag or as a home folder.
    """
    below = path.is_relative_to(start) and path != start
    return path.relative_to(start) if below and str(path.relative_to(start))[0] not in "-~" else path


def with_shown_paths(text: str, start: Path) -> str:
    """Return a message with all paths below the folder `start` as a user there would write them."""
    if start == Path(start.anchor):
        return text
    return re.sub(rf"{re.escape(str(start))}(?=[\s,;:)]|$)", ".", text.replace(f"{start}{os.sep}", ""))
