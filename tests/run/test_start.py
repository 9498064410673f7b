"""Runs start and resume only where the whole request can be met; otherwise nothing on the disk changes."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import pytest
import tensorflow as tf

from ddpg import Config, RequestError
from ddpg.command.tensorflow import prepare_tensorflow
from ddpg.run import start
from ddpg.run.start import default_run_dir, plot_path, resume_run, start_run
from ddpg.storage.checkpoint_format import SavedCheckpoint
from ddpg.storage.checkpoints import all_checkpoints
from ddpg.storage.lock import Lock
from ddpg.storage.resuming import extend_config
from ddpg.training import Episode
from tests.helpers.runs import contents, csv_rows, finish, finished_run, raise_after, release
from tests.helpers.tasks import States

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("without_plots")


@pytest.fixture(scope="module")
def config(small):
    """No updates: these tests look at what happens before and after training."""
    return replace(
        small, env="Endless-v0", episodes=4, learning_starts=10_000, evaluation_episodes=1, checkpoint_every=20,
        evaluate_every=20, stop_at=5.0, stop_evaluations=90,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    return finished_run(config, tmp_path_factory.mktemp("finished") / "run").folder.path


@pytest.fixture
def run_dir(finished, tmp_path):
    """A copy of a finished run, at `tmp_path / "run"`."""
    return shutil.copytree(finished, tmp_path / "run")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"env": "Pendulm-v1"}, "env"),
        ({"env": "CartPole-v1"}, "env"),
        ({"env": "States-v0", "env_kwargs": {"kind": "empty"}}, "env"),
        ({"env": "Bounds-v0", "env_kwargs": {"low": [], "high": []}}, "env"),
        ({"env": "Bounds-v0", "env_kwargs": {"low": [-1e999], "high": [1]}}, "action_bound"),
        ({"buffer_size": 10**15}, "buffer_size"),
        ({"hidden_units": (10**8, 10**8)}, "hidden_units"),
        ({"warm_up_controller": "no_such_module:act"}, "warm_up_controller"),
    ],
)
def test_a_run_that_cannot_start_writes_nothing(config, tmp_path, change, setting):
    with pytest.raises(RequestError) as caught:
        start_run(replace(config, **change), tmp_path / "run", tmp_path / "plots")
    assert caught.value.setting == setting
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_never_written_into(config, tmp_path):
    (tmp_path / "thesis.tex").write_text("chapter 1")
    with pytest.raises(RequestError, match=f"run_dir: {tmp_path} already exists; .*--resume {tmp_path}"):
        start_run(config, tmp_path, tmp_path / "plots")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_place_of_the_plot_folder_is_refused_before_the_run_folder_is_made(config, tmp_path):
    (tmp_path / "plots").write_text("")
    with pytest.raises(RequestError, match="plot_dir: cannot write to"):
        start_run(config, tmp_path / "run", tmp_path / "plots" / "deeper")
    assert [path.name for path in tmp_path.iterdir()] == ["plots"]


@pytest.mark.parametrize(
    ("given", "plots", "message"),
    [
        ({"gamma": 0.5}, "plots", "gamma: cannot change from 0.99 to 0.5 when resuming"),
        ({"seed": 3}, "plots", "seed: cannot change from 0 to 3 when resuming"),
        ({"env": "Matching-v0"}, "plots", "env: cannot change from 'Endless-v0' to 'Matching-v0' when resuming"),
        ({"episodes": 3}, "plots", "episodes: must be at least 4, the length already planned or trained"),
        ({"steps": 39}, "plots", "steps: must be at least 40, the length already planned or trained"),
        ({}, "run/config.json/plots", "plot_dir: cannot write to"),
    ],
)
def test_a_refused_resume_changes_nothing_and_frees_the_lock(run_dir, tmp_path, given, plots, message):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(RequestError, match=message):
        resume_run(tmp_path / "run", tmp_path / plots, given)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    Lock(tmp_path / "run").close()


def test_settings_given_as_they_were_are_no_change(config, run_dir, tmp_path):
    run = resume_run(tmp_path / "run", tmp_path / "plots", {"gamma": config.gamma, "hidden_units": (16, 16)})
    release(run)
    assert run.config == config


def test_a_length_may_grow_and_nothing_else_may_change():
    config = Config(episodes=10)
    minimum = {"steps": 300, "episodes": 10}
    assert extend_config(config, {}, minimum) == config
    assert extend_config(config, {"episodes": 10, "tau": config.tau}, minimum) == config
    assert extend_config(config, {"episodes": 11}, minimum) == replace(config, episodes=11)
    assert extend_config(config, {"steps": 300}, minimum) == replace(config, steps=300)
    for given in ({"episodes": 9}, {"steps": 299}, {"tau": 0.1}):
        with pytest.raises(RequestError) as caught:
            extend_config(config, given, minimum)
        assert caught.value.setting == next(iter(given))


@pytest.mark.parametrize(("planned", "trained", "given", "least"), [
    ({"episodes": 4}, Episode(1, 10), {"episodes": 3}, 4),
    ({"episodes": 4}, Episode(7, 95), {"episodes": 6}, 7),
    ({"episodes": 4}, Episode(7, 95), {"steps": 94}, 95),
    ({"steps": 80}, Episode(3, 30), {"steps": 79}, 80),
    ({"steps": 20}, Episode(3, 30), {"steps": 29}, 30),
    ({"steps": 80}, Episode(3, 30), {"episodes": 2}, 3),
])  # fmt: skip
def test_no_length_is_less_than_what_was_planned_or_trained(
    config, run_dir, tmp_path, monkeypatch, planned, trained, given, least
):
    monkeypatch.setattr(start, "read_episode", lambda saved: trained)
    monkeypatch.setattr(SavedCheckpoint, "settings", lambda self, kind: replace(config, **planned))
    with pytest.raises(RequestError, match=f"must be at least {least}, the length already planned or trained"):
        resume_run(run_dir, tmp_path / "plots", given)


@pytest.mark.parametrize(("given", "length"), [({}, 40), ({"episodes": 6}, None), ({"steps": 75}, 75)])
def test_a_run_planned_in_steps_counts_episodes_if_they_are_given(
    config, run_dir, tmp_path, monkeypatch, given, length
):
    monkeypatch.setattr(SavedCheckpoint, "settings", lambda self, kind: replace(config, steps=40))
    run = resume_run(run_dir, tmp_path / "plots", given)
    release(run)
    assert (run.config.steps, run.config.episodes) == (length, given.get("episodes", 4))
    assert run.agent.config == run.config and run.episode.steps == 40
    (note,) = run.notes
    assert note.startswith("no update is to be expected")


@pytest.mark.parametrize(("given", "kept"), [
    ({}, True), ({"episodes": 5}, True), ({"stop_at": 5.0}, False), ({"stop_evaluations": 80}, False),
])  # fmt: skip
def test_a_run_that_is_asked_to_go_on_counts_its_good_evaluations_anew(run_dir, tmp_path, given, kept):
    run = resume_run(run_dir, tmp_path / "plots", given)
    release(run)
    assert bool(run.folder.kept["good_evaluations"]) == kept


@pytest.mark.slow
def test_the_length_given_last_counts_whether_in_episodes_or_in_steps(config, tmp_path):
    finished_run(replace(config, steps=40, episodes=250), tmp_path / "run")
    run = finish(tmp_path / "run", episodes=6)
    assert (run.config.episodes, run.config.steps, run.episode.number) == (6, None, 6)
    with pytest.raises(RequestError, match="steps: must be at least 60"):
        resume_run(tmp_path / "run", tmp_path / "plots", {"steps": 50})
    run = finish(tmp_path / "run", steps=75)
    assert (run.config.steps, run.episode.steps) == (75, 80)


def test_a_run_may_not_be_cut_below_its_planned_length_although_it_was_stopped_earlier(config, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        raise_after(patch, 1)
        finished_run(config, tmp_path / "run")
    with pytest.raises(RequestError, match="episodes: must be at least 4"):
        resume_run(tmp_path / "run", tmp_path / "plots", {"episodes": 2})
    assert finish(tmp_path / "run", episodes=4).episode.number == 4


def test_the_newest_checkpoint_is_resumed_unless_another_one_is_named(run_dir, tmp_path):
    first, newest = all_checkpoints(tmp_path / "run" / "checkpoints")
    assert (first.name, newest.name) == ("step-000000020", "step-000000040")
    run = resume_run(tmp_path / "run", tmp_path / "plots", {})
    assert (run.episode.number, run.episode.steps, run.episode.recent_returns) == (4, 40, (10,) * 4)
    release(run)
    run = resume_run(first, tmp_path / "plots", {})
    assert (run.episode.number, len(csv_rows(tmp_path / "run" / "episodes.csv"))) == (2, 2)
    assert not newest.exists()  # its steps are repeated
    release(run)


def test_the_best_networks_alone_cannot_be_resumed(run_dir, tmp_path):
    (best,) = all_checkpoints(tmp_path / "run" / "checkpoints", best=True)
    with pytest.raises(RequestError, match=f"resume: {best} holds only networks; resume from {tmp_path / 'run'}$"):
        resume_run(best, tmp_path / "plots", {})
    assert len(all_checkpoints(tmp_path / "run" / "checkpoints")) == 2


def test_a_run_whose_task_is_gone_is_refused_with_nothing_changed(run_dir, tmp_path):
    before, spec = contents(tmp_path / "run"), gymnasium.registry.pop("Endless-v0")
    try:
        with pytest.raises(RequestError, match="Endless-v0"):
            resume_run(tmp_path / "run", tmp_path / "plots", {"episodes": 8})
    finally:
        gymnasium.registry["Endless-v0"] = spec
    assert contents(tmp_path / "run") == before


def test_a_run_whose_task_has_other_sizes_now_is_refused_with_nothing_changed(config, tmp_path, monkeypatch):
    double = replace(config, env="States-v0", env_kwargs={"kind": "double"}, max_episode_steps=10)
    finished_run(double, tmp_path / "run")
    before = contents(tmp_path / "run")
    monkeypatch.setitem(States.KINDS, "double", States.KINDS["dict"])
    message = r"sizes \(5, 1\); the agent was trained with \(4, 1\); use the version of the task"
    with pytest.raises(RequestError, match=message):
        resume_run(tmp_path / "run", tmp_path / "plots", {"episodes": 8})
    assert contents(tmp_path / "run") == before


def test_a_preset_whose_random_steps_are_longer_than_the_episodes_is_noted(small, tmp_path):
    config = replace(small, env="Pendulum-v1", episodes=20, learning_starts=10_000)
    assert start_run(config, tmp_path / "run", tmp_path).notes == [
        "no update is to be expected: updates start at step 10000 (--batch-size, --learning-starts), "
        "and the run has at most 4000 steps"
    ]


def test_a_task_that_ignores_its_seed_is_noted_and_others_are_not(config, tmp_path):
    unseeded = start_run(replace(config, env="Unseeded-v0"), tmp_path / "one", tmp_path)
    assert unseeded.notes == ["Unseeded-v0 ignores reset(seed=...), so runs are not reproducible"]
    assert start_run(replace(config, env="Pendulum-v1", learning_starts=0), tmp_path / "two", tmp_path).notes == []


def test_all_that_is_odd_about_a_task_is_noted_before_the_run_begins(config, tmp_path):
    images = replace(config, env="States-v0", env_kwargs={"kind": "image"}, max_episode_steps=30)
    run = start_run(replace(images, num_envs=2, log_info="power"), tmp_path / "run", tmp_path)
    release(run)
    said = ("no update is to be", "has no 'power'", "with --num-envs 2, checkpoints cut every", "state is an image")
    assert [word for note, word in zip(run.notes, said, strict=True) if word not in note] == []


def test_a_cluster_without_room_is_refused_at_the_start_and_on_resuming(config, run_dir, tmp_path):
    machines = [SimpleNamespace(cores=1)]
    for begin in (
        lambda: start_run(config, tmp_path / "new", tmp_path, machines),
        lambda: resume_run(run_dir, tmp_path, {}, machines),
    ):
        with pytest.raises(RequestError, match="needs --num-envs: one simulator takes turns"):
            begin()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("machines", [[], [SimpleNamespace(cores=1), SimpleNamespace(cores=1)]])
def test_a_run_knows_whether_its_simulators_are_on_a_cluster(config, run_dir, tmp_path, monkeypatch, machines):
    several = replace(config, num_envs=2)
    run = start_run(several, tmp_path / "new", tmp_path, machines)
    monkeypatch.setattr(SavedCheckpoint, "settings", lambda self, kind: several)
    resumed = resume_run(run_dir, tmp_path, {}, machines)
    assert run.on_cluster == resumed.on_cluster == bool(machines)
    for each in (run, resumed):
        release(each)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_threads_are_set_before_tensorflow_computes_and_a_users_own_choice_is_kept(tmp_path):
    """Once TensorFlow has computed, it refuses them."""
    command = [sys.executable, "-m", "tests.helpers.threads", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["started 3", "resumed 3", "unasked 2"], done.stderr


@pytest.mark.parametrize(("chosen", "expected"), [(None, "true"), ("false", "false")])
def test_runs_share_the_memory_of_a_gpu_unless_the_user_says_otherwise(monkeypatch, chosen, expected):
    """TensorFlow would reserve all of it for the first run, and the next would find none."""
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "")  # set first, so that it is as before afterwards
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH")
    if chosen:
        monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", chosen)
    prepare_tensorflow(threads=None)
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == expected


@pytest.mark.parametrize(("asked", "set_before", "now"), [(3, 0, [3]), (3, 2, [3]), (3, 3, []), (None, 0, [])])
def test_the_threads_are_those_that_compute_one_operation(monkeypatch, asked, set_before, now):
    """TensorFlow has another pool, of operations that run side by side; an update is one chain."""
    threading, given = tf.config.threading, []
    monkeypatch.setattr(threading, "get_intra_op_parallelism_threads", lambda: set_before)
    monkeypatch.setattr(threading, "get_inter_op_parallelism_threads", lambda: 3 - set_before)
    monkeypatch.setattr(threading, "set_intra_op_parallelism_threads", given.append)
    monkeypatch.setattr(threading, "set_inter_op_parallelism_threads", lambda count: pytest.fail("the other pool"))
    prepare_tensorflow(asked)
    assert given == now


def test_threads_that_come_too_late_are_refused(config, run_dir, tmp_path, monkeypatch):
    tf.zeros(1)
    many = replace(config, threads=37)
    monkeypatch.setattr(SavedCheckpoint, "settings", lambda self, kind: many)
    for begin in (lambda: start_run(many, tmp_path / "new", tmp_path), lambda: resume_run(run_dir, tmp_path, {})):
        with pytest.raises(RequestError, match="threads: TensorFlow is already initialized in this process"):
            begin()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("env", "folder"),
    [("Pendulum-v1", "Pendulum-v1"), ("ALE/Pong-v5", "ALE_Pong-v5"), ("my.tasks:Tank-v0", "my.tasks_Tank-v0")],
)
def test_runs_and_curves_are_named_after_task_and_seed(env, folder):
    config = replace(Config(), env=env, seed=7)
    run_dir = default_run_dir(config, time.struct_time((2026, 3, 9, 1, 2, 3, 0, 0, 0)))
    assert run_dir == Path.cwd() / "runs" / folder / "20260309-010203-seed7"
    assert plot_path(config, run_dir, Path("plots")) == Path("plots") / f"{folder}-20260309-010203-seed7.png"
    assert plot_path(config, Path("."), Path("plots")).name == f"{folder}-{Path.cwd().name}.png"
