"""A task under a run: left within one step of a stop; its endless episodes cut where something is due, no others."""

import signal
from dataclasses import replace

import pytest

from ddpg import make_environment
from ddpg.command.signals import Stopped, StopRequest
from ddpg.run.start import start_run
from ddpg.task.environments import open_environment
from ddpg.task.watched import CutEpisodes, WatchedEnvironment
from tests.helpers.runs import assert_same_run, csv_rows, finish, finished_run, names

pytestmark = pytest.mark.usefixtures("without_plots")


@pytest.fixture
def endless(small):
    """A task that never ends by itself, and no updates."""
    return replace(
        small, env="Unlimited-v0", learning_starts=10_000, evaluation_episodes=1, evaluate_every=40,
        checkpoint_every=70, steps=150,
    )  # fmt: skip


def signal_at(monkeypatch, step, number=signal.SIGTERM):
    """Send this process a signal before its n-th step in any task of a run."""
    original, steps = WatchedEnvironment.step, iter(range(10**9))

    def step_and_raise(self, action):
        if next(steps) == step:
            signal.raise_signal(number)
        return original(self, action)

    monkeypatch.setattr(WatchedEnvironment, "step", step_and_raise)


def test_evaluations_checkpoints_and_the_end_cut_an_episode_that_does_not_end(endless, tmp_path):
    run = finished_run(replace(endless, keep_checkpoints=9), tmp_path / "run")
    ends = [0, 40, 70, 80, 120, 140, 150]
    assert [int(row["steps"]) for row in csv_rows(tmp_path / "run" / "episodes.csv")] == ends[1:]
    assert [int(row["steps"]) for row in csv_rows(tmp_path / "run" / "evaluations.csv")] == [0, 40, 80, 120, 150]
    assert names(tmp_path / "run" / "checkpoints", "step-*") == [f"step-{step:09d}" for step in (0, 70, 140, 150)]
    buffer = run.agent.replay_buffer
    assert not buffer.split(buffer.rows).terminated.any()  # a cut is a time limit


def test_a_run_with_cuts_that_is_resumed_equals_one_that_is_not(endless, tmp_path, monkeypatch):
    finished_run(endless, tmp_path / "whole")
    run = start_run(endless, tmp_path / "parts", tmp_path)
    with monkeypatch.context() as patch:
        signal_at(patch, 1_000 + 40 + 1_000 + 35)  # step 75 of training: an evaluation has 1,000 steps
        run.train(show_progress=False)
    assert run.folder.stop.signal_number == signal.SIGTERM
    assert (run.agent.steps, run.episode.steps) == (75, 70)
    finish(tmp_path / "parts")
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("env", ["Endless-v0", "Matching-v0"], ids=["with a time limit", "without, but with an end"])
def test_episodes_that_end_by_themselves_are_not_cut(env, small, tmp_path):
    config = replace(
        small, env=env, learning_starts=10_000, evaluation_episodes=1, evaluate_every=3, checkpoint_every=7, steps=25
    )
    finished_run(config, tmp_path / "run")
    lengths = {int(row["length"]) for row in csv_rows(tmp_path / "run" / "episodes.csv")}
    with open_environment(config) as environment:
        environment.reset(seed=0)
        natural, done = 0, False
        while not done:
            *_, terminated, truncated, _ = environment.step(environment.action_space.sample())
            natural, done = natural + 1, terminated or truncated
    assert lengths == {natural} or lengths == {3, natural}  # of what has no limit, the first episode is cut


def test_an_episode_is_cut_only_if_it_is_ten_times_longer_than_one_that_ended(small):
    config = replace(small, env="Unlimited-v0", evaluate_every=1, max_episode_steps=100_000)
    for longest, cut_after in ((0, 1), (1, 11), (4, 41)):
        task = CutEpisodes(make_environment(config), config, steps=0, longest=longest)
        task.reset(seed=0)
        length, truncated = 0, False
        while not truncated:
            *_, truncated, _ = task.step(task.action_space.sample())
            length += 1
        assert length == cut_after


