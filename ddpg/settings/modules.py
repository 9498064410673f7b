"""A module of the user's that a setting names, as in `module:Name-v0`: found in the working directory too."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ddpg.errors import RequestError


@contextmanager
def importable_working_directory() -> Iterator[None]:
    """Let a module of the user's be imported from the working directory, as `python -m` does."""
    folder = os.getcwd()
    if folder in sys.path or "" in sys.path:
        yield
        return
    sys.path.append(folder)  # for good: the module may import its neighbors later
    yield


def refuse_missing_module(module: str, error: BaseException, setting: str) -> None:
    """Raise `RequestError` if the cause of an error is that there is no such module."""
    if module and missing_module(error) in (module, module.split(".")[0]):
        raise RequestError(
            f"there is no module {module!r} in {os.getcwd()} or on PYTHONPATH; set PYTHONPATH to its folder, "
            "or install it",
            setting,
        ) from None


def missing_module(error: BaseException | None) -> str | None:
    """Return the name of the module that could not be found, if that is the cause of an error."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            return error.name
        error = error.__cause__ or error.__context__
    return None
