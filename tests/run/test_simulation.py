"""Runs with several simulators: logs, evaluations, checkpoints, stops and failures, and that resuming is exact."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from ddpg import RequestError, RunStopped
from ddpg.run.diagnosis import warnings_about
from ddpg.run.progress import Progress
from ddpg.run.start import resume_run, start_run
from ddpg.run.summary import print_summary
from ddpg.run.train import main as train_command
from ddpg.seeding import integer_seed
from tests.helpers.lives import SEVERAL
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL, assert_same_run, csv_rows, finish, finished_run, names, read_back

pytestmark = pytest.mark.usefixtures("without_plots")


@pytest.fixture
def config(small):
    """Walks of 2 to 12 steps in three simulators."""
    return replace(
        small, env="Walking-v0", num_envs=3, steps=150, evaluate_every=60, evaluation_episodes=5, checkpoint_every=50
    )


def stop_at(monkeypatch, steps, number=signal.SIGTERM):
    """Send this process a signal before the first round at or after so many steps."""
    look, done = Progress.look_at_round, []

    def look_and_stop(self, so_far, simulators):
        look(self, so_far, simulators)
        if so_far >= steps and not done:
            done.append(signal.raise_signal(number))

    monkeypatch.setattr(Progress, "look_at_round", look_and_stop)


def test_a_run_has_a_row_for_each_episode_that_ended_and_resumes_at_its_checkpoints(config, tmp_path):
    run = finished_run(replace(config, keep_checkpoints=9), tmp_path / "run")
    rows = csv_rows(tmp_path / "run" / "episodes.csv")
    numbers = [int(row["episode"]) for row in rows]
    assert len(set(numbers)) == len(numbers) and run.episode.number > len(numbers)  # some were cut
    assert names(tmp_path / "run" / "checkpoints", "step-*") == [f"step-{step:09d}" for step in (0, 51, 102, 150)]
    steps = [int(row["steps"]) for row in csv_rows(tmp_path / "run" / "evaluations.csv")]
    assert steps == [0, 60, 120, 150]
    for step in (51, 102):
        folder = tmp_path / f"from{step}"
        subprocess.run(["cp", "-r", tmp_path / "run", folder], check=True)
        finish(folder / "checkpoints" / f"step-{step:09d}")
        assert_same_run(tmp_path / "run", folder, settings=False)


def test_the_untrained_policy_is_evaluated_as_with_one_simulator(config, tmp_path):
    """Over the same starts, with the same returns."""
    several = finished_run(replace(config, steps=3, env_kwargs={"slow": 1}), tmp_path / "several")
    one = finished_run(replace(config, steps=3, num_envs=None), tmp_path / "one")
    assert several.kept_evaluation("untrained") == one.kept_evaluation("untrained")


def test_a_stop_saves_at_the_next_round_and_the_run_can_be_resumed(config, tmp_path, monkeypatch):
    stop_at(monkeypatch, 30)
    run = finished_run(replace(config, env="Endless-v0"), tmp_path / "run")
    assert run.folder.stop.signal_number == signal.SIGTERM
    assert run.episode.steps == 33
    assert finish(tmp_path / "run").episode.steps == 150


@pytest.mark.slow
def test_a_stop_in_an_evaluation_saves_too(config, tmp_path, monkeypatch):
    def look(self, length):
        if run.evaluation:
            signal.raise_signal(signal.SIGTERM)

    run = start_run(config, tmp_path / "run", tmp_path)
    monkeypatch.setattr(Progress, "look_at_evaluation", look)
    run.train(show_progress=False)
    assert read_back(tmp_path / "run")[1]["episode"]["steps"] == 60
    monkeypatch.undo()
    finish(tmp_path / "run")


def test_a_failure_is_one_line_the_run_is_saved_and_goes_on_when_it_is_resumed(tmp_path, capfd):
    flags = [*SMALL, "--env", "Misbehaving-v0", "--env-kwargs", '{"act": "exit"}', "--num-envs", "3", "--steps", "48"]
    flags += [
        "--run-dir",
        f"{tmp_path}/run",
        "--plot-dir",
        str(tmp_path),
        "--no-progress",
        "--evaluation-episodes",
        "1",
    ]
    assert train_command(flags) == 1
    problem = "simulator 1, episode 5, step 3: its process ended with exit code 3"
    assert f"stopped: {problem}; progress so far is saved in" in capfd.readouterr().err
    assert read_back(tmp_path / "run")[1]["episode"]["steps"] == 24
    assert finish_with_failures(tmp_path / "run") == 48


def finish_with_failures(folder) -> int:
    """Resume a run until it has come to its end; return its steps."""
    while True:
        try:
            return finish(folder).episode.steps
        except RunStopped as error:
            assert "simulator 1, episode" in str(error)


@pytest.mark.slow
def test_a_simulator_that_hangs_ends_the_run_after_the_time_given(config, tmp_path):
    config = replace(config, env="Misbehaving-v0", env_kwargs={"act": "hang"}, env_timeout=2.0, evaluation_episodes=3)
    with pytest.raises(RunStopped, match=r"simulator 1, episode 5, step 3: no answer within 2 s \(--env-timeout\); "):
        finished_run(config, tmp_path / "run")
    resume_run(tmp_path / "run", tmp_path, {"env_timeout": 3.0}).folder.close()


def test_what_tasks_report_is_logged_for_each_episode(small, tmp_path):
    config = replace(
        small, env="Reporting-v0", steps=24, num_envs=2, learning_starts=10_000, evaluation_episodes=3,
        evaluate_every=8, log_info="cost",
    )  # fmt: skip
    finished_run(config, tmp_path / "run")
    finished_run(replace(config, num_envs=None), tmp_path / "one")
    for row in csv_rows(tmp_path / "run" / "episodes.csv"):
        even = integer_seed(config.seed, "episodes", int(row["episode"])) % 2 == 0
        assert (float(row["success_rate"]), float(row["cost"])) == (even, 1.5)
    for one, several in zip(*(csv_rows(tmp_path / name / "evaluations.csv") for name in ("one", "run")), strict=True):
        assert (one["success_rate"], one["cost"]) == (several["success_rate"], several["cost"])


def test_hindsight_stores_each_episode_again_those_that_were_cut_too(small, tmp_path):
    config = replace(
        small, env="Reaching-v0", num_envs=2, steps=70, hindsight_goals=2, checkpoint_every=30, evaluation_episodes=1
    )
    run = finished_run(config, tmp_path / "run")
    assert run.agent.rows_from_elsewhere == 2 * 70
    rows = run.agent.replay_buffer.split(run.agent.replay_buffer.rows[: len(run.agent.replay_buffer)])
    assert (rows.reward == 0).any()
    assert finish(tmp_path / "run", steps=100).agent.rows_from_elsewhere == 2 * 100


def test_a_controller_leads_each_simulator_with_an_instance_of_its_own(small, tmp_path):
    config = replace(
        small, env="Bounds-v0", env_kwargs={"low": [-2.0], "high": [2.0]}, num_envs=2, steps=12, learning_starts=10,
        max_episode_steps=4, warm_up_controller="tests.run.test_warm_up:Counting", noise_sigma=0.0,
        evaluation_episodes=1,
    )  # fmt: skip
    buffer = finished_run(config, tmp_path / "run").agent.replay_buffer
    actions = buffer.split(buffer.rows[:12]).action[:, 0]
    np.testing.assert_allclose(actions[:10], np.repeat([0.05, 0.1, 0.15, 0.2, 0.05], 2), rtol=1e-5)
    assert np.abs(actions[10:]).max() < 0.04


@pytest.mark.slow
def test_a_task_whose_episodes_never_end_has_rows_where_they_are_cut(config, tmp_path, capsys):
    config = replace(config, env="Unlimited-v0", steps=60, checkpoint_every=30, learning_starts=10_000)
    run = finished_run(config, tmp_path / "run")
    assert [int(row["length"]) for row in csv_rows(tmp_path / "run" / "episodes.csv")] == 6 * [10]
    print_summary(run, tmp_path)
    assert warnings_about(run)


def test_a_run_in_which_no_episode_ended_is_summed_up_too(config, tmp_path, capsys):
    """All are cut before their time limit of ten steps."""
    run = finished_run(replace(config, env="Endless-v0", checkpoint_every=15, steps=30), tmp_path / "run")
    assert not csv_rows(tmp_path / "run" / "episodes.csv")
    assert any("--checkpoint-every" in note for note in run.notes)
    print_summary(run, tmp_path)
    assert "no episode has ended by itself" in warnings_about(run)[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_envs": None, "env_timeout": 3.0}, "env_timeout: needs --num-envs"),
        ({"evaluate_in_training_task": True}, "evaluate_in_training_task: cannot be combined with --num-envs"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(config, settings, message):
    with pytest.raises(RequestError, match=message):
        replace(config, **settings)


def test_the_number_of_simulators_cannot_change_when_resuming(config, tmp_path):
    finished_run(replace(config, steps=9), tmp_path / "run")
    with pytest.raises(RequestError, match="num_envs: cannot change from 3 to 4 when resuming"):
        resume_run(tmp_path / "run", tmp_path, {"num_envs": 4})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.timeout(3_600))])
def test_a_run_killed_at_random_moments_ends_where_the_uninterrupted_run_ends(tmp_path, monkeypatch, kills):
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "tests.helpers.lives", str(folder), str(kills), "1", "several"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    reached = read_back(folder)[1]["episode"]["steps"]
    assert reached > 10 * kills
    for train in (lambda: finish(folder), lambda: finished_run(SEVERAL, tmp_path / "whole")):
        with monkeypatch.context() as patch:
            stop_at(patch, reached + 130)
            train()
    assert_same_run(tmp_path / "whole", folder, settings=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_rounds_with_a_simulator_killed_every_hundred_lose_only_what_was_in_progress(
    config, tmp_path, monkeypatch
):
    """No zombie stays, and no file descriptor."""
    look, killed = Progress.look_at_round, []

    def look_and_kill(self, steps, simulators):
        look(self, steps, simulators)
        if steps // 300 > len(killed):
            child = multiprocessing.active_children()[len(killed) % 3]
            killed.append(os.kill(child.pid, signal.SIGKILL))

    monkeypatch.setattr(Progress, "look_at_round", look_and_kill)
    run = start_run(replace(config, steps=3_000, checkpoint_every=10**6), tmp_path / "run", tmp_path)
    descriptors, steps = [], []
    while not steps or steps[-1] < 3_000:
        try:
            run.train(show_progress=False)
        except RunStopped as error:
            assert "was killed by SIGKILL" in str(error)
        steps.append(run.episode.steps)
        descriptors.append(len(os.listdir("/proc/self/fd")))
        run = resume_run(tmp_path / "run", tmp_path, {}) if steps[-1] < 3_000 else run
    assert len(killed) == 9
    assert all(step - before in (0, 297, 300, 303) for before, step in itertools.pairwise(steps))
    assert not multiprocessing.active_children()
    assert max(descriptors[2:]) <= descriptors[1] + 1
    assert np.isfinite(run.agent.replay_buffer.rows).all()