def test_a_signal_in_an_episode_stops_within_one_step_and_the_resumed_run_is_the_same(small, tmp_path, monkeypatch):
    config = replace(small, env="Endless-v0", episodes=6, evaluation_episodes=1, evaluate_every=20)
    finished_run(config, tmp_path / "whole")
    for step in (5, 14, 37):  # in the first evaluation; in an episode; in a later evaluation
        folder = tmp_path / str(step)
        run = start_run(config, folder, tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr("ddpg.run.training_run.SECONDS_BETWEEN_POINTS", 0)
            patch.setattr("ddpg.run.training_run.SHARE_FOR_POINTS", 1e9)
            signal_at(patch, step)
            taken = run.agent.steps
            run.train(show_progress=False)
        assert run.agent.steps <= taken + step
        if step < 10:
            assert not folder.exists()  # nothing was trained, so nothing is kept
            continue
        finish(folder)
        assert_same_run(tmp_path / "whole", folder)


def test_a_stop_saves_the_last_end_of_an_episode_even_after_more_steps(small, tmp_path, monkeypatch):
    """The rows that were stored since are not part of the checkpoint."""
    config = replace(small, env="Endless-v0", episodes=40, evaluation_episodes=1, buffer_size=64, checkpoint_every=150)
    finished_run(config, tmp_path / "whole")
    run = start_run(config, tmp_path / "parts", tmp_path)
    with monkeypatch.context() as patch:
        signal_at(patch, 10 + 205)  # the ring has been overwritten three times
        patch.setattr("ddpg.run.training_run.SECONDS_BETWEEN_POINTS", 0)
        patch.setattr("ddpg.run.training_run.SHARE_FOR_POINTS", 1e9)
        run.train(show_progress=False)
    assert run.agent.steps == 205
    assert names(tmp_path / "parts" / "checkpoints", "step-*")[-1] == "step-000000200"
    finish(tmp_path / "parts")
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_what_the_ring_has_lost_is_not_saved_as_if_it_were_there(small, tmp_path, monkeypatch):
    """Then the run goes on from the checkpoint before."""
    config = replace(small, env="Endless-v0", episodes=60, evaluation_episodes=1, buffer_size=32, batch_size=16)
    finished_run(config, tmp_path / "whole")
    run = start_run(config, tmp_path / "parts", tmp_path)
    with monkeypatch.context() as patch:
        signal_at(patch, 10 + 205)
        keep = type(run)._keep_point
        patch.setattr(type(run), "_keep_point", lambda self: keep(self) if self.episode.number == 2 else None)
        run.train(show_progress=False)
    assert names(tmp_path / "parts" / "checkpoints", "step-*") == ["step-000000000"]
    finish(tmp_path / "parts")
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_evaluations_of_a_task_without_a_time_limit_end(endless):
    with open_environment(replace(endless, evaluate_every=2_000, steps=10**6), evaluation=True) as environment:
        environment.reset(seed=0)
        length, done = 0, False
        while not done:
            *_, terminated, done, _ = environment.step(environment.action_space.sample())
            length += 1
    assert (length, terminated) == (2_000, False)


def test_one_instance_is_enough_where_only_one_can_exist(endless, tmp_path, monkeypatch):
    import ddpg.task.environments as environments

    made, closed = [], []
    make = environments.make_environment

    def make_one(*args, **kwargs):
        assert len(made) == len(closed), "a second instance at the same time"
        environment = make(*args, **kwargs)
        made.append(environment)
        close = environment.close
        environment.close = lambda: (closed.append(environment), close())
        return environment

    monkeypatch.setattr(environments, "make_environment", make_one)
    finished_run(replace(endless, evaluate_in_training_task=True), tmp_path / "run")
    assert [int(row["steps"]) for row in csv_rows(tmp_path / "run" / "evaluations.csv")] == [0, 40, 80, 120, 150]


def test_a_task_is_left_before_the_next_step(small):
    stop = StopRequest()
    looks = []
    task = WatchedEnvironment(make_environment("Endless-v0"), stop, looks.append)
    task.reset(seed=0)
    task.step(task.action_space.sample())
    stop.signal_number = signal.SIGTERM
    for act in (lambda: task.step(task.action_space.sample()), task.reset):
        with pytest.raises(Stopped):
            act()
    assert looks == [0]
