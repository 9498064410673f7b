"""Runs for tests: made, resumed, stopped, read back and compared."""

import csv
import signal
from pathlib import Path

import numpy as np

from ddpg import Config
from ddpg.run.agent_state import load, open_checkpoint, variable_owners
from ddpg.run.progress import Progress
from ddpg.run.start import resume_run, start_run
from ddpg.run.training_run import TrainingRun
from ddpg.storage.checkpoint_format import named_variables
from ddpg.storage.checkpoints import find_checkpoint

# Networks small enough for a test, as flags.
SMALL = ("--hidden-units", "16", "16", "--batch-size", "16", "--no-jit-compile", "--buffer-size", "10000")


def finished_run(config: Config, run_dir: Path) -> TrainingRun:
    """Train a new run to its end; its curve goes into a folder `plots` beside it."""
    run = start_run(config, run_dir, run_dir.parent / "plots")
    run.train(show_progress=False)
    return run


def finish(path: Path, **given) -> TrainingRun:
    """Resume a run, given as its folder or a checkpoint, and train it to its end."""
    run_dir = path.parent.parent if path.parent.name == "checkpoints" else path
    run = resume_run(path, run_dir.parent / "plots", given)
    run.train(show_progress=False)
    return run


def release(run: TrainingRun) -> None:
    """Close the files of a run that is not trained."""
    run.folder.close()


def raise_after(monkeypatch, episode: int, number: int = signal.SIGINT) -> None:
    """Send this process a signal when the next runs reach the end of an episode."""
    show = Progress.show

    def show_and_raise(self, last):
        show(self, last)
        if last.number == episode:
            signal.raise_signal(number)

    monkeypatch.setattr(Progress, "show", show_and_raise)


def read_back(path: Path):
    """Return the agent of a checkpoint, or of a run's newest one, and what its `run.json` holds."""
    saved = open_checkpoint(find_checkpoint(path))
    agent, _ = load(saved)
    return agent, saved.description


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file without the wall clock."""
    with path.open(newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def contents(folder: Path) -> dict[Path, bytes]:
    """Return the content of every file below a folder."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def names(folder: Path, pattern: str = "*") -> list[str]:
    """Return the sorted names of what lies in a folder."""
    return sorted(path.name for path in folder.glob(pattern))


def assert_same_run(one: Path, other: Path, settings: bool = True) -> None:
    """Compare two runs bit for bit: logs, networks, optimizers, replay buffers; and the rest unless told otherwise."""
    for name in ("episodes", "evaluations", "updates"):
        assert csv_rows(one / f"{name}.csv") == csv_rows(other / f"{name}.csv")
    (agent, description), (again, description_again) = read_back(one), read_back(other)
    if settings:
        for state in (description["run"], description_again["run"]):
            state.update(seconds=0, csv_sizes={}, csv_ends={})  # the digits of the seconds change the sizes
        assert description == description_again
    np.testing.assert_array_equal(agent.replay_buffer.rows, again.replay_buffer.rows)
    assert agent.replay_buffer.added == again.replay_buffer.added
    variables, variables_again = (named_variables(variable_owners(each)) for each in (agent, again))
    for name, variable in variables.items():
        np.testing.assert_array_equal(variable, variables_again[name], err_msg=name)
