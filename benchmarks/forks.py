"""Many short jobs that all need TensorFlow: it is imported once, and each job runs in a fork of this process.

Importing TensorFlow before a fork is harmless, using it is not; so this process must not use it, nor import `ddpg`, of
which a job may bring a copy of its own.  Forks exist on Linux and macOS.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path


def import_heavy_modules() -> None:
    """Import what every job needs, without the notes that TensorFlow's C++ side writes on stderr meanwhile."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        for name in ("gymnasium", "keras", "matplotlib.figure"):
            importlib.import_module(name)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def in_forks(jobs: Sequence[tuple[Callable[[], int | None], Path]], at_a_time: int) -> list[int]:
    """Run each job in a process of its own, a few at a time, and return their exit codes.

    Args:
        jobs: Functions, each with the file for what it writes to stdout and stderr.
        at_a_time: How many run at once.
    """
    import_heavy_modules()
    running: dict[int, int] = {}
    codes = [0] * len(jobs)

    def wait_for_one() -> None:
        process, status = os.wait()
        codes[running.pop(process)] = os.waitstatus_to_exitcode(status)

    for index, (function, log) in enumerate(jobs):
        if len(running) == at_a_time:
            wait_for_one()
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            os._exit(logged(function, log))
        running[process] = index
    while running:
        wait_for_one()
    return codes


def logged(function: Callable[[], int | None], log: Path) -> int:
    """Call a function with stdout and stderr going to a file; return its exit code."""
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
