"""A start from another run: its networks and its normalization, new optimizers; what does not fit is refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG, Config, RequestError, make_environment, save_agent
from ddpg.run.agent_state import open_checkpoint
from ddpg.run.diagnosis import first_policy
from ddpg.run.plotting import origin
from ddpg.run.start import start_run
from ddpg.run.start_from import take_transitions
from ddpg.storage.checkpoints import all_checkpoints, find_checkpoint
from ddpg.storage.files import checksum
from tests.helpers.agents import numbers, transitions
from tests.helpers.runs import assert_same_run, contents, finish, finished_run, read_back

NETWORKS = ("actor", "critic", "target_actor", "target_critic")


@pytest.fixture
def config(small, without_plots):
    return replace(small, env="Scales-v0", episodes=30, evaluate_every=10, evaluation_episodes=1, checkpoint_every=10)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One run for all tests that only read it, or change their copy."""
    return tmp_path_factory.mktemp("trained") / "source"


@pytest.fixture
def source(trained, config, tmp_path):
    if not trained.exists():
        finished_run(config, trained)
    return shutil.copytree(trained, tmp_path / "source")


def started(config, source, tmp_path, **changes):
    run = start_run(replace(config, start_from={str(source): ""}, **changes), tmp_path / "new", tmp_path)
    run.folder.close()
    return run


def test_all_networks_are_those_of_the_other_run_and_nothing_else_is(config, source, tmp_path):
    other, new = read_back(source)[0], started(config, source, tmp_path, seed=9, actor_learning_rate=1e-2).agent
    for name in NETWORKS:
        np.testing.assert_array_equal(numbers(getattr(new, name)), numbers(getattr(other, name)))
    assert (new.updates, new.steps, len(new.replay_buffer)) == (0, 0, 0)
    assert int(other.actor_optimizer.iterations) > 0 == int(new.actor_optimizer.iterations)


def test_the_average_of_the_actor_begins_with_the_one_that_was_evaluated(config, tmp_path):
    finished_run(replace(config, evaluation_tau=0.1), tmp_path / "source")
    other = read_back(tmp_path / "source")[0]
    new = started(config, tmp_path / "source", tmp_path, evaluation_tau=0.5).agent
    np.testing.assert_array_equal(numbers(new.evaluated_actor), numbers(other.evaluated_actor))
    np.testing.assert_array_equal(numbers(new.actor), numbers(other.actor))


def test_the_settings_name_the_checkpoint_and_its_checksum_and_so_does_the_picture(config, source, tmp_path):
    finished_run(replace(config, start_from={str(source): ""}), tmp_path / "new")
    newest = all_checkpoints(source / "checkpoints")[-1]
    settings = json.loads((tmp_path / "new" / "config.json").read_text())["config"]
    assert settings["start_from"] == {str(newest): checksum(newest / "manifest.json")}
    assert origin(settings) == f"from step 30 of source ({checksum(newest / 'manifest.json')[:8]})"
    assert first_policy(Config.from_json(settings))[1] == "the policy that it started with"


def test_the_best_networks_can_be_taken(config, source, tmp_path):
    (best,) = all_checkpoints(source / "checkpoints", best=True)
    assert list(started(config, source, tmp_path, start_from_best=True).config.start_from) == [str(best)]


@pytest.mark.parametrize("best", [False, True])
def test_its_transitions_are_taken_if_asked_for_and_are_no_steps(config, source, tmp_path, best):
    other = read_back(source)[0].replay_buffer
    new = started(config, source, tmp_path, start_from_data=True, start_from_best=best, buffer_size=20).agent
    np.testing.assert_array_equal(new.replay_buffer.rows, other.rows[10:30])
    assert (new.steps, new.rows_from_elsewhere) == (0, 20)


def test_the_transitions_of_a_checkpoint_that_is_named_are_those_until_then(config, source, tmp_path):
    other, older = read_back(source)[0].replay_buffer, all_checkpoints(source / "checkpoints")[0]
    new = started(config, older, tmp_path, start_from_data=True).agent
    assert len(new.replay_buffer) == int(older.name.partition("-")[2]) < len(other)
    np.testing.assert_array_equal(
        new.replay_buffer.rows[: len(new.replay_buffer)], other.rows[: len(new.replay_buffer)]
    )


def test_the_transitions_of_a_full_replay_buffer_come_oldest_first_and_none_is_counted_twice(config, tmp_path):
    """Also those of an agent from a loop of one's own."""
    normalizing = replace(config, normalize_observations=True)
    own = DDPG(2, 1, replace(normalizing, buffer_size=16))
    for transition in transitions(21, 2, 1):
        own.remember(*transition)
        own.normalization.follow()
    new = started(normalizing, save_agent(own, tmp_path / "own"), tmp_path, start_from_data=True).agent
    np.testing.assert_array_equal(new.replay_buffer.rows[:16], np.roll(own.replay_buffer.rows, -5, axis=0))
    new.normalization.follow()
    assert new.normalization.count.numpy() == own.normalization.count.numpy() == 21


