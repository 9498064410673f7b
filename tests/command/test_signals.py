"""The first signal stops a run within one step of its task, the second one at once; both say how to resume it."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ddpg.command.command import run_to_end
from ddpg.command.signals import StopRequest
from ddpg.run import train
from ddpg.run.progress import Progress
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL, assert_same_run, names, raise_after

pytestmark = pytest.mark.usefixtures("without_plots")

UNTRAINED = ("--env", "Endless-v0", "--learning-starts", "10000", "--evaluation-episodes", "1", "--no-progress", *SMALL)
STOPPING = StopRequest().answer
TRAIN = ROOT / "train.py"
NOTE = (
    "train.py: note: no update is to be expected: updates start at step 10000 "
    "(--batch-size, --learning-starts), and the run has at most 50 steps"
)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_at_the_end_of_an_episode_saves_it_and_the_command_printed_resumes_it(
    tmp_path, capsys, monkeypatch, number, code
):
    monkeypatch.chdir(tmp_path)
    flags = [*UNTRAINED, "--episodes", "5"]
    assert train.main([*flags, "--run-dir", "whole"]) == 0
    capsys.readouterr()
    with monkeypatch.context() as patch:
        raise_after(patch, 2, number)
        assert train.main([*flags, "--run-dir", "run"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"{NOTE}\n{STOPPING}\ntrain.py: stopped; resume with: python {TRAIN} --resume run\n"
    assert names(tmp_path / "run" / "checkpoints", "step-*")[-1] == "step-000000020"
    assert train.main(["--resume", "run", "--no-progress"]) == 0
    assert_same_run(tmp_path / "whole", tmp_path / "run")


def test_a_plot_folder_of_ones_own_is_part_of_the_command_that_resumes(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/ddpg-train"])
    raise_after(monkeypatch, 1)
    places = ["--run-dir", str(tmp_path / "a run"), "--plot-dir", str(tmp_path / "plots")]
    assert train.main([*UNTRAINED, "--episodes", "5", *places]) == 130
    line = capsys.readouterr().err.splitlines()[-1]
    words = shlex.split(line.partition("ddpg-train: stopped; resume with: ")[2])
    assert words == [
        "/usr/local/bin/ddpg-train",
        "--resume",
        str(tmp_path / "a run"),
        "--plot-dir",
        str(tmp_path / "plots"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "code"), [(signal.SIGINT, signal.SIGINT, 130), (signal.SIGTERM, signal.SIGINT, 143)]
)
def test_a_second_signal_stops_at_once_and_prints_the_command_that_resumes(
    tmp_path, capsys, monkeypatch, first, second, code
):
    monkeypatch.chdir(tmp_path)
    show = Progress.show

    def show_and_raise_twice(self, episode):
        show(self, episode)
        if episode.number == 2:
            signal.raise_signal(first)
            signal.raise_signal(second)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "show", show_and_raise_twice)
        flags = [*UNTRAINED, "--episodes", "5", "--checkpoint-every", "10"]
        assert train.main([*flags, "--run-dir", "run"]) == code
    expected = f"{NOTE}\n{STOPPING}\ntrain.py: interrupted; resume with: python {TRAIN} --resume run\n"
    assert capsys.readouterr().err == expected
    assert train.main(["--resume", "run", "--no-progress"]) == 0


def test_ctrl_c_before_the_run_begins_ends_quietly_with_130(monkeypatch, capsys):
    monkeypatch.setattr(train, "given_settings", lambda *_: signal.raise_signal(signal.SIGINT))
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs without one
    try:
        assert train.main([]) == 130
    finally:
        signal.signal(signal.SIGINT, handler)
    assert capsys.readouterr() == ("", "")


def started(folder: Path, *flags: str) -> subprocess.Popen:
    """Start a real `train.py`, as a user does."""
    variables = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    variables["PYTHONPATH"] = str(ROOT)  # for the tasks in tests/helpers/tasks.py
    command = [sys.executable, ROOT / "train.py", "--run-dir", "run", "--no-progress", *SMALL, *flags]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=variables)


def wait_for_episodes(process: subprocess.Popen, path: Path, count: int) -> None:
    """Return when so many episodes are logged."""
    for _ in range(900):
        if path.exists() and len(path.read_text().splitlines()) > count:
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    pytest.fail("the process logs no episodes")


def test_a_signal_ends_a_real_process_with_one_line_and_a_checkpoint(tmp_path):
    """One line: none of what TensorFlow's C++ side writes on stderr while it loads, and no traceback."""
    with started(tmp_path, "--episodes", "100000", "--evaluation-episodes", "1") as process:
        try:
            wait_for_episodes(process, tmp_path / "run" / "episodes.csv", 2)
            process.send_signal(signal.SIGTERM)
            _, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert error == f"{STOPPING}\ntrain.py: stopped; resume with: python {TRAIN} --resume run\n"
    assert process.returncode == 143
    logged = (tmp_path / "run" / "episodes.csv").read_text().splitlines()[-1].split(",")[1]
    saved = int(names(tmp_path / "run" / "checkpoints", "step-*")[-1].removeprefix("step-"))
    assert 0 < saved <= int(logged)  # the last end of an episode that was kept in memory


