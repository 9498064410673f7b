"""What the two scripts share: flags made from the fields of `Config`, and errors that are one line and exit code 2."""

import argparse
import dataclasses
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from ddpg.config import PRESETS, Config
from ddpg.errors import RequestError, RunStopped
from ddpg.settings import value_type


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message alone, without the usage, and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def answer(program: str, command: Callable[[], int]) -> int:
    """Run a command and return its exit code: its own, 2 for a request that cannot be met, 1 for a stopped run."""
    try:
        return command()
    except RequestError as error:
        print(f"{program}: error: {error.for_command_line()}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{program}: error: {error.filename or 'the disk'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except RunStopped as error:
        if error.__cause__ is not None:  # the task's own code raised: its author needs the place
            traceback.print_exception(error.__cause__)
        print(f"{program}: stopped: {error}", file=sys.stderr)
        return 1


def import_tensorflow() -> None:
    """Import TensorFlow without the notes that its C++ side writes on stderr while it loads.

    They come before its log level applies, so the file descriptor itself is turned away.  A user who sets
    TF_CPP_MIN_LOG_LEVEL=0 has asked for them, and gets them.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        import tensorflow

        return
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object for argparse, which turns the error into one line."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"not JSON ({error}): {text!r}; write it like '{{\"g\": 9.81}}'") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"not a JSON object: {text!r}; write it like '{{\"g\": 9.81}}'")
    return value


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--preset` and one flag per field of `Config`."""
    parser.add_argument("--preset", choices=PRESETS, help="settings to start from (default: blog)")
    length = parser.add_mutually_exclusive_group()
    for field in dataclasses.fields(Config):
        add_flag(length if field.name in ("episodes", "steps") else parser, Config, field)


def add_flag(parser: argparse._ActionsContainer, settings: type, field: dataclasses.Field) -> None:
    """Add the flag of one field of a dataclass of settings; one that is not given leaves no trace in the namespace."""
    options: dict[str, Any] = {"default": argparse.SUPPRESS, "help": described(field)}
    kind = value_type(settings, field)
    if kind is bool:
        options["action"] = argparse.BooleanOptionalAction
    else:
        options["type"] = json_object if kind is dict else kind
        options["metavar"] = {int: "N", float: "X", str: "NAME", dict: "JSON"}[kind]
    if field.metadata["choices"]:
        options["metavar"] = "|".join(field.metadata["choices"])
    if isinstance(field.default, tuple):
        options |= {"nargs": 2, "metavar": ("N", "N")}
    parser.add_argument("--" + field.name.replace("_", "-"), **options)


def described(field: dataclasses.Field) -> str:
    """Return a field's line of help, with its default."""
    default = "none" if field.default in (None, dataclasses.MISSING) else field.default
    return f"{field.metadata['help']} (default: {default})".replace("%", "%%")


def given_settings(arguments: argparse.Namespace, settings: type = Config) -> dict[str, Any]:
    """Return the settings that were given as flags, and only those."""
    names = {field.name for field in dataclasses.fields(settings)}
    given = {name: value for name, value in vars(arguments).items() if name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def config_from(arguments: argparse.Namespace) -> Config:
    """Return the preset with the given flags laid over it.

    Raises:
        RequestError: The flags do not make a valid `Config`.
    """
    return dataclasses.replace(PRESETS[arguments.preset or "blog"], **given_settings(arguments))


def whole_number(least: int) -> Callable[[str], int]:
    """Return an argparse type for whole numbers of at least `least`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"not a whole number: {text!r}") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return parse
