"""A simulator that is lost, as on a cluster: its step is not stored, its episode is cut, and another one begins."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from ddpg import DDPG, evaluate, make_environment
from ddpg.experience.episodes import run_episodes
from ddpg.experience.hindsight import Hindsight
from ddpg.experience.parallel import Rounds
from ddpg.experience.simulator import Simulator
from ddpg.seeding import integer_seed


class Losing(SyncVectorEnv):
    """Simulators in this process, of which some are lost with a step, and replaced: `losses` has (step, simulator)."""

    def __init__(self, config, count, losses, sizes=(2, 1)):
        self.make = partial(Simulator, config, None, sizes)
        super().__init__([self.make] * count, autoreset_mode=AutoresetMode.DISABLED)
        self.losses, self.clock, self.use, self.reported, self.infos = losses, 0, "training", [], [{}] * count
        self.look, self.lost = lambda: None, np.zeros(count, bool)

    def step(self, actions):
        self.clock += 1
        self._autoreset_envs[:] = False  # a simulator may be stepped after the end of its episode
        results = super().step(actions)
        self.lost = np.array(results[4].get("lost", self.lost & False))
        for clock, k in self.losses:
            if clock == self.clock:
                self.envs[k] = self.make()
                self.envs[k].use = self.use
                for part in results[:4]:
                    part[k] = 0
                self.lost[k] = True
        return results

    def turn_to(self, use):
        self.use = use
        for each in self.envs:
            each.use = use


@pytest.fixture
def config(small):
    return replace(small, env="Walking-v0", steps=300)


def test_what_a_lost_simulator_did_not_answer_is_not_stored_and_not_counted(config):
    agent = DDPG(1, 1, replace(config, env="Unlimited-v0", checkpoint_every=20))
    rounds = Rounds(agent, Losing(agent.config, 3, [(2, 1), (5, 0), (5, 1)], sizes=(1, 1)))
    steps = [(rounds.next(), rounds.steps)[1] for _ in range(8)]
    assert steps == [3, 5, 8, 11, 12, 15, 18, 21]
    assert agent.steps == 21 and (agent.replay_buffer.rows[:21] != 0).any(axis=1).all()
    assert rounds.begun == 6
    assert not rounds.running.any()  # step 20 is passed: all are cut
    assert rounds.position.passed(20)


def test_each_step_that_was_taken_brings_its_update(config):
    agent = DDPG(1, 1, replace(config, env="Unlimited-v0", train_frequency=2))
    rounds = Rounds(agent, Losing(agent.config, 3, [(9, 1), (12, 0), (12, 1)], sizes=(1, 1)))
    for _ in range(15):
        rounds.next()
    rounds.cut()
    assert agent.updates == 42 // 2 - 15 // 2  # they begin with the 16th step


def test_transitions_join_only_within_an_episode_also_where_a_simulator_was_lost(config):
    agent = DDPG(2, 1, replace(config, checkpoint_every=10**6))
    simulators = Losing(agent.config, 2, [(7, 1), (30, 0)])
    rounds = Rounds(agent, simulators)
    episodes = [episode for _ in range(60) for episode in rounds.next()]
    numbers = [episode.number for episode in episodes]
    assert len(set(numbers)) == len(numbers)
    for episode in episodes:  # each has the length that its seed gives, though some simulators are new
        task = make_environment(agent.config)
        task.reset(seed=integer_seed(0, "episodes", episode.number))
        assert task.unwrapped.length == episode.length
    assert rounds.begun - rounds.running.sum() == len(episodes) + 2


class Follower:
    def act(self, state, explore):
        return np.clip(state[:1], -1, 1)


@pytest.mark.parametrize("losses", [[(1, 0)], [(3, 1), (4, 1), (5, 0)], [(3, 0), (3, 1), (3, 2)]])
def test_an_evaluation_begins_a_lost_episode_again_from_the_same_start(config, losses):
    simulators = Losing(config, 3, losses)
    assert (
        run_episodes(Follower(), simulators, 5, 50)
        == evaluate(Follower(), make_environment(config), 5, seed=50).returns
    )


def test_a_training_episode_that_is_lost_during_an_evaluation_is_cut_when_the_training_goes_on(config):
    agent = DDPG(1, 1, replace(config, env="Unlimited-v0", max_episode_steps=10))
    simulators = Losing(agent.config, 2, [(5, 1)], sizes=(1, 1))
    rounds = Rounds(agent, simulators)
    rounds.next()
    run_episodes(Follower(), simulators, 2, 50)
    rounds.next()
    rounds.next()
    assert rounds.lengths.tolist() == [3, 1]
    assert agent.steps == rounds.steps == 2 + 1 + 2


def test_hindsight_stores_what_a_lost_simulator_had_done(config):
    config = replace(config, env="Reaching-v0", hindsight_goals=2)
    agent = DDPG(5, 2, config)
    simulators = Losing(config, 2, [(1, 0), (4, 0)], sizes=(5, 2))
    rounds = Rounds(agent, simulators, hindsights=[Hindsight(make_environment(config), config) for _ in range(2)])
    for _ in range(4):
        rounds.next()
    assert agent.rows_from_elsewhere == 2 * 2  # nothing of the first step, and the two steps before the fourth