@pytest.mark.slow
def test_a_second_signal_ends_a_real_process_in_the_middle_of_a_step(tmp_path):
    flags = ("--env", "tests.helpers.tasks:Sleeping-v0", "--episodes", "9", "--evaluation-episodes", "1")
    with started(tmp_path, *flags) as process:
        try:
            wait_for_episodes(process, tmp_path / "run" / "episodes.csv", 1)
            time.sleep(2)  # the step takes a minute
            process.send_signal(signal.SIGINT)
            time.sleep(2)  # a second signal of the same number that comes too soon is lost
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=40)
        finally:
            process.kill()
    assert error == f"{STOPPING}\ntrain.py: interrupted; resume with: python {TRAIN} --resume run\n"
    assert process.returncode == 130


def test_notes_come_before_the_run_begins(capsys):
    """A user should know at once, not after a night."""
    seen = []
    run = SimpleNamespace(
        notes=["one", "two"],
        folder=SimpleNamespace(path=Path("run").absolute(), stop=SimpleNamespace(signal_number=None)),
        train=lambda show_progress: seen.append((show_progress, capsys.readouterr().err)),
    )
    arguments = SimpleNamespace(plot_dir=Path("plots").absolute(), progress=False, start=Path.cwd())
    assert run_to_end("ddpg-train", run, arguments) == 0
    assert seen == [(False, "train.py: note: one\ntrain.py: note: two\n")]


LONG_CALL = """
import os, zlib
from ddpg.command.signals import StopRequest

data = os.urandom(2**27)
with StopRequest() as stop:
    print("ready", flush=True)
    zlib.compress(data)  # one call of C code for seconds: Python calls no handler in it
    print(stop.signal_number, flush=True)
"""


def test_a_signal_is_answered_at_once_while_a_long_call_of_c_code_runs():
    """As the compilation of the update is."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", LONG_CALL], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            assert process.stderr.readline() == f"{STOPPING}\n"
            answered = time.perf_counter()
            assert process.stdout.readline() == f"{int(signal.SIGTERM)}\n"
            assert time.perf_counter() - answered > 0.5  # the call went on after the answer
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_the_signals_of_terminals_and_batch_systems_stop_a_run(number):
    before = signal.getsignal(number)
    with StopRequest() as stop:
        signal.raise_signal(number)
        assert stop.signal_number == number
    assert signal.getsignal(number) == before


def test_a_signal_that_was_ignored_stays_ignored():
    """As `nohup` and a script's `&` want it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
        assert stop.signal_number is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_of_the_main_thread_there_is_no_signal_to_wait_for():
    entered = []

    def enter():
        with StopRequest() as stop:
            entered.append(stop.signal_number)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [None]
