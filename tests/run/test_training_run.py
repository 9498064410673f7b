"""A whole run: what it measures and when, which policy it keeps as the best, and how it ends."""

import gc
import signal
from dataclasses import replace

import numpy as np
import pytest

from ddpg import Evaluation, RunStopped
from ddpg.run import simulation
from ddpg.run.progress import Progress
from ddpg.run.start import start_run
from ddpg.storage.checkpoints import find_checkpoint
from ddpg.storage.csv_files import read_columns
from tests.helpers.runs import finish, finished_run, names, raise_after, read_back


@pytest.fixture
def config(small):
    return replace(
        small, env="Endless-v0", episodes=8, evaluate_every=30, evaluation_episodes=2, checkpoint_every=1_000
    )


@pytest.fixture
def untrained(config, without_plots):
    """The same without updates, which take a second to compile."""
    return replace(config, learning_starts=10_000)


@pytest.fixture
def scripted(monkeypatch):
    """Return a function that sets the mean returns of the next evaluations: the higher, the lower all other figures."""

    def script(*means: float) -> None:
        evaluations = [Evaluation((-1_000 - m, -500, -m, 500 + 8 * m, 1_000 - m)) for m in means]
        monkeypatch.setattr(simulation, "evaluate", lambda *_: evaluations.pop(0))

    return script


def best(run_dir) -> list[str]:
    return names(run_dir / "checkpoints", "best-*")


@pytest.mark.slow
def test_a_run_leaves_the_documented_files_and_a_curve(config, tmp_path):
    finished_run(config, tmp_path / "run")
    assert names(tmp_path / "run") == [
        "checkpoints", "config.json", "episodes.csv", "evaluations.csv", "tensorboard", "updates.csv",
    ]  # fmt: skip
    assert names(tmp_path / "plots") == ["Endless-v0-run.png"]


def test_every_episode_is_logged_and_updates_are_counted_from_the_first_full_minibatch(config, tmp_path, without_plots):
    run = finished_run(config, tmp_path / "run")
    episodes, updates = (read_columns(tmp_path / "run" / f"{name}.csv") for name in ("episodes", "updates"))
    assert list(episodes["episode"]) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert list(episodes["steps"]) == [10, 20, 30, 40, 50, 60, 70, 80]
    assert set(episodes["length"]) == set(episodes["return"]) == set(episodes["running_average"]) == {10}
    assert (np.diff(episodes["seconds"]) > 0).all()
    assert list(updates["steps"]) == [20, 30, 40, 50, 60, 70, 80]
    assert list(updates["updates"]) == [5, 15, 25, 35, 45, 55, 65]
    assert run.agent.updates == 65


@pytest.mark.parametrize(
    ("every", "steps"),
    [(30, [0, 30, 60, 80]), (40, [0, 40, 80]), (25, [0, 30, 50, 80]), (21, [0, 30, 50, 70, 80]), (500, [0, 80])],
)
def test_a_run_evaluates_at_the_start_as_scheduled_and_once_at_the_end(untrained, tmp_path, every, steps):
    """With 25, at the ends of the episodes that pass 25, 50 and 75 steps."""
    finished_run(replace(untrained, evaluate_every=every), tmp_path / "run")
    evaluations = read_columns(tmp_path / "run" / "evaluations.csv")
    assert list(evaluations["steps"]) == steps
    assert set(evaluations["episodes"]) == {2}


def test_a_run_saves_at_the_start_as_scheduled_and_at_the_end(untrained, tmp_path):
    finished_run(replace(untrained, checkpoint_every=25, keep_checkpoints=99), tmp_path / "run")
    steps = [int(name.removeprefix("step-")) for name in names(tmp_path / "run" / "checkpoints", "step-*")]
    assert steps == [0, 30, 50, 80]


