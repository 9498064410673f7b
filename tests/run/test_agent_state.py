"""An agent comes back from a checkpoint as it was: the whole run, or the policy alone."""

from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG, RequestError
from ddpg.command.presets import PRESETS
from ddpg.run import memory
from ddpg.run.agent_state import (
    load,
    load_for_acting,
    open_checkpoint,
    read_episode,
    snapshot_of,
    variable_owners,
)
from ddpg.storage.checkpoint_format import CorruptFileError, Snapshot, named_variables, write_snapshot
from ddpg.storage.checkpoints import Checkpoints, find_checkpoint
from ddpg.storage.replay_files import ReplayFiles
from ddpg.training import Episode
from tests.helpers.agents import NETWORKS, fill
from tests.helpers.runs import assert_same_run, csv_rows, finish, finished_run

pytestmark = pytest.mark.usefixtures("without_plots")
EPISODE = Episode(number=7, steps=64, length=9, recent_returns=(1.5, -1 / 3))


@pytest.fixture
def config(small):
    """Checkpoints and evaluations every two episodes, and a replay buffer that is overwritten twice."""
    return replace(
        small, env="Pendulum-v1", env_kwargs={"max_episode_steps": 20}, episodes=6, evaluate_every=40,
        evaluation_episodes=1, checkpoint_every=40, buffer_size=50, learning_starts=10,
    )  # fmt: skip


@pytest.fixture
def agent(small):
    """An agent of which each variable, each stream and each counter is unlike a new agent's."""
    agent = fill(DDPG(3, 2, replace(small, buffer_size=100, noise="ou", batch_normalization=True)))
    for index, variable in enumerate(named_variables(variable_owners(agent)).values()):
        variable.assign(variable + index + 1)
    for rng in agent.rngs.values():
        rng.random(5)
    agent.replay_buffer.add(np.ones(3), np.ones(2), 1.0, False, np.ones(3))  # logged data, say
    agent.updates, agent.rows_from_elsewhere = 41, 1
    return agent


def save(agent, folder, episode=EPISODE):
    """Write a checkpoint, as a run does; return its folder."""
    checkpoints = Checkpoints(folder / "checkpoints", 1, ReplayFiles(folder / "checkpoints" / "replay"))
    return checkpoints.save(snapshot_of(agent, episode, {"seconds": 1.0}), agent.replay_buffer)


@pytest.fixture
def saved(agent, tmp_path):
    return save(agent, tmp_path)


@pytest.mark.slow  # test_exactness.py shows it in a new process
@pytest.mark.parametrize("preset", PRESETS)
def test_a_resumed_run_ends_where_the_uninterrupted_run_ends(config, tmp_path, preset):
    """Stopped between two evaluations: the one at its end is dropped again, and the noise goes on in its stream."""
    fields = ("noise", "batch_normalization", "kernel_initializer", "action_layer", "critic_weight_decay")
    config = replace(config, evaluate_every=60, **{name: getattr(PRESETS[preset], name) for name in fields})
    finished_run(config, tmp_path / "whole")
    finished_run(replace(config, episodes=2), tmp_path / "parts")
    finish(tmp_path / "parts", episodes=6)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.slow
def test_rows_logged_after_the_newest_checkpoint_are_dropped_and_repeated(config, tmp_path):
    """As after a kill: the CSV files are ahead of the newest checkpoint."""
    config = replace(config, learning_starts=1_000)
    finished_run(config, tmp_path / "whole")
    finished_run(replace(config, episodes=4), tmp_path / "killed")
    newest = find_checkpoint(tmp_path / "killed")
    newest.rename(newest.with_suffix(".partial"))  # never completed
    finish(tmp_path / "killed", episodes=6)
    assert [row["steps"] for row in csv_rows(tmp_path / "killed" / "episodes.csv")] == [
        str(20 * number) for number in range(1, 7)
    ]
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


def test_every_network_and_optimizer_comes_back(agent, saved):
    again, _ = load(open_checkpoint(saved))
    variables, variables_again = (named_variables(variable_owners(each)) for each in (agent, again))
    assert {name.partition(".")[0] for name in variables} == {*NETWORKS, "actor_optimizer", "critic_optimizer"}
    for name, variable in variables.items():
        np.testing.assert_array_equal(variable.numpy(), variables_again[name].numpy(), err_msg=name)


def test_every_random_stream_and_counter_comes_back(agent, saved):
    again, _ = load(open_checkpoint(saved))
    assert again.updates == 41
    for name, rng in agent.rngs.items():
        assert rng.random() == again.rngs[name].random(), name
    assert again.noise.shock.rng is again.rngs["noise"]


