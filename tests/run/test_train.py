"""`train.py`, as it is typed: what it prints, what it refuses, what it exits with."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import evaluate
import train

ROOT = Path(__file__).parent.parent
SMALL = ["--hidden-units", "16", "16", "--batch-size", "16", "--no-jit-compile", "--buffer-size", "10000"]


def test_it_trains_and_says_what_to_type_next(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train.main(["--env", "Pendulum-v1", "--episodes", "2", "--evaluation-episodes", "1", *SMALL]) == 0
    captured = capsys.readouterr()
    lines = dict(line.split(maxsplit=1) for line in captured.out.splitlines())
    assert lines["trained"].startswith("2 episodes, 400 steps, 385 updates (0.96 a step)")
    (folder,) = (tmp_path / "runs" / "Pendulum-v1").iterdir()
    assert folder.name.endswith("-seed0")
    assert tmp_path / lines["run"].removeprefix("folder ").strip() == folder
    assert (tmp_path / lines["curve"]).is_file()
    # The bar: episode, return, average, speed and time on stderr, results on stdout.
    for piece in ("episode 2", "2/2 episodes", "return -", "average -", "steps/s"):
        assert piece in captured.err
    command = lines["next"].split()
    assert command[:2] == ["python", "evaluate.py"]
    assert evaluate.main([*command[2:], "--episodes", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 2


def test_the_bar_counts_steps_where_the_run_is_measured_in_steps(tmp_path, capsys):
    flags = ["--env", "Endless-v0", "--steps", "25", "--run-dir", f"{tmp_path}/run", "--plot-dir", f"{tmp_path}"]
    assert train.main([*flags, *SMALL]) == 0
    captured = capsys.readouterr()
    assert "25/25 steps" in captured.err
    assert train.main([*flags[:-4], "--run-dir", f"{tmp_path}/quiet", *flags[-2:], *SMALL, "--no-progress"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--env", "Pendulm-v1"], ["--env", "Pendulum-v1"]),
        (["--env", "CartPole-v1"], ["--env", "Discrete(2)", "continuous"]),
        (["--env", "Bounds-v0", "--env-kwargs", '{"low": [-1e999], "high": [1]}'], ["--action-bound", "dimension 0"]),
        (["--env-kwargs", "{g: 9.81}"], ["--env-kwargs"]),
        (["--env-kwargs", '{"gravity": 1}'], ["--env-kwargs", "gravity"]),
        (["--tau", "0"], ["--tau", "(0, 1]"]),
        (["--batch-size", "0"], ["--batch-size"]),
        (["--gamma", "1.5"], ["--gamma"]),
        (["--batch-size", "64", "--buffer-size", "32"], ["--batch-size", "--buffer-size"]),
        (["--buffer-size", "1000000000000"], ["--buffer-size", "GiB"]),
        (["--run-dir", "."], ["--run-dir", "exists"]),
        (["--resume", "nowhere"], ["nowhere"]),
        (["--steps", "10", "--episodes", "10"], ["--episodes"]),
        (["--preset", "none"], ["--preset"]),
        (["--speed", "9"], ["--speed"]),
    ],
)
def test_a_bad_request_gets_one_line_exit_code_2_and_writes_nothing(flags, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = train.main(flags)
    except SystemExit as error:  # argparse's own way out
        code = error.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert captured.err.startswith("train.py: error: ")
    for word in words:
        assert word in captured.err
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_breaks_off_says_where_and_exits_with_1(tmp_path, capsys):
    flags = ["--env", "Breaking-v0", "--run-dir", f"{tmp_path}/run", "--plot-dir", f"{tmp_path}", "--no-progress"]
    assert train.main([*flags, *SMALL, "--evaluation-episodes", "1"]) == 1
    error = capsys.readouterr().err
    assert "episode 2, step 25" in error
    assert f"{tmp_path}/run" in error
    assert error.count("\n") == 1


def test_help_comes_without_tensorflow_and_at_once():
    began = time.perf_counter()
    code = "import sys, train\ntry: train.main(['--help'])\nfinally: assert 'tensorflow' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--actor-learning-rate" in done.stdout
    assert time.perf_counter() - began < 2  # 0.1 s on an idle machine


def test_the_same_seed_in_two_processes_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    """With the full-sized networks and XLA, whose threads might add in another order."""
    flags = ["--episodes", "1", "--evaluation-episodes", "1", "--plot-dir", f"{tmp_path}", "--no-progress"]
    here = [*flags, "--seed", "0", "--run-dir", f"{tmp_path}/two"]
    other_process = subprocess.Popen([sys.executable, ROOT / "train.py", *here])
    for name, seed in {"one": 0, "other": 1}.items():
        assert train.main([*flags, "--seed", str(seed), "--run-dir", f"{tmp_path}/{name}"]) == 0
    assert other_process.wait(timeout=300) == 0

    def content(name: str) -> list:
        folder = tmp_path / name
        rows = [
            [row[:-1] for row in csv.reader((folder / "episodes.csv").read_text().splitlines())]
        ]  # all but the seconds
        rows += [(folder / f"{file}.csv").read_bytes() for file in ("evaluations", "updates")]
        with np.load(folder / "checkpoints" / "step-000000200" / "variables.npz") as variables:
            return [*rows, {key: variables[key].tobytes() for key in variables.files}]

    assert content("one") == content("two")
    assert all(one != other for one, other in zip(content("one"), content("other"), strict=True))


def started(folder: Path, *flags: str) -> subprocess.Popen:
    """A real `train.py`, as a user starts it."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, ROOT / "train.py", "--run-dir", "run", "--no-progress", *SMALL, *flags]
    environment["PYTHONPATH"] = str(ROOT)  # for the tasks in tests/tasks.py
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not condition():
        time.sleep(0.1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_real_process_politely_and_it_says_how_to_go_on(tmp_path, number, code):
    process = started(tmp_path, "--episodes", "100000", "--evaluation-episodes", "1")
    episodes = tmp_path / "run" / "episodes.csv"
    wait_for(lambda: episodes.exists() and len(episodes.read_text().splitlines()) > 2)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == code
    assert error == "train.py: stopped; to go on: python train.py --resume run\n"


def test_a_second_signal_ends_a_real_process_at_once_even_in_the_middle_of_a_step(tmp_path):
    process = started(tmp_path, "--env", "tests.tasks:Sleeping-v0", "--episodes", "9", "--evaluation-episodes", "1")
    episodes = tmp_path / "run" / "episodes.csv"
    wait_for(lambda: episodes.exists() and len(episodes.read_text().splitlines()) > 1)
    began = time.monotonic()
    for _ in range(2):
        time.sleep(1)
        process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.startswith("train.py: stopped at once; to go on: python train.py --resume run")
    assert time.monotonic() - began < 30  # the step takes a minute


def test_a_task_that_ignores_its_seed_is_told_of_once(tmp_path, capsys):
    flags = ["--run-dir", f"{tmp_path}/run", "--plot-dir", f"{tmp_path}", "--no-progress", "--max-episode-steps", "5"]
    assert train.main([*flags, "--env", "Unseeded-v0", "--steps", "10", "--evaluation-episodes", "1", *SMALL]) == 0
    assert capsys.readouterr().err == "train.py: note: Unseeded-v0 ignores its seed: a run of it cannot be repeated\n"
