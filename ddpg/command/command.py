"""What all commands share: their names, errors in one line, exit codes, and how a run ends."""

import argparse
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ddpg.errors import RequestError, RunStopped

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