def test_the_transitions_of_another_run_are_not_imitated(config, source):
    """Only logged data are."""
    agent = DDPG(2, 1, replace(config, data={"log.npz": ""}, imitation=1.0))
    take_transitions(agent, open_checkpoint(find_checkpoint(source)), make_environment(config))
    assert len(agent.replay_buffer) == 30 and not agent.replay_buffer.split(agent.replay_buffer.rows[:30]).logged.any()


def test_the_normalization_is_taken_with_its_weight(config, tmp_path):
    """30 states were counted: 20 more of the new run move the mean by two fifths of their difference, not by all."""
    config = replace(config, normalize_observations=True)
    finished_run(config, tmp_path / "source")
    other = read_back(tmp_path / "source")[0].normalization
    agent = started(config, tmp_path / "source", tmp_path).agent
    np.testing.assert_array_equal(agent.normalization.mean.numpy(), other.mean.numpy())
    counted, mean = int(other.count.numpy()[0]), other.mean.numpy()
    for _ in range(20):
        agent.remember(np.full(2, 5.0), np.zeros(1), 0.0, np.zeros(2), False)
    agent.normalization.follow()
    share = 20 / (20 + counted)
    np.testing.assert_allclose(agent.normalization.mean.numpy(), (1 - share) * mean + share * 5.0)


def test_a_resumed_run_that_started_from_another_is_the_whole_run_and_needs_it_no_longer(config, tmp_path):
    config = replace(config, normalize_observations=True)
    source = tmp_path / "source"
    finished_run(config, source)
    config = replace(config, start_from={str(source): ""}, start_from_data=True, data_updates=5)
    finished_run(config, tmp_path / "whole")
    finished_run(replace(config, episodes=10), tmp_path / "cut")
    source.rename(tmp_path / "elsewhere")
    finish(tmp_path / "cut", episodes=30)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize(
    ("changes", "setting", "message"),
    [
        (
            {"hidden_units": (8, 16)},
            "start_from",
            r"kernel of the actor of .* \(2, 16\), and here \(2, 8\); use its --hi",
        ),
        ({"action_layer": 2}, "start_from", r"kernel of the critic of .* has the shape \(3, 16\), and here \(2, 16\)"),
        (
            {"env": "Endless-v0"},
            "start_from",
            r"kernel of the actor .* \(2, 16\), and here \(1, 16\).*a task of the same",
        ),
        (
            {"layer_normalization": "both"},
            "start_from",
            r"the actor of .* has 6 arrays, and 10 here; use its --batch-norm",
        ),
        ({"normalize_observations": True}, "start_from", "was trained without --normalize-observations; use the same"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(config, source, tmp_path, changes, setting, message):
    before = contents(tmp_path)
    with pytest.raises(RequestError, match=message) as caught:
        started(config, source, tmp_path, **changes)
    assert caught.value.setting == setting
    assert contents(tmp_path) == before


def test_transitions_of_a_task_with_other_bounds_are_refused(config, tmp_path):
    bounds = {"low": [-2.0], "high": [2.0]}
    wide = replace(config, env="Bounds-v0", env_kwargs=bounds, episodes=2, max_episode_steps=10)
    finished_run(wide, tmp_path / "source")
    narrow = replace(wide, env_kwargs={"low": [-1.0], "high": [1.0]})
    assert started(narrow, tmp_path / "source", tmp_path).agent.steps == 0
    with pytest.raises(RequestError, match=r"start_from_data: the actions of .* its transitions do not fit"):
        start_run(
            replace(narrow, start_from={str(tmp_path / "source"): ""}, start_from_data=True),
            tmp_path / "other",
            tmp_path,
        )


def test_a_changed_or_missing_source_is_refused(config, source, tmp_path):
    newest = all_checkpoints(source / "checkpoints")[-1]
    with pytest.raises(RequestError, match=r"start_from: .* was changed: its manifest's SHA-256 is"):
        start_run(replace(config, start_from={str(newest): "0" * 64}), tmp_path / "new", tmp_path)
    with pytest.raises(RequestError, match="start_from: there is no folder"):
        start_run(replace(config, start_from={str(tmp_path / "none"): ""}), tmp_path / "new", tmp_path)
    with pytest.raises(RequestError, match="start_from_data: there is no run to start from; use --start-from DIR"):
        replace(config, start_from_data=True)
