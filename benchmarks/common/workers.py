"""Contenders in processes of their own, each of which waits for its turn."""

import os
import subprocess
import sys
from typing import Any

from benchmarks.common.numpy_baseline import default_kernel_environment
from benchmarks.common.output import ROOT

SEARCH_PATH = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


ENVIRONMENT = default_kernel_environment() | {"PYTHONPATH": SEARCH_PATH, "TF_CPP_MIN_LOG_LEVEL": "3"}


class Worker:
    """A contender in its own process, which waits for its turn.

    Args:
        name: The contender.
        arguments: What it is told: a task, a size of minibatches, updates.
        module: The program that has the contender.
        environment: Its environment variables.

    Attributes:
        kernel: The BLAS kernel that its NumPy uses.
    """

    def __init__(
        self,
        name: str,
        *arguments: Any,
        module: str = "benchmarks.speed.contenders",
        environment: dict[str, str] = ENVIRONMENT,
    ) -> None:
        self.name, self.module = name, module
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, name, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.kernel = self._answer("kernel")

    def steps_per_second(self, length: float) -> float:
        """Let it run the given number of steps, or of seconds: as its module counts."""
        self.start(length)
        return self.finish()

    def start(self, length: float) -> None:
        """Let it run, without waiting for the end."""
        assert self.process.stdin
        self.process.stdin.write(f"{length}\n")
        self.process.stdin.flush()

    def finish(self) -> float:
        """Wait for the end of what was started; return the steps per second."""
        return float(self._answer("speed"))

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()

    def _answer(self, word: str) -> str:
        """Return the rest of the next line that begins with a word."""
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith(f"{word} "):
                return line.removeprefix(f"{word} ").strip()
        raise SystemExit(f"{self.name} ended early; run python -m {self.module} by hand to see why")
