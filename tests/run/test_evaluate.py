"""`evaluate.py`, as it is typed."""

import json
from dataclasses import replace

import pytest

import evaluate
from ddpg.opening import start_run
from tests.tasks import States


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    from ddpg import Config

    folder = tmp_path_factory.mktemp("evaluate") / "run"
    config = Config(
        env="Pendulum-v1", episodes=2, hidden_units=(8, 8), batch_size=8, buffer_size=500, jit_compile=False,
        evaluation_episodes=1, checkpoint_every=200,
    )  # fmt: skip
    start_run(config, folder, folder.parent).go(show_progress=False)
    return folder


def test_the_table_is_for_people(run_folder, capsys):
    assert evaluate.main(["--checkpoint", str(run_folder), "--episodes", "3"]) == 0
    out = capsys.readouterr().out
    for word in ("step-000000400", "Pendulum-v1, 3 noise-free episodes", "95 % confidence", "median", "min", "max"):
        assert word in out


def test_json_is_one_object_and_nothing_else(run_folder, capsys):
    assert evaluate.main(["--checkpoint", str(run_folder), "--episodes", "3", "--seed", "5", "--json"]) == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert list(figures) == ["env", "episodes", "mean", "std", "median", "min", "max", "returns"]
    assert len(figures["returns"]) == 3
    assert captured.err == ""
    # The same seeds again: episode i is reset with seed + i.
    evaluate.main(["--checkpoint", str(run_folder), "--episodes", "1", "--seed", "6", "--json"])
    assert json.loads(capsys.readouterr().out)["returns"][0] == figures["returns"][1]


def test_one_checkpoint_can_be_named(run_folder, capsys):
    place = run_folder / "checkpoints" / "step-000000200"
    assert evaluate.main(["--checkpoint", str(place), "--episodes", "1"]) == 0
    assert "step-000000200" in capsys.readouterr().out


def test_an_evaluation_changes_nothing_on_disk(run_folder):
    before = {path: path.stat().st_mtime_ns for path in run_folder.rglob("*")}
    evaluate.main(["--checkpoint", str(run_folder), "--episodes", "1", "--json"])
    assert {path: path.stat().st_mtime_ns for path in run_folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--checkpoint", "nowhere"], ["--checkpoint", "nowhere"]),
        (["--checkpoint", "."], ["--checkpoint", "no checkpoint"]),
        (["--checkpoint", ".", "--episodes", "0"], ["--episodes"]),
        (["--checkpoint", ".", "--seed", "-1"], ["--seed"]),
        ([], ["--checkpoint"]),
    ],
)
def test_a_bad_request_gets_one_line_and_exit_code_2(flags, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = evaluate.main(flags)
    except SystemExit as error:
        code = error.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    for word in words:
        assert word in captured.err


def test_a_task_that_has_changed_since_is_refused(small, tmp_path, capsys, monkeypatch):
    config = replace(small, env="States-v0", env_kwargs={"kind": "double"}, episodes=1)
    run = start_run(config, tmp_path / "run", tmp_path)
    run._save()
    monkeypatch.setitem(States.KINDS, "double", States.KINDS["dict"])
    assert evaluate.main(["--checkpoint", str(tmp_path / "run")]) == 2
    assert "(5, 1) here, the agent (4, 1)" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_video_per_episode(run_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pytest.importorskip("moviepy")
    assert evaluate.main(["--checkpoint", str(run_folder), "--episodes", "2", "--video", f"{tmp_path}/films"]) == 0
    assert len(list((tmp_path / "films").glob("*.mp4"))) == 2
