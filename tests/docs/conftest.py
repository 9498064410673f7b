"""A short run, made once by the command line, whose folder and output the pages describe."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ddpg.run.train import main

TINY = ["--hidden-units", "8", "8", "--batch-size", "8", "--buffer-size", "2000", "--no-jit-compile", "--no-progress"]
SCHEDULE = ["--steps", "600", "--evaluate-every", "400", "--evaluation-episodes", "1", "--checkpoint-every", "200"]


@dataclass(frozen=True)
class FinishedRun:
    """A finished run: its folder, and what `train.py` printed."""

    folder: Path
    output: str


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> FinishedRun:
    """Train Pendulum for three episodes; tests copy the folder before they change it."""
    from contextlib import redirect_stdout
    from io import StringIO

    place = tmp_path_factory.mktemp("documented")
    with redirect_stdout(StringIO()) as printed:
        paths = ["--run-dir", str(place / "run"), "--plot-dir", str(place / "plots")]
        assert main(["--env", "Pendulum-v1", *TINY, *SCHEDULE, *paths]) == 0
    return FinishedRun(place / "run", printed.getvalue())