def test_evaluations_start_from_the_same_states_so_that_only_the_policy_changes_their_mean(untrained, tmp_path):
    """Otherwise the starts' own spread, 70 on Pendulum, would hide what the policy learned."""
    finished_run(replace(untrained, env="Pendulum-v1", episodes=2, evaluate_every=200), tmp_path / "run")
    assert len(set(read_columns(tmp_path / "run" / "evaluations.csv")["mean"])) == 1


def test_two_seeds_are_evaluated_from_different_states(untrained, tmp_path):
    pendulum = replace(untrained, env="Pendulum-v1", episodes=1)
    finished_run(pendulum, tmp_path / "run")
    finished_run(replace(pendulum, seed=1), tmp_path / "other")
    one, other = (read_columns(tmp_path / name / "evaluations.csv")["mean"][0] for name in ("run", "other"))
    assert one != other


@pytest.mark.parametrize(
    ("means", "kept"),
    [
        ((5, 1, 7, 3), "best-000000060"),
        ((5, 1, 4, 3), "best-000000000"),  # the untrained policy was better than any later one
        ((-9, -5, -7, -8), "best-000000030"),
        ((5, 7, 7, 7), "best-000000030"),  # of equal ones, the first
        ((5, 6, 7, 9), "best-000000060"),  # a final evaluation outside the schedule does not count
    ],
)
def test_the_checkpoint_with_the_highest_scheduled_evaluation_is_kept_as_the_best(
    untrained, tmp_path, scripted, means, kept
):
    scripted(*means)
    finished_run(replace(untrained, checkpoint_every=30), tmp_path / "run")
    assert best(tmp_path / "run") == [kept]


def test_a_last_evaluation_on_schedule_can_be_the_best(untrained, tmp_path, scripted):
    scripted(5, 6, 7)
    finished_run(replace(untrained, evaluate_every=40), tmp_path / "run")
    assert best(tmp_path / "run") == ["best-000000080"]


def test_a_resumed_run_keeps_its_best_until_a_later_evaluation_beats_it(untrained, tmp_path, scripted):
    scripted(1, 7, 3, 9)
    finished_run(replace(untrained, checkpoint_every=30), tmp_path / "run")
    assert best(tmp_path / "run") == ["best-000000030"]
    scripted(6, 5)  # at 90 and, in the end, at 100
    finish(tmp_path / "run", episodes=10)
    assert best(tmp_path / "run") == ["best-000000030"]
    scripted(8, 5)  # at 120 and 130
    finish(tmp_path / "run", episodes=13)
    assert best(tmp_path / "run") == ["best-000000120"]


def test_a_best_that_is_newer_than_the_checkpoint_is_found_again_when_its_steps_are_repeated(
    untrained, tmp_path, scripted, monkeypatch
):
    """The run dies between its best evaluation, at 60, and the next checkpoint."""

    def die(self, episode):
        if episode.number == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "show", die)
    scripted(1, 7, 9)
    with pytest.raises(KeyboardInterrupt):
        finished_run(replace(untrained, checkpoint_every=40), tmp_path / "run")
    assert best(tmp_path / "run") == ["best-000000030", "best-000000060"]
    monkeypatch.undo()
    scripted(9, 3)
    finish(tmp_path / "run")
    assert best(tmp_path / "run") == ["best-000000060"]


def test_the_last_evaluation_is_the_one_reported(untrained, tmp_path, scripted):
    scripted(5, 6, 7, 8)
    assert finished_run(untrained, tmp_path / "run").evaluation.mean == 8


