"""The two errors that are not bugs of this package."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class RequestError(ValueError):
    """A request that cannot be met; the message says what is wrong and what would work.

    Args:
        message: One line: what is wrong and what would work.
        setting: The `Config` field or command-line option at fault, in snake case, or None.
    """

    def __init__(self, message: str, setting: str | None = None) -> None:
        super().__init__(message, setting)
        self.message = message
        self.setting = setting

    def __str__(self) -> str:
        return f"{self.setting}: {self.message}" if self.setting else self.message

    def for_command_line(self) -> str:
        """Return the message as a shell user should read it, naming the flag."""
        return f"--{self.setting.replace('_', '-')}: {self.message}" if self.setting else self.message


class RunStopped(RuntimeError):
    """A run that cannot continue: the task raised or returned nonsense, the networks became NaN, or the disk failed."""


@contextmanager
def blame(setting: str) -> Iterator[None]:
    """Name the setting at fault in errors that name none, such as those of functions that read files."""
    try:
        yield
    except RequestError as error:
        error.setting = error.setting or setting
        raise


def one_line(error: BaseException) -> str:
    """Return an error in one line: what it says, or its kind and place if it says nothing."""
    if text := " ".join(str(error).split())[:300]:
        return text
    places = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(places[-1].filename).name}, line {places[-1].lineno}" if places else ""
    return f"{type(error).__name__}{place}"
