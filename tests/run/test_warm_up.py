"""A controller of the user's leads the first steps of a run, in the place of random actions."""

from dataclasses import replace

import numpy as np
import pytest

from ddpg.run.start import start_run
from ddpg.run.train import main as train
from tests.helpers.runs import SMALL, assert_same_run, finish, finished_run, names


class Counting:
    """Its actions are 0.1, 0.2 and so on: how often this instance was asked, in units of a task with bounds of ±2."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, state):
        self.count += 1
        return np.array([0.1 * self.count], np.float32)


def broken(state):
    return None


@pytest.fixture
def config(small, without_plots):
    return replace(
        small, env="Bounds-v0", env_kwargs={"low": [-2.0], "high": [2.0]}, episodes=3, learning_starts=7,
        max_episode_steps=5, warm_up_controller="tests.run.test_warm_up:Counting", noise_sigma=0.0,
        evaluation_episodes=1, checkpoint_every=5, batch_size=4,
    )  # fmt: skip


def actions(run) -> np.ndarray:
    return run.agent.replay_buffer.split(run.agent.replay_buffer.rows[: run.agent.steps]).action[:, 0]


def test_the_controller_leads_the_first_steps_alone_with_noise_on_its_actions(config, tmp_path):
    """A new instance leads each episode; then the policy acts, whose actions are near 0 at first."""
    plain = actions(finished_run(config, tmp_path / "plain"))
    np.testing.assert_allclose(plain[:7], [0.05, 0.1, 0.15, 0.2, 0.25, 0.05, 0.1], rtol=1e-5)
    assert np.abs(plain[7:]).max() < 0.04
    noisy = actions(finished_run(replace(config, noise_sigma=0.1), tmp_path / "noisy"))
    assert 0 < np.abs(noisy[:7] - plain[:7]).max() < 0.5


@pytest.mark.slow
def test_a_run_resumed_while_the_controller_leads_is_the_whole_run(config, tmp_path):
    finished_run(config, tmp_path / "whole")
    finished_run(replace(config, episodes=1), tmp_path / "cut")
    finish(tmp_path / "cut", episodes=3)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--warm-up-controller", "os:sep", "--learning-starts", "5"], "os:sep is '/', neither a function nor a class"),
        (["--warm-up-controller", "os:getcwd"], "there are no first steps for it; use --learning-starts"),
    ],
)
def test_a_controller_that_cannot_lead_is_refused_in_one_line(tmp_path, capsys, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    assert train(["--env", "Endless-v0", *SMALL, "--run-dir", "run", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"train.py: error: --warm-up-controller: {message}"
    assert names(tmp_path) == []


def test_a_controller_that_answers_nothing_stops_the_run_at_its_episode_and_step(config, tmp_path):
    run = start_run(replace(config, warm_up_controller="tests.run.test_warm_up:broken"), tmp_path / "run", tmp_path)
    with pytest.raises(RuntimeError, match="episode 1, step 1: the controller returned the action None"):
        run.train(show_progress=False)
