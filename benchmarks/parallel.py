"""Run many short jobs that all need TensorFlow: it is imported once, and each job runs in a fork of this process.

Importing TensorFlow before a fork is harmless, but using it is not. So this process must not use it. It must not import
`ddpg` either, because a job may bring a copy of its own. Forks exist on Linux and macOS.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

HEAVY_MODULES = ("gymnasium", "keras", "matplotlib.figure")


def import_quietly(modules: Sequence[str]) -> None:
    """Import modules without the notes that TensorFlow's C++ side writes to stderr meanwhile."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        for name in modules:
            importlib.import_module(name)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def run_in_parallel(
    jobs: Sequence[tuple[Callable[[], int | None], Path]],
    max_processes: int,
    imports: Sequence[str] = HEAVY_MODULES,
) -> list[int]:
    """Run each job in its own process, and return the exit codes.

    Args:
        jobs: Functions, each with the file that receives its stdout and stderr.
        max_processes: How many run at once.
        imports: Modules to import before the first fork.
    """
    import_quietly(imports if jobs else ())
    running: dict[int, int] = {}
    codes = [0] * len(jobs)

    def wait_for_one() -> None:
        process, status = os.wait()
        codes[running.pop(process)] = os.waitstatus_to_exitcode(status)

    for index, (function, log) in enumerate(jobs):
        if len(running) == max_processes:
            wait_for_one()
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            os._exit(run_with_log(function, log))
        running[process] = index
    while running:
        wait_for_one()
    return codes


def run_with_log(function: Callable[[], int | None], log: Path) -> int:
    """Call a function with stdout and stderr redirected to a file, and return its exit code."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        code = function() or 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code
