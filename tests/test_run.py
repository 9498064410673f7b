"""A whole run: its folder, its curve, how it is stopped, and what is on disk when it breaks off."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from ddpg import DDPG, RequestError, RunStopped, opening
from ddpg.checkpoint import find_checkpoint
from ddpg.opening import resume_run, start_run
from ddpg.plotting import read_columns
from ddpg.progress import Progress
from ddpg.restore import load


@pytest.fixture
def config(small):
    return replace(
        small, env="Endless-v0", episodes=8, evaluate_every=30, evaluation_episodes=2, checkpoint_every=1_000
    )


def test_a_run_leaves_the_folder_of_the_design_and_a_curve(config, tmp_path):
    run = start_run(config, tmp_path / "run", tmp_path / "plots")
    run.go(show_progress=False)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"config.json", "episodes.csv", "evaluations.csv", "updates.csv", "tensorboard", "checkpoints"}
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["Endless-v0-run.png"]
    assert list(read_columns(tmp_path / "run" / "episodes.csv")["steps"]) == [10, 20, 30, 40, 50, 60, 70, 80]
    # The untrained policy is point 0, then each 30 steps, then the end.
    assert list(read_columns(tmp_path / "run" / "evaluations.csv")["steps"]) == [0, 30, 60, 80]
    # Updates begin with the first full minibatch of 16.
    updates = read_columns(tmp_path / "run" / "updates.csv")
    assert list(updates["steps"]) == [20, 30, 40, 50, 60, 70, 80]
    assert list(updates["updates"]) == [5, 15, 25, 35, 45, 55, 65]


def test_every_evaluation_of_a_run_meets_the_same_starts(config, tmp_path):
    """Otherwise the starts' own spread, 70 on Pendulum, would hide what the policy learned."""
    still = replace(config, env="Pendulum-v1", episodes=2, evaluate_every=200, learning_starts=5_000)
    start_run(still, tmp_path / "run", tmp_path / "plots").go(show_progress=False)
    assert len(set(read_columns(tmp_path / "run" / "evaluations.csv")["mean"])) == 1


def test_threads_are_set_before_tensorflow_computes(config, tmp_path, monkeypatch):
    """Later it would refuse them; and a run that asks for none must leave a user's own setting alone."""
    asked = []
    monkeypatch.setattr(opening, "DDPG", lambda *arguments: asked.append("agent") or DDPG(*arguments))
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", asked.append)
    start_run(config, tmp_path / "one", tmp_path)
    start_run(replace(config, threads=3), tmp_path / "two", tmp_path)
    assert asked == ["agent", 3, "agent"]


def test_threads_that_come_too_late_are_refused(config, tmp_path):
    tf.zeros(1)
    with pytest.raises(RequestError, match="threads: TensorFlow is at work in this process already"):
        start_run(replace(config, threads=37), tmp_path / "run", tmp_path)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_its_episode_with_a_checkpoint(config, tmp_path, monkeypatch, number):
    show = Progress.show

    def show_then_signal(self, episode):
        show(self, episode)
        if episode.episode == 3:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(Progress, "show", show_then_signal)
    before = signal.getsignal(number)
    run = start_run(config, tmp_path / "run", tmp_path / "plots")
    run.go(show_progress=False)
    assert run.stop.number == number
    assert run.last.episode in (3, 4)  # the signal may be handled just after the check
    assert find_checkpoint(tmp_path / "run").name == f"step-{run.last.steps:09d}"
    assert signal.getsignal(number) == before


def test_a_second_signal_ends_it_at_once(config, tmp_path, monkeypatch):
    monkeypatch.setattr(Progress, "show", lambda *_: [signal.raise_signal(signal.SIGINT) for _ in range(2)])
    with pytest.raises(KeyboardInterrupt):
        start_run(config, tmp_path / "run", tmp_path / "plots").go(show_progress=False)


def test_a_broken_reward_stops_the_run_after_what_was_learned_is_on_disk(config, tmp_path):
    run = start_run(
        replace(config, env="Breaking-v0", evaluation_episodes=1, evaluate_every=1000),
        tmp_path / "run",
        tmp_path / "plots",
    )
    with pytest.raises(RunStopped, match="episode 2, step 25"):
        run.go(show_progress=False)
    agent, description, _ = load(find_checkpoint(tmp_path / "run"))
    assert description["episode"]["episode"] == 1
    assert agent.updates == run.agent.updates > 24
    assert agent.replay_buffer.added == 64


def test_networks_that_became_nan_never_replace_a_sound_checkpoint(config, tmp_path, monkeypatch):
    run = start_run(replace(config, checkpoint_every=10), tmp_path / "run", tmp_path / "plots")

    def poison(self, episode):
        if episode.episode == 3:
            run.agent.actor.action.bias.assign([np.nan])

    monkeypatch.setattr(Progress, "show", poison)
    with pytest.raises(RunStopped, match="the network chose"):
        run.go(show_progress=False)
    agent, *_ = load(find_checkpoint(tmp_path / "run"))
    assert np.isfinite(agent.actor.action.bias.numpy()).all()


def test_a_refused_resume_writes_nothing(config, tmp_path):
    start_run(config, tmp_path / "run", tmp_path / "plots").go(show_progress=False)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for given, plots in (({"gamma": 0.5}, "other"), ({"episodes": 1}, "other"), ({}, "run/config.json/plots")):
        with pytest.raises(RequestError):
            resume_run(tmp_path / "run", tmp_path / plots, given)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_networks_that_broke_in_the_last_update_before_a_checkpoint_are_not_saved(config, tmp_path, monkeypatch):
    run = start_run(replace(config, checkpoint_every=10, keep=1), tmp_path / "run", tmp_path / "plots")
    update = run.agent.update

    def breaking():
        update()
        if run.agent.replay_buffer.added == 30:
            run.agent.actor.action.bias.assign([np.nan])

    monkeypatch.setattr(run.agent, "update", breaking)
    with pytest.raises(RunStopped, match="episode 3: the networks became NaN or infinite; the last sound"):
        run.go(show_progress=False)
    assert find_checkpoint(tmp_path / "run").name == "step-000000020"


@pytest.mark.parametrize("change", [{"env": "CartPole-v1"}, {"buffer_size": 10**15}])
def test_a_refused_run_writes_nothing(config, tmp_path, change):
    with pytest.raises(RequestError):
        start_run(replace(config, **change), tmp_path / "run", tmp_path / "plots")
    assert list(tmp_path.iterdir()) == []
