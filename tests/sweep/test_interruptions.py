"""Sweeps that are killed, stopped or started twice: no run is lost, and each ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.helpers.pages import ROOT
from tests.helpers.runs import assert_same_run
from tests.helpers.sweeps import LONG, TASK, start, train_alone, wait_for_rows, worker_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that the killed ones must equal."""
    folder = tmp_path_factory.mktemp("whole")
    train_alone(folder / "run", *LONG)
    return folder / "run"


def test_a_killed_worker_begins_again_at_its_checkpoint(tmp_path, whole):
    run = tmp_path / "s" / "Pendulum-v1" / "seed0"
    with start(tmp_path / "s", *LONG) as process:
        for rows in (4, 9):
            wait_for_rows(run / "episodes.csv", rows, process)
            os.kill(worker_of(run), signal.SIGKILL)
            time.sleep(0.5)
        out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert_same_run(whole, run)


def processes_with(text: str) -> list[str]:
    """Return the command lines with a text in them."""
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if text in line and "pytest" not in line]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_was_killed_or_stopped_goes_on_with_the_same_command(tmp_path, whole, number):
    run = tmp_path / "s" / "Pendulum-v1" / "seed0"
    with start(tmp_path / "s", *LONG) as process:
        wait_for_rows(run / "episodes.csv", 5, process)
        os.killpg(process.pid, number) if number == signal.SIGINT else os.kill(process.pid, number)
        out, err = process.communicate(timeout=100)
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert err == "stopping; the run saves first (again: stop at once, without saving)\n" \
            f"python -m ddpg.sweep: stopped; continue with: python -m ddpg.sweep train {' '.join(LONG)} " \
            f"--sweep-dir {tmp_path / 's'} --no-progress\n"  # fmt: skip
    deadline = time.monotonic() + 60
    while any("raylet" in line or "ray::" in line for line in processes_with(str(tmp_path))):
        assert time.monotonic() < deadline, "Ray outlived its sweep"
        time.sleep(0.5)
    before = (run / "episodes.csv").read_text().splitlines()
    with start(tmp_path / "s", *LONG) as process:
        out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert_same_run(whole, run)
    seconds = [line.rsplit(",", 1)[1] for line in (run / "episodes.csv").read_text().splitlines()]
    assert seconds[1:3] == [line.rsplit(",", 1)[1] for line in before[1:3]]  # these episodes were not repeated


BENCHMARK = """
import signal
import sys
from pathlib import Path

from benchmarks.common.sweeps import PatchedJob, carry_out
from ddpg.config import Config

signal.signal(signal.SIGINT, signal.SIG_IGN)
folder = Path(sys.argv[1])
settings = Config(steps=1_000_000, checkpoint_every=1_000_000, batch_size=8, hidden_units=(8, 8), threads=1)
carry_out(folder, [PatchedJob(folder / "run", settings)], {}, cores=1)
"""


def test_a_stopped_benchmark_saves_its_runs(tmp_path):
    """Also if a script has started it with `&`, where SIGINT is ignored: Ray asks its workers to stop as SIGINT does.

    Ray's workers block SIGINT, so the processes that they start for patched copies of the code do too.
    """
    command = [sys.executable, "-c", BENCHMARK, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        wait_for_rows(tmp_path / "run" / "episodes.csv", 2, process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=50)
    assert process.returncode == 143
    assert len(list((tmp_path / "run" / "checkpoints").glob("step-*"))) == 2, "the first one, and that of the stop"


def test_two_sweeps_into_one_folder_are_refused(tmp_path):
    endless = [*TASK, "--steps", "1000000"]
    with start(tmp_path / "s", *endless) as process:
        wait_for_rows(tmp_path / "s" / "Pendulum-v1" / "seed0" / "episodes.csv", 1, process)
        with start(tmp_path / "s", *endless) as second:
            _, err = second.communicate(timeout=100)
        assert second.returncode == 2
        assert "another process is using" in err and err.count("\n") == 1
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=100)
        assert "continue with" in err and process.returncode == 143
