"""Flags made from settings, and those that several commands have."""

import argparse
import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ddpg.command.inputs import read_object
from ddpg.command.paths import absolute
from ddpg.errors import RequestError
from ddpg.settings.setting import from_json, is_pair, parse_value, text_of, value_type

T = TypeVar("T")


def integer_from(minimum: int) -> Callable[[str], int]:
    """Return an argparse type for whole numbers of at least `minimum`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"not a whole number: {text!r}") from None
        if value < minimum:
            raise argparse.ArgumentTypeError(f"must be at least {minimum}, got {value}")
        return value

    return parse


def add_setting_flags(parser: argparse.ArgumentParser, settings: type, exclusive: Sequence[str] = ()) -> None:
    """Add one flag per field of a dataclass of settings; a flag that is not given leaves no trace in the namespace.

    Args:
        parser: Where to add them.
        settings: The dataclass.
        exclusive: Fields of which only one may be given.
    """
    group: argparse._ActionsContainer = parser
    lengths: argparse._ActionsContainer | None = None
    for field in dataclasses.fields(settings):
        if field.metadata["group"]:
            group = parser.add_argument_group(field.metadata["group"])
        if field.name in exclusive:
            lengths = lengths or group.add_mutually_exclusive_group()
        add_setting_flag(lengths if lengths and field.name in exclusive else group, settings, field)


def add_setting_flag(parser: argparse._ActionsContainer, settings: type, field: dataclasses.Field) -> None:
    """Add the flag of one field."""
    kind = value_type(settings, field)
    options: dict[str, Any] = {"default": argparse.SUPPRESS, "help": described(field)}
    if kind is bool:
        options["action"] = argparse.BooleanOptionalAction
    else:
        options["type"] = functools.partial(parse_flag, field=field, kind=kind)
        options["metavar"] = {int: "N", float: "X", str: "NAME", dict: "JSON"}[kind]
    if field.metadata["choices"]:
        options["metavar"] = "|".join(field.metadata["choices"])
    if is_pair(field):
        low_high = {int: "NxN", float: "XxX"}[kind]
        options |= {"action": Pair, "nargs": "+", "const": options.pop("type"), "metavar": low_high}
    if field.metadata["paths"]:
        options |= {"action": Paths, "type": absolute, "nargs": "+", "metavar": field.metadata["paths"]}
    parser.add_argument("--" + field.name.replace("_", "-"), **options)


def parse_flag(text: str, field: dataclasses.Field, kind: type) -> Any:
    """Parse the value of a flag for argparse, which turns the error into one line."""
    try:
        return parse_value(text, field, kind)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Pair(argparse.Action):
    """Takes a pair as two words, or as the one that stands for it everywhere else, "400x300"; `const` parses that."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        """Store the pair."""
        try:
            setattr(namespace, self.dest, self.const("x".join(values)))
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentError(self, str(error)) from None


class Paths(argparse.Action):
    """Takes paths, whose checksums are not known yet."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        """Store the paths."""
        setattr(namespace, self.dest, dict.fromkeys(map(str, values), ""))


def described(field: dataclasses.Field) -> str:
    """Return a field's help line, with its default."""
    default = None if field.default is dataclasses.MISSING else field.default
    return f"{field.metadata['help']} (default: {text_of(default)})".replace("%", "%%")


def given_settings(arguments: argparse.Namespace, settings: type) -> dict[str, Any]:
    """Return the settings that were given as flags, and only those."""
    names = {field.name for field in dataclasses.fields(settings)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def read_settings(path: Path, settings: type[T]) -> T:
    """Return the settings in a file, such as the `config.json` of a run.

    Raises:
        RequestError: The file cannot be read or holds no valid settings.
    """
    try:
        found = read_object(path)
        found = found.get("config", found)
        if not isinstance(found, dict):
            raise ValueError("its settings are not a JSON object")
        return from_json(settings, found)
    except RequestError as error:
        raise RequestError(f"{path}: {error}", "config") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RequestError(f"{path} is not the config.json of a run ({reason})", "config") from None


def add_run_flags(parser: argparse.ArgumentParser, default_run_dir: str) -> None:
    """Add the flags of a run: its folder, its plots, its progress bar.

    Args:
        parser: Where to add them.
        default_run_dir: The default folder, for the help.
    """
    group = parser.add_argument_group("the run")
    group.add_argument(
        "--run-dir", type=absolute, metavar="DIR", help=f"new run directory (default: {default_run_dir})"
    )
    group.add_argument("--resume", type=absolute, metavar="DIR", help="resume the run in this directory")
    group.add_argument(
        "--plot-dir",
        type=absolute,
        metavar="DIR",
        default=absolute("plots"),
        help="directory of the plots (default: plots)",
    )
    group.add_argument(
        "--progress", action=argparse.BooleanOptionalAction, default=True, help="show a progress bar (default: yes)"
    )


def refuse_beside_resume(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    """Raise `RequestError` if an option was given that a resumed run cannot take."""
    for name in names:
        if getattr(arguments, name) is not None:
            raise RequestError("cannot be combined with --resume", name)
