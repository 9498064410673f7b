"""Paths: absolute before a task can change the working directory, and shown as the user would write them."""

from pathlib import Path

import pytest

from ddpg.command.paths import absolute, shown, with_shown_paths
from ddpg.command.text import number
from ddpg.policy.evaluate import parse as parse_evaluate
from ddpg.run.train import parse as parse_train


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
    evaluate = parse_evaluate(["--checkpoint", "a", "--video", "b"])
    assert (evaluate.checkpoint, evaluate.video) == (tmp_path / "a", tmp_path / "b")


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
