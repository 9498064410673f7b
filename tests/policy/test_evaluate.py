"""`evaluate.py`, as it is typed."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ddpg import evaluate, load_policy
from ddpg.environment import make_environment
from ddpg.policy.evaluate import main, parse
from ddpg.run.agent_state import load_for_acting
from tests.helpers.runs import finished_run
from tests.helpers.tasks import States

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_dir(best_run):
    return best_run


def figures(capsys, *flags: str) -> dict:
    """Run the command with --json; return what it prints."""
    assert main([*map(str, flags), "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count("\n") == 1
    return json.loads(captured.out)


def refusal(capsys, *flags: str) -> str:
    """Run a command that cannot be met; return its one line."""
    try:
        code = main(list(flags))
    except SystemExit as error:  # from argparse
        code = error.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert captured.err.startswith("evaluate.py: error: ")
    return captured.err


@pytest.mark.slow
def test_the_newest_checkpoint_is_evaluated_by_default_and_its_path_printed(run_dir, capsys):
    assert main(["--checkpoint", str(run_dir), "--episodes", "3", "--seed", "2"]) == 0
    first, second, third, *rest = capsys.readouterr().out.splitlines()
    assert first == f"checkpoint  {run_dir / 'checkpoints' / 'step-000000400'}"
    assert second == "task        Pendulum-v1, 3 noise-free episodes, seeds from 2 on"
    assert third.startswith("mean        -")
    assert third.endswith("(95 % confidence interval)")
    assert [line.split()[0] for line in rest] == ["std", "median", "min", "max"]


def test_best_takes_the_checkpoint_that_evaluated_best_and_prints_its_path(run_dir, capsys):
    flags = ("--checkpoint", run_dir, "--episodes", 1)
    assert figures(capsys, *flags, "--best")["checkpoint"] == str(run_dir / "checkpoints" / "best-000000200")
    assert figures(capsys, *flags)["checkpoint"] == str(run_dir / "checkpoints" / "step-000000400")
    assert main([*map(str, flags), "--best"]) == 0
    assert f"checkpoint  {run_dir / 'checkpoints' / 'best-000000200'}\n" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(("flag", "name"), [((), "step-000000400"), (("--best",), "best-000000200")])
def test_the_policy_evaluated_is_that_of_the_checkpoint_printed(run_dir, capsys, flag, name):
    agent = load_for_acting(run_dir / "checkpoints" / name)
    expected = evaluate(agent, make_environment("Pendulum-v1"), episodes=2, seed=4).returns
    assert figures(capsys, "--checkpoint", run_dir, "--episodes", 2, "--seed", 4, *flag)["returns"] == list(expected)


@pytest.mark.slow
def test_a_named_checkpoint_is_taken_with_and_without_best(run_dir, capsys):
    path = run_dir / "checkpoints" / "step-000000200"
    for best in ((), ("--best",)):
        assert figures(capsys, "--checkpoint", path, "--episodes", 1, *best)["checkpoint"] == str(path)


def test_json_is_one_object_and_nothing_else(run_dir, capsys):
    printed = figures(capsys, "--checkpoint", run_dir, "--episodes", 3, "--seed", 5)
    assert list(printed) == ["checkpoint", "env", "episodes", "mean", "std", "median", "min", "max", "returns"]
    returns = printed["returns"]
    assert (printed["env"], printed["episodes"], len(returns)) == ("Pendulum-v1", 3, 3)
    assert [printed[name] for name in ("mean", "min", "max")] == [np.mean(returns), min(returns), max(returns)]


def test_a_hundred_episodes_from_seed_0_are_the_default():
    arguments = parse(["--checkpoint", "run"])
    assert (arguments.episodes, arguments.seed, arguments.best, arguments.json) == (100, 0, False, False)


def test_episode_i_is_reset_with_the_seed_plus_i(run_dir, capsys):
    together = figures(capsys, "--checkpoint", run_dir, "--episodes", 2, "--seed", 5)["returns"]
    alone = figures(capsys, "--checkpoint", run_dir, "--episodes", 1, "--seed", 6)["returns"]
    assert alone == together[1:]


def test_an_evaluation_changes_nothing_on_the_disk_but_its_record(run_dir, tmp_path, capsys):
    before = {path: path.stat().st_mtime_ns for path in run_dir.rglob("*")}
    figures(capsys, "--checkpoint", run_dir, "--episodes", 1, "--seed", 6, "--record", tmp_path / "record.npz")
    with np.load(tmp_path / "record.npz") as record:
        made_by = json.loads(str(record["metadata"]))
    assert (made_by["trained_with_seed"], made_by["seed"]) == (0, 6)
    assert made_by["checkpoint"] == str(run_dir / "checkpoints" / "step-000000400")
    assert {path: path.stat().st_mtime_ns for path in run_dir.rglob("*")} == before


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--checkpoint", "nowhere"], ["--checkpoint: there is no folder nowhere"]),
        (["--checkpoint", "."], ["--checkpoint: . has no checkpoint", "checkpoints/step-*"]),
        (["--checkpoint", ".", "--best"], ["--checkpoint: . has no checkpoint", "checkpoints/best-*"]),
        (["--checkpoint", ".", "--episodes", "0"], ["--episodes", "must be at least 1"]),
        (["--checkpoint", ".", "--seed", "-1"], ["--seed", "must be at least 0"]),
        (["--checkpoint", ".", "--render", "--video", "films"], ["--video", "--render"]),
        (["--checkpoint", ".", "--episode", "3"], ["--episode"]),
        ([], ["--checkpoint"]),
    ],
)
def test_a_bad_request_gets_one_line_and_exit_code_2(flags, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = refusal(capsys, *flags)
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_task_that_has_changed_since_training_is_refused(small, tmp_path, capsys, monkeypatch, without_plots):
    config = replace(
        small, env="States-v0", env_kwargs={"kind": "double"}, episodes=1, evaluation_episodes=1, max_episode_steps=5
    )
    run_dir = finished_run(config, tmp_path / "run").folder.path
    monkeypatch.setitem(States.KINDS, "double", States.KINDS["dict"])
    message = "--checkpoint: States-v0 has state and action sizes (5, 1); the agent was trained with (4, 1)"
    assert message in refusal(capsys, "--checkpoint", str(run_dir))
    with pytest.raises(ValueError, match="the agent was trained with"):
        load_policy(run_dir)


def test_a_window_without_a_display_names_the_flag_and_the_other_way(run_dir, capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    line = refusal(capsys, "--checkpoint", str(run_dir), "--render")
    assert line == "evaluate.py: error: --render: no display found for a window; use --video DIR\n"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_video_is_written_for_each_episode(run_dir, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pytest.importorskip("moviepy")
    assert main(["--checkpoint", str(run_dir), "--episodes", "2", "--video", f"{tmp_path}/films"]) == 0
    assert len(list((tmp_path / "films").glob("*.mp4"))) == 2
    assert f"films       {tmp_path}/films/rl-video-episode-0.mp4 to rl-video-episode-1.mp4\n" in capsys.readouterr().out


def test_a_video_folder_that_cannot_be_written_is_named(run_dir, tmp_path, capsys):
    (tmp_path / "file").touch()
    line = refusal(capsys, "--checkpoint", str(run_dir), "--episodes", "1", "--video", f"{tmp_path}/file/films")
    assert "--video: cannot write to" in line


@pytest.mark.slow
def test_the_script_gives_the_exit_codes_of_its_command(tmp_path):
    """0 and 2 of a real process, which prints neither a traceback nor TensorFlow's notes."""
    command = [sys.executable, ROOT / "evaluate.py"]
    helped = subprocess.run([*command, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "--best" in helped.stdout
    refused = subprocess.run([*command, "--checkpoint", "x"], cwd=tmp_path, capture_output=True, text=True)
    message = "evaluate.py: error: --checkpoint: there is no folder x\n"
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", message)
