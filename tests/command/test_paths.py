"""Paths: absolute before a task can change the working directory, and shown as the user would write them."""

from pathlib import Path

import pytest

from ddpg.command.paths import absolute, shown, with_shown_paths
from ddpg.command.text import number
from ddpg.policy.evaluate import main as evaluate
from ddpg.policy.evaluate import parse as parse_evaluate
from ddpg.run.train import parse as parse_train
from ddpg.sweep.__main__ import main as sweep


def test_a_tilde_and_the_working_directory_are_filled_in(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert absolute("~/mine") == absolute("mine") == tmp_path / "mine"
    assert absolute("~nobody-of-this-name/x") == tmp_path / "~nobody-of-this-name" / "x"


def test_every_path_option_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train = parse_train(["--run-dir", "a", "--plot-dir", "b", "--config", "c"])
    assert (train.run_dir, train.plot_dir, train.config) == (tmp_path / "a", tmp_path / "b", tmp_path / "c")
    assert parse_train([]).plot_dir == tmp_path / "plots"
    measured = parse_evaluate(["--checkpoint", "a", "--video", "b"])
    assert (measured.checkpoint, measured.video) == (tmp_path / "a", tmp_path / "b")


def test_paths_are_shown_as_seen_from_the_folder_where_the_command_was_typed():
    start = Path("/home/me")
    assert str(shown(Path("/home/me/runs/x"), start)) == "runs/x"
    assert str(shown(Path("/data/x"), start)) == "/data/x"
    for name in ("-x", "~x"):  # a command would read it as a flag, or as a home
        assert str(shown(start / name, start)) == f"/home/me/{name}"
    text = "/home/me/runs/x exists; use --resume /home/me/runs/x, or /home/me"
    assert with_shown_paths(text, start) == "runs/x exists; use --resume runs/x, or ."
    assert with_shown_paths("/x", Path("/")) == "/x"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-147.44, "-147.4"),
        (12485.55, "12485.5"),
        (-0.05412, "-0.05412"),
        (1e-6, "1e-06"),
        (0.0, "0"),
        (-54.321, "-54.32"),
    ],
)
def test_numbers_have_four_digits_whatever_their_size(value, text):
    assert number(value) == text


def test_an_output_that_is_also_an_input_or_another_output_is_refused_and_nothing_is_lost(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    text = "task,setting,seed,steps,mean\nT,a,0,0.5,1\nT,a,0,10,\n"  # read and written again, it would lose a half step
    Path("a.csv").write_text(text)
    Path("link.csv").symlink_to("a.csv")
    for flags in (["a.csv", "--curves", "a.csv"], ["link.csv", "--curves", "a.csv"]):
        assert sweep(["compare", *flags]) == 2
    assert sweep(["compare", "a.csv", "--out", "b.png", "--curves", "./b.png"]) == 2
    task = ["--controller", "math:sqrt", "--env", "Pendulum-v1", "--episodes", "1"]
    assert evaluate([*task, "--record", "c.npz", "--video", "c.npz"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4 and all("is there twice on the command line" in line for line in said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "link.csv"]
    assert Path("a.csv").read_text() == text
