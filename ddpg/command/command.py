"""What all commands share: their names, errors in one line, exit codes, and how a run ends."""

import argparse
import shlex
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ddpg.command.paths import shown, with_shown_paths
from ddpg.command.streams import BROKEN_PIPE, note, prepare_streams, silence
from ddpg.errors import RequestError, RunStopped

COMMANDS = {  # how each command is typed in a checkout, beside its name where the package is installed
    "ddpg-train": ("python", "train.py"),
    "ddpg-evaluate": ("python", "evaluate.py"),
    "ddpg-molgan": ("python", "-m", "ddpg.molgan"),
    "ddpg-export": ("python", "-m", "ddpg.export"),
    "ddpg-sweep": ("python", "-m", "ddpg.sweep"),
}


class Parser(argparse.ArgumentParser):
    """An argument parser that reports errors in one line, and remembers the folder that the command was started in."""

    def error(self, message: str) -> NoReturn:
        """Print the message alone, without the usage, and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")

    def parse_known_args(self, args=None, namespace=None):
        """Parse; `start` is the working directory, which a task may change."""
        namespace, rest = super().parse_known_args(args, namespace)
        namespace.start = Path.cwd()
        return namespace, rest


def command_words(name: str, start: Path) -> tuple[str, ...]:
    """Return how a command is typed in the folder `start`: by its name if it was started so, else by its script.

    The words work when they are pasted into the shell that started this process, also without an activated virtual
    environment and outside of the checkout.
    """
    if Path(sys.argv[0]).stem in COMMANDS:
        return (name if shutil.which(name) else str(Path(sys.argv[0]).with_name(name)),)
    _, *words = COMMANDS[name]
    if words[0] != "-m" and not (start / words[0]).exists():
        words[0] = str(Path(__file__).parents[2] / words[0])
    return (interpreter(start), *words)


def interpreter(start: Path) -> str:
    """Return how the interpreter that runs is typed in the folder `start`: "python" if it means that, else its path."""
    if shutil.which("python") and Path(str(shutil.which("python"))).absolute() == Path(sys.executable).absolute():
        return "python"
    return str(shown(Path(sys.executable), start))


def program_name(name: str) -> str:
    """Return what a command is called in messages, such as "train.py" or "ddpg-train"."""
    if name not in COMMANDS or Path(sys.argv[0]).stem in COMMANDS:
        return name
    words = COMMANDS[name]
    return words[-1] if len(words) == 2 else " ".join(words)


def run_command(name: str, command: Callable[[], int]) -> int:
    """Run a command with prepared streams, and return its exit code.

    It is the command's own; 2 for a request that cannot be met; 1 for a stopped run, or results that nobody can read;
    130 for Ctrl-C; 141 if the reader of its results has gone.
    """
    prepare_streams()
    program = program_name(name)
    try:
        start = Path.cwd()
    except FileNotFoundError:
        note(f"{program}: error: the working directory was deleted; change into another one with cd")
        return 2
    try:
        code = command()
        sys.stdout.flush()
        return code
    except RequestError as error:
        text = error.for_command_line().replace("\n", "\\n")  # in the name of a file
        note(with_shown_paths(f"{program}: error: {text}", start))
        return 2
    except BrokenPipeError:
        silence(sys.stdout, 1)
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is None:  # every file is named where it is written
            note(f"{program}: error: cannot write to the standard output: {error.strerror or error}")
            silence(sys.stdout, 1)
            return 1
        note(with_shown_paths(f"{program}: error: {error.filename}: {error.strerror or error}", start))
        return 2
    except KeyboardInterrupt:
        return 130
    except RunStopped as error:
        if error.__cause__ is not None:  # the task's own code raised: its author needs the traceback
            note("".join(traceback.format_exception(error.__cause__)).rstrip())
        note(with_shown_paths(f"{program}: stopped: {error}", start))
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
    program, start = program_name(command), arguments.start
    plots = [] if arguments.plot_dir == start / "plots" else ["--plot-dir", str(shown(arguments.plot_dir, start))]
    address = ["--address", arguments.address] if getattr(arguments, "address", None) else []
    flags = ["--resume", str(shown(run.folder.path, start)), *plots, *address]
    resume = shlex.join([*command_words(command, start), *words, *flags])
    for each in run.notes:
        note(f"{program}: note: {each}")
    outcome, number = "stopped", 0
    try:
        run.train(arguments.progress)
        number = run.folder.stop.signal_number or 0
    except KeyboardInterrupt:  # the second signal
        outcome, number = "interrupted", run.folder.stop.signal_number or signal.SIGINT
    if not number:
        return 0
    advice = f"; resume with: {resume}" if run.folder.has_checkpoint else " before anything was trained"
    note(f"{program}: {outcome}{advice}")
    return 128 + number