def test_the_curve_is_drawn_from_the_first_episode_on(config, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(Progress, "show", lambda self, _: drawn.append(run.plot_path.exists()))
    run = start_run(replace(config, episodes=2), tmp_path / "run", tmp_path / "plots")
    run.train(show_progress=False)
    assert drawn == [True, True]


def test_the_garbage_collector_is_as_before_after_a_run(untrained, tmp_path, monkeypatch):
    frozen = []
    monkeypatch.setattr(Progress, "show", lambda *_: frozen.append(gc.get_freeze_count()))
    finished_run(untrained, tmp_path / "run")
    assert min(frozen) > 1_000
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_its_episode_with_a_checkpoint(untrained, tmp_path, monkeypatch, number):
    raise_after(monkeypatch, 3, number)
    before = signal.getsignal(number)
    run = finished_run(replace(untrained, evaluate_every=1_000), tmp_path / "run")
    assert run.folder.stop.signal_number == number
    assert run.episode.number == 3
    assert find_checkpoint(tmp_path / "run").name == "step-000000030"
    assert list(read_columns(tmp_path / "run" / "evaluations.csv")["steps"]) == [0]  # no final evaluation
    assert signal.getsignal(number) == before


def test_a_second_signal_ends_the_run_at_once(untrained, tmp_path, monkeypatch):
    monkeypatch.setattr(Progress, "show", lambda *_: [signal.raise_signal(signal.SIGINT) for _ in range(2)])
    with pytest.raises(KeyboardInterrupt):
        finished_run(untrained, tmp_path / "run")
    assert find_checkpoint(tmp_path / "run").name == "step-000000000"
    monkeypatch.undo()
    finish(tmp_path / "run")  # the lock is free


def test_a_broken_reward_stops_the_run_after_its_progress_is_saved(config, tmp_path, without_plots):
    broken = replace(config, env="Breaking-v0", evaluation_episodes=1, evaluate_every=1_000)
    run = start_run(broken, tmp_path / "run", tmp_path / "plots")
    with pytest.raises(RunStopped, match=f"episode 2, step 25: .*; progress so far is saved in {tmp_path / 'run'}$"):
        run.train(show_progress=False)
    agent, description = read_back(tmp_path / "run")
    assert description["episode"]["number"] == 1
    assert agent.updates == run.agent.updates > 24
    assert agent.replay_buffer.added == 64


def test_an_error_in_an_evaluation_stops_the_run_after_its_progress_is_saved(untrained, tmp_path):
    broken = replace(untrained, env="Breaking-v0", evaluation_episodes=1, evaluate_every=40)
    with pytest.raises(RunStopped, match=r"evaluation episode 0, step 25: .*; progress so far is saved"):
        finished_run(broken, tmp_path / "run")
    assert find_checkpoint(tmp_path / "run").name == "step-000000040"


@pytest.mark.parametrize("where", ["after", "within"])
def test_networks_that_became_nan_never_replace_a_valid_checkpoint(config, tmp_path, without_plots, monkeypatch, where):
    """After an episode's checkpoint, the next action shows it; within an episode, the check before saving does."""
    often = replace(config, evaluate_every=1_000, checkpoint_every=10, keep_checkpoints=1)
    run = start_run(often, tmp_path / "run", tmp_path / "plots")
    show, remember = Progress.show, run.agent.remember

    def poison(*arguments):
        (show if where == "after" else remember)(*arguments)
        if run.agent.steps == 30:
            run.agent.actor.action.bias.assign([np.nan])

    if where == "after":
        monkeypatch.setattr(Progress, "show", poison)
        message, newest = "episode 4, step 1: the network chose the action", "step-000000030"
    else:
        monkeypatch.setattr(run.agent, "remember", poison)
        message, newest = "step 30: the networks became NaN or infinite", "step-000000020"
    with pytest.raises(RunStopped, match=rf"^{message}.*; the last valid checkpoint is in {tmp_path / 'run'}$"):
        run.train(show_progress=False)
    assert find_checkpoint(tmp_path / "run").name == newest
    agent, _ = read_back(tmp_path / "run")
    assert np.isfinite(agent.actor.action.bias.numpy()).all()


def test_an_error_of_the_agent_is_raised_as_it_is_and_not_blamed_on_the_environment(untrained, tmp_path, monkeypatch):
    run = start_run(untrained, tmp_path / "run", tmp_path / "plots")
    monkeypatch.setattr(run.agent, "update", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.train(show_progress=False)
    finish(tmp_path / "run")  # the lock is free, and the first checkpoint is there
