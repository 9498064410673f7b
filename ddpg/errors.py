"""The two errors that are not bugs of this package, and what to do about those that other libraries raise."""

import os
import re
import shlex
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

OTHERS = (Exception, SystemExit)  # what code of others may raise: its sys.exit is not the end of this program

OLD_GYM = "for a task of the old gym see docs/other-tasks.md"
KNOWN_MISTAKES = {  # what is said of a task that was written for another library or version, and what to do about it
    r"unexpected keyword argument '(seed|options)'": f"write def reset(self, *, seed=None, options=None); {OLD_GYM}",
    r"to unpack \(expected 2|tuple of the form `\(obs, info\)`": f"its reset must return (state, info); {OLD_GYM}",
    r"to unpack \(expected 5|step result to be a tuple": "its step must return (state, reward, terminated, truncated, "
    f"info); {OLD_GYM}",
    r"string indices must be integers, not 'str'": f"its reset must return (state, info); {OLD_GYM}",  # the keys
    r"cannot unpack non-iterable": "its reset must return (state, info); its step must return (state, reward, "
    f"terminated, truncated, info); {OLD_GYM}",
    r"must inherit from the gymnasium\.Env": f"its class must be a gymnasium.Env, not a gym.Env; {OLD_GYM}",
    r"inherit from `gymnasium\.spaces": f"its spaces must be those of gymnasium.spaces, not of gym; {OLD_GYM}",
    r"was not a dictionary": "info must be a dictionary, such as {}",
    r"^No module named 'gym'": f"write import gymnasium as gym; {OLD_GYM}",
    r"^No module named": "install what it needs, or set PYTHONPATH to its folder",
}

CONVERSIONS = ("__array__", "__bool__", "__float__", "__index__", "__int__", "__iter__", "__len__")


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


class WrongValue(TypeError):
    """A value of others that is not what it should be; the message, one line, says why."""


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
    if isinstance(error, SystemExit):
        return f"sys.exit({error.code!r})"
    if text := " ".join(str(error).split())[:300]:
        return text
    places = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(places[-1].filename).name}, line {places[-1].lineno}" if places else ""
    return f"{type(error).__name__}{place}"


def install(packages: str) -> str:
    """Return the command that installs packages for the interpreter that runs, also where the shell has another."""
    found = shutil.which("python")
    is_found = found and Path(found).absolute() == Path(sys.executable).absolute()
    return f"{'pip' if is_found else f'{shlex.quote(sys.executable)} -m pip'} install {packages}"


def shown_value(value: Any, most: int = 100, text: Callable[[Any], str] = repr) -> str:
    """Return a value of others in one line, as a message shows it."""
    try:
        return " ".join(text(value).split())[:most]
    except OTHERS:
        return f"of {type(value)}"


def array_of(value: Any) -> np.ndarray:
    """Return a value of others as an array.

    Raises:
        WrongValue: It cannot become one, such as a tensor that still has gradients.
    """
    try:
        return np.asarray(value)
    except OTHERS as error:
        raise WrongValue(f"it cannot become an array of numbers ({one_line(error)})") from None


def advice_on(error: BaseException) -> str | None:
    """Return what to do about an error of a task, if it is a known one of the libraries that people bring."""
    for pattern, advice in KNOWN_MISTAKES.items():
        if re.search(pattern, str(error)):
            return advice
    if _is_raised_in(error, "mujoco"):
        return "its package may need an older MuJoCo: see docs/other-tasks.md#mujocos-versions"
    return None


def with_advice(text: str, error: BaseException) -> str:
    """Return a text about an error of a task, with what to do about it if that is known."""
    advice = advice_on(error)
    return f"{text}; {advice}" if advice else text


def cause_for_its_author(error: BaseException) -> BaseException | None:
    """Return an error; None if its traceback shows no code of an author's, or if a line says more."""
    gymnasium = f"{os.sep}gymnasium{os.sep}"
    known = (gymnasium, f"{os.sep}numpy{os.sep}", f"{Path(__file__).parent}{os.sep}")
    if all(any(part in file for part in known) for file in _files(error)):
        return None
    if _is_raised_in(error, "passive_env_checker.py", known[-1]) or (
        _is_raised_in(error, gymnasium) and advice_on(error)
    ):
        return None
    return error


def _is_raised_in(error: BaseException, *parts: str) -> bool:
    """Return whether an error comes from a file whose path contains one of the parts."""
    return any(part in file for file in _files(error)[-1:] for part in parts)


def _files(error: BaseException) -> list[str]:
    """Return the files that an error came through, without the methods by which a value is converted."""
    places = traceback.extract_tb(error.__traceback__)
    return [place.filename for place in places if place.name not in CONVERSIONS]


@contextmanager
def warnings_unless_it_fails() -> Iterator[None]:
    """Show warnings once the `with` block is over, and none if it raises: a refusal is one line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