def test_the_statistics_of_normalized_observations_come_back_also_for_the_policy_alone(small, tmp_path):
    agent = fill(DDPG(3, 2, replace(small, buffer_size=100, normalize_observations=True)))
    agent.update()
    fill(agent, 3)
    saved = open_checkpoint(save(agent, tmp_path, replace(EPISODE, steps=67)))
    for again in (load(saved)[0], load_for_acting(saved.path)):
        for name in ("count", "mean", "variance"):
            value = getattr(agent.normalization, name).numpy()
            assert value.dtype == np.float64
            np.testing.assert_array_equal(value, getattr(again.normalization, name).numpy())
        states = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
        np.testing.assert_array_equal(again.normalization(states), agent.normalization(states))


@pytest.mark.slow
def test_the_settings_and_the_last_episode_come_back(agent, saved):
    checkpoint = open_checkpoint(saved)
    assert load(checkpoint)[0].config == agent.config
    assert read_episode(checkpoint) == EPISODE
    longer = replace(agent.config, episodes=9_999)
    assert load(checkpoint, longer)[0].config == longer


@pytest.mark.slow
def test_a_loaded_agent_can_update_at_once(agent, tmp_path):
    again, _ = load(open_checkpoint(save(agent, tmp_path)))
    fill(again)
    assert again.update() is not None


def test_the_policy_alone_needs_no_replay_buffer(agent, saved):
    state = np.float32([0.6, 0.8, -1])
    policy = load_for_acting(saved)
    np.testing.assert_array_equal(policy.act(state, explore=False), agent.act(state, explore=False))
    assert policy.replay_buffer.capacity == agent.config.batch_size


def test_metrics_are_no_part_of_a_checkpoint(agent):
    from ddpg import Metrics

    episode = replace(EPISODE, metrics=Metrics(*[float("nan")] * len(Metrics._fields)))
    assert snapshot_of(agent, episode, {}).description["episode"]["metrics"] is None


@pytest.mark.parametrize("change", [{"updates": -1}, {"updates": 1.5}, {"rngs": {}}, {"rngs": {"noise": {}}}])
def test_a_counter_or_stream_that_makes_no_sense_is_damage_to_the_file(agent, tmp_path, change):
    snapshot = snapshot_of(agent, EPISODE, {})
    broken = Snapshot(snapshot.kind, snapshot.step, snapshot.arrays, snapshot.description | change)
    write_snapshot(tmp_path / "step-000000064", broken)
    with pytest.raises(CorruptFileError, match=r"run\.json is corrupt"):
        load(open_checkpoint(tmp_path / "step-000000064"))


@pytest.mark.parametrize(
    "change", [{"number": -1}, {"steps": "many"}, {"length": None}, {"recent_returns": ["x"]}, {"recent_returns": 3}]
)
def test_an_episode_that_makes_no_sense_is_damage_to_the_file(agent, tmp_path, change):
    snapshot = snapshot_of(agent, EPISODE, {})
    snapshot.description["episode"].update(change)
    write_snapshot(tmp_path / "step-000000064", snapshot)
    with pytest.raises(CorruptFileError, match=r"run\.json is corrupt"):
        read_episode(open_checkpoint(tmp_path / "step-000000064"))


@pytest.mark.parametrize(
    "change", [{"state_size": 0}, {"action_size": -2}, {"state_size": 10**9}, {"hidden_units": [10**5, 10**5]}]
)
def test_networks_that_the_file_is_too_small_for_are_never_built(agent, tmp_path, monkeypatch, change):
    snapshot = snapshot_of(agent, EPISODE, {})
    sizes = {name: value for name, value in change.items() if name != "hidden_units"}
    config = snapshot.description["config"] | {name: value for name, value in change.items() if name not in sizes}
    broken = Snapshot(snapshot.kind, snapshot.step, snapshot.arrays, snapshot.description | sizes | {"config": config})
    write_snapshot(tmp_path / "step-000000064", broken)
    monkeypatch.setattr("ddpg.run.agent_state.DDPG", lambda *_: pytest.fail("built"))
    with pytest.raises(CorruptFileError, match=r"variables\.npz is corrupt .*too small for the networks"):
        load(open_checkpoint(tmp_path / "step-000000064"))


def test_an_agent_that_does_not_fit_into_memory_is_refused_before_it_is_built(agent, saved, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1_000.0)
    monkeypatch.setattr("ddpg.run.agent_state.DDPG", lambda *_: pytest.fail("built"))
    with pytest.raises(RequestError, match=r"hidden_units: .* GiB is free"):
        load(open_checkpoint(saved))
