"""Simulators on a Ray cluster of two nodes: the same numbers, the same failures, and what a lost node costs.

The tests share one cluster, which the last one damages.
"""

from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG, Config, RequestError, RunStopped, evaluate, make_environment, train
from ddpg.command.ray import joined_ray
from ddpg.experience import cluster_simulators
from ddpg.experience.cluster_simulators import MOST_LOSSES, ClusterSimulators
from ddpg.experience.parallel import Rounds
from ddpg.experience.simulators import SimulatorError
from ddpg.sweep.cluster import environment_variables, token
from tests.experience.test_parallel import assert_same, trained_with, vector_of
from tests.helpers.cluster import cluster_environment, two_nodes

CORES = 4
EVERYONE = {"reset_mask": np.ones(3, bool)}


@pytest.fixture(scope="module")
def cluster():
    with environment_variables(cluster_environment(token())), two_nodes(CORES) as nodes, joined_ray(nodes.address):
        yield nodes


@pytest.fixture
def config(small):
    return replace(small, env="Walking-v0", steps=120)


class Follower:
    """Acts by the state."""

    def act(self, state, explore):
        return np.clip(state[:1], -1, 1)


@pytest.mark.slow
def test_training_and_evaluation_give_the_same_numbers_as_on_this_machine(cluster, config):
    with ClusterSimulators(config, 3) as simulators:
        trained = trained_with(simulators, config)
        evaluation = evaluate(Follower(), simulators, 7, seed=50)
    assert_same(trained_with(vector_of(config, 3), config), trained)
    assert evaluation == evaluate(Follower(), make_environment(config), 7, seed=50)


@pytest.mark.slow
def test_an_actor_has_no_tensorflow_and_little_memory_and_is_in_a_process_of_its_own(cluster):
    with ClusterSimulators(Config(env="Inside-v0"), 3) as simulators:
        loaded, mebibytes, pids = simulators.reset(options=EVERYONE)[0].T
    assert not loaded.any() and mebibytes.max() < 150 and len(set(pids)) == 3


PROBLEMS = {
    "raise": r"the environment raised ValueError\('the pump is dry', <unlocked _thread.lock",
    "nan": r"the environment returned the state \[nan nan\]: non-finite value",
    "hang": r"no answer within 3 s \(--env-timeout\)",
}


@pytest.mark.slow
@pytest.mark.parametrize("act", PROBLEMS)
def test_an_error_of_the_task_ends_the_run_in_one_line(cluster, config, act):
    config = replace(config, env="Misbehaving-v0", env_kwargs={"act": act}, steps=10**6)
    with (
        ClusterSimulators(config, 3, timeout=3 if act == "hang" else None) as simulators,
        pytest.raises(RunStopped, match=f"^simulator 1, episode 5, step 3: {PROBLEMS[act]}"),
    ):
        list(train(DDPG(2, 1, config), simulators))


@pytest.mark.slow
def test_a_task_that_crashes_wherever_it_is_ends_the_run(cluster, config):
    with ClusterSimulators(replace(config, env_kwargs={"crashes": True}), 1) as simulators:
        told = []
        simulators.tell = told.append
        with pytest.raises(SimulatorError, match=f"it was lost {MOST_LOSSES} times in a row; its task may crash"):
            while True:
                simulators.reset(seed=[1], options={"reset_mask": np.ones(1, bool)})
                simulators.step(np.zeros((1, 1), np.float32))
    assert told == [1] * (MOST_LOSSES - 1)


@pytest.mark.slow
def test_a_cluster_without_room_is_refused_instead_of_waited_for(cluster, config, monkeypatch):
    monkeypatch.setattr(cluster_simulators, "SECONDS_TO_PLACE", 3)
    with pytest.raises(RequestError, match="num_envs: the cluster had no room for another simulator within 3 s"):
        ClusterSimulators(config, 2 * CORES + 1)


@pytest.mark.slow
def test_a_lost_node_costs_its_episodes_and_the_run_goes_on(cluster, config):
    config = replace(config, env="Unlimited-v0", steps=10**6)  # episodes that do not end
    told, count = [], 0
    with ClusterSimulators(config, 3) as simulators:
        simulators.tell = told.append
        agent = DDPG(1, 1, config)
        rounds = Rounds(agent, simulators)
        rounds.next()
        cluster.lose_second()
        while not told or count % 20:  # its processes live on for a moment, and need not end at once
            rounds.next()
            count += 1
    assert 1 <= sum(told) <= 2
    assert sorted(rounds.lengths == count + 1) == [False] * sum(told) + [True] * (3 - sum(told))
    assert agent.steps == rounds.steps == 3 * (count + 1) - sum(told)
    assert rounds.begun == 3 + sum(told)
