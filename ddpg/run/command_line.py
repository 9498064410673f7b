"""What the commands share: flags made from settings, errors in one line, exit codes, and how a run ends."""

import argparse
import dataclasses
import importlib.util
import json
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ddpg.errors import RequestError, RunStopped
from ddpg.settings import value_type

COMMANDS = {  # how each command is typed in a checkout, beside its name where the package is installed
    "ddpg-train": ("python", "train.py"),
    "ddpg-evaluate": ("python", "evaluate.py"),
    "ddpg-molgan": ("python", "-m", "ddpg.molgan"),
    "ddpg-export": ("python", "-m", "ddpg.export"),
    "ddpg-sweep": ("python", "-m", "ddpg.sweep"),
}


class Parser(argparse.ArgumentParser):
    """An argument parser that reports errors in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message alone, without the usage, and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def command_words(name: str) -> tuple[str, ...]:
    """Return how a command is typed here: by its name if this process was started so, else by its script."""
    return (name,) if Path(sys.argv[0]).stem in COMMANDS else COMMANDS[name]


def program_name(name: str) -> str:
    """Return what a command is called in messages, such as "train.py" or "ddpg-train"."""
    words = command_words(name)
    return words[-1] if len(words) == 2 else " ".join(words)


def run_command(program: str, command: Callable[[], int]) -> int:
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
        if error.__cause__ is not None:  # the task's own code raised: its author needs the traceback
            traceback.print_exception(error.__cause__)
        print(f"{program}: stopped: {error}", file=sys.stderr)
        return 1


def require_package(package: str, what: str) -> None:
    """Raise `RequestError` if a package is not installed.

    Args:
        package: Its name.
        what: What needs it, such as "MolGAN needs RDKit".
    """
    if importlib.util.find_spec(package) is None:
        raise RequestError(f"{what}; install it with: pip install {package}")


def import_tensorflow() -> None:
    """Import TensorFlow without the notes that its C++ side writes on stderr while it loads.

    They come before its log level applies, so the file descriptor itself is redirected. A user who sets
    TF_CPP_MIN_LOG_LEVEL=0 has asked for them, and gets them.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        import tensorflow

        return
    with silent_stderr():
        import tensorflow  # noqa: F401


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard what this process writes on stderr, C++ code included."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object for argparse, which turns the error into one line."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(
            f"not JSON ({error}): {text[:200]!r}; write it like '{{\"g\": 9.81}}'"
        ) from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"not a JSON object: {text[:200]!r}; write it like '{{\"g\": 9.81}}'")
    return value


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


def add_setting_flags(
    parser: argparse.ArgumentParser,
    settings: type,
    groups: dict[str, str],
    exclusive: Sequence[str] = (),
) -> None:
    """Add one flag per field of a dataclass of settings; a flag that is not given leaves no trace in the namespace.

    Args:
        parser: Where to add them.
        settings: The dataclass.
        groups: The first field of each group and the group's title.
        exclusive: Fields of which only one may be given.
    """
    group: argparse._ActionsContainer = parser
    lengths: argparse._ActionsContainer | None = None
    for field in dataclasses.fields(settings):
        if field.name in groups:
            group = parser.add_argument_group(groups[field.name])
        if field.name in exclusive:
            lengths = lengths or group.add_mutually_exclusive_group()
        add_setting_flag(lengths if lengths and field.name in exclusive else group, settings, field)


def add_setting_flag(parser: argparse._ActionsContainer, settings: type, field: dataclasses.Field) -> None:
    """Add the flag of one field."""
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
    """Return a field's help line, with its default."""
    default = "none" if field.default in (None, dataclasses.MISSING) else field.default
    return f"{field.metadata['help']} (default: {default})".replace("%", "%%")


def given_settings(arguments: argparse.Namespace, settings: type) -> dict[str, Any]:
    """Return the settings that were given as flags, and only those."""
    names = {field.name for field in dataclasses.fields(settings)}
    given = {name: value for name, value in vars(arguments).items() if name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def add_run_flags(parser: argparse.ArgumentParser, default_run_dir: str) -> None:
    """Add the flags of a run: its folder, its plots, its progress bar.

    Args:
        parser: Where to add them.
        default_run_dir: The default folder, for the help.
    """
    group = parser.add_argument_group("the run")
    group.add_argument("--run-dir", type=Path, metavar="DIR", help=f"new run directory (default: {default_run_dir})")
    group.add_argument("--resume", type=Path, metavar="DIR", help="resume the run in this directory")
    group.add_argument(
        "--plot-dir", type=Path, metavar="DIR", default=Path("plots"), help="directory of the plots (default: plots)"
    )
    group.add_argument(
        "--progress", action=argparse.BooleanOptionalAction, default=True, help="show a progress bar (default: yes)"
    )


def refuse_beside_resume(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    """Raise `RequestError` if an option was given that a resumed run cannot take."""
    for name in names:
        if getattr(arguments, name) is not None:
            raise RequestError("cannot be combined with --resume", name)


class RunOfAnyKind(Protocol):
    """What `run_to_end` needs of a run."""

    notes: Sequence[str]
    folder: Any

    def train(self, show_progress: bool = True) -> None:
        """Carry out the run."""


def run_to_end(command: str, run: RunOfAnyKind, arguments: argparse.Namespace, *words: str) -> int:
    """Train; if the user stops the run, print how to resume it.

    Args:
        command: A name out of `COMMANDS`.
        run: The run.
        arguments: Those of `add_run_flags`.
        words: What follows the command before `--resume`, such as a subcommand.

    Returns:
        The exit code: 0, or 128 + the signal that stopped the run.
    """
    program = program_name(command)
    plots = [] if arguments.plot_dir == Path("plots") else ["--plot-dir", str(arguments.plot_dir)]
    resume = shlex.join([*command_words(command), *words, "--resume", str(run.folder.path), *plots])
    for note in run.notes:
        print(f"{program}: note: {note}", file=sys.stderr)
    try:
        run.train(arguments.progress)
    except KeyboardInterrupt:  # the second signal
        print(f"{program}: interrupted; resume with: {resume}", file=sys.stderr)
        return 128 + (run.folder.stop.signal_number or signal.SIGINT)
    if run.folder.stop.signal_number:
        print(f"{program}: stopped; resume with: {resume}", file=sys.stderr)
        return 128 + run.folder.stop.signal_number
    return 0
