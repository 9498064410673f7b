"""The loop for several simulators: its order, what it stores and learns, and that their speeds change nothing."""

from dataclasses import replace
from functools import partial

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from ddpg import DDPG, Episode, Metrics, RequestError, RunStopped, make_environment, train
from ddpg.experience.parallel import Rounds
from ddpg.experience.simulators import Simulators
from ddpg.seeding import integer_seed
from tests.helpers.agents import NETWORKS, numbers

METRICS = Metrics(*range(len(Metrics._fields)))


@pytest.fixture
def config(small):
    return replace(small, env="Walking-v0", steps=120)


def vector_of(config, count, mode=AutoresetMode.DISABLED):
    """Return simulators in this process, one after the other: what is learned is the same."""
    return SyncVectorEnv([partial(make_environment, config)] * count, autoreset_mode=mode)


def trained_with(environments, config):
    agent = DDPG(2, 1, config)
    return agent, list(train(agent, environments))


def assert_same(one, other):
    """Compare two agents and their episodes bit for bit."""
    (agent, episodes), (again, episodes_again) = one, other
    assert episodes == episodes_again
    np.testing.assert_array_equal(agent.replay_buffer.rows, again.replay_buffer.rows)
    for name in NETWORKS:
        np.testing.assert_array_equal(numbers(getattr(agent, name)), numbers(getattr(again, name)))


def test_whichever_simulator_is_slow_the_numbers_are_the_same(config):
    """Also those of simulators in this process, which step one after the other."""
    reference = trained_with(vector_of(config, 3), config)
    for slow in (0, 2):
        with Simulators(replace(config, env_kwargs={"slow": slow}), 3) as simulators:
            assert_same(reference, trained_with(simulators, config))
    assert reference[0].updates > 0


class Tape(gymnasium.vector.VectorWrapper):
    """Writes down the calls to a vector environment, with the seeds of each reset."""

    def __init__(self, environments, calls):
        super().__init__(environments)
        self.calls = calls

    def reset(self, *, seed, options):
        self.calls.append([each for each, begins in zip(seed, options["reset_mask"], strict=True) if begins])
        return self.env.reset(seed=seed, options=options)

    def step_async(self, actions):
        self.calls.append("send")
        self.actions = actions

    def step_wait(self):
        self.calls.append("receive")
        return self.env.step(self.actions)


def test_a_round_sends_updates_receives_and_stores_in_this_order(config, monkeypatch):
    calls = []
    agent = DDPG(2, 1, replace(config, batch_size=4, steps=8))
    rounds = Rounds(agent, Tape(vector_of(config, 2), calls))
    remember = agent.remember
    monkeypatch.setattr(agent, "remember", lambda *parts: calls.append("remember") or remember(*parts))
    monkeypatch.setattr(agent.replay_buffer, "sample", lambda *_: np.zeros(()))
    rounds.compiled_updates = lambda count: lambda rows: calls.append(f"{count} updates") or METRICS
    for _ in range(3):
        rounds.next()
    seeds = [integer_seed(0, "episodes", number) for number in (1, 2)]
    store = ["remember", "remember"]
    first, second = ["send", "receive", *store], ["send", "2 updates", "receive", *store]
    assert [call for call in calls if call != [integer_seed(0, "episodes", 3)]] == [seeds, *first, *first, *second]


def test_episodes_are_numbered_by_the_step_and_the_simulator_in_which_they_begin(config):
    calls = []
    _, episodes = trained_with(Tape(vector_of(config, 3), calls), config)
    begun = [seed for call in calls if isinstance(call, list) for seed in call]
    assert begun == [integer_seed(0, "episodes", number) for number in range(1, len(begun) + 1)]
    lengths = {}
    for episode in episodes:
        task = make_environment(config)
        task.reset(seed=integer_seed(0, "episodes", episode.number))
        lengths[episode.number] = task.unwrapped.length
    assert lengths == {episode.number: episode.length for episode in episodes}
    assert [episode.steps for episode in episodes] == sorted(episode.steps for episode in episodes)


def test_the_transitions_of_each_simulator_join_and_the_last_one_keeps_its_own_next_state(config):
    agent, episodes = trained_with(vector_of(config, 3), config)
    batch = agent.replay_buffer.split(agent.replay_buffer.rows[:120])
    joined = (batch.next_state[:-3] == batch.state[3:]).all(axis=1)  # a round has three rows
    assert (~joined).sum() == sum(episode.steps < 120 for episode in episodes)
    ends = sum(episode.length % 2 == 0 for episode in episodes)  # the others run into a time limit
    assert batch.terminated.sum() == ends > 0


@pytest.mark.parametrize(
    ("frequency", "gradient_steps", "calls"), [(1, 1, 1), (1, 2, 1), (3, 1, 1), (2, 4, 2), (9, 2, 1)]
)
def test_each_environment_step_brings_its_updates_in_one_call_per_round(config, frequency, gradient_steps, calls):
    config = replace(config, train_frequency=frequency, gradient_steps=gradient_steps, steps=90, batch_size=8)
    agent = DDPG(2, 1, config)
    rounds = Rounds(agent, vector_of(config, 3))
    sizes = []
    rounds.compiled_updates = lambda count: lambda rows: sizes.append(len(rows)) or METRICS
    while not rounds.are_over:
        rounds.next()
    rounds.cut()
    assert agent.updates == sum(sizes) == (90 // frequency - 6 // frequency) * gradient_steps
    assert len(set(sizes)) == calls  # compiled functions


def test_all_updates_of_a_round_are_one_compiled_call(config):
    agent = DDPG(2, 1, config)
    rounds = Rounds(agent, vector_of(config, 4))
    while not rounds.are_over:
        rounds.next()
    assert rounds.compiled_updates.cache_info().currsize == 1


def test_actions_are_those_of_the_policy_with_noise_of_each_simulators_own(config):
    config = replace(config, noise="ou", noise_sigma=0.2, learning_starts=6)
    agent = DDPG(2, 1, config)
    rounds = Rounds(agent, vector_of(config, 3))
    rounds.next()
    rounds.next()
    assert np.ptp(agent.replay_buffer.rows[:6, 2]) > 0.5  # random at first
    values = [noise.value.copy() for noise in rounds.noises]
    actions = rounds._explore()
    for k, noise in enumerate(rounds.noises):
        expected = agent.act(rounds.states[k], explore=False) + noise.value
        np.testing.assert_allclose(actions[k], np.clip(expected, -1, 1), atol=1e-6)
        assert (noise.value != values[k]).all()
    assert len({float(noise.value[0]) for noise in rounds.noises}) == 3


def test_a_share_of_the_actions_is_random_for_each_simulator_apart(config):
    config = replace(config, random_actions=0.5, noise_sigma=0.0, batch_size=1_000, steps=600)
    agent, _ = trained_with(vector_of(config, 3), config)
    batch = agent.replay_buffer.split(agent.replay_buffer.rows[:600])
    policy = np.stack([agent.act(state, explore=False) for state in batch.state])
    random = (np.abs(batch.action - policy) > 1e-5).reshape(-1, 3)
    assert random.mean() == pytest.approx(0.5, abs=0.07)
    assert (random.sum(axis=1) == 1).any() and (random.sum(axis=1) == 2).any()


def test_at_each_checkpoint_all_episodes_are_cut_and_their_returns_not_counted(config):
    """A run that is resumed there is bit for bit the one that goes on."""
    config = replace(config, checkpoint_every=20, steps=60)
    agent, episodes = trained_with(vector_of(config, 3), config)
    again = DDPG(2, 1, config)
    rounds = Rounds(again, vector_of(config, 3))
    first = []
    while rounds.steps < 21:
        assert rounds.running.all() == (rounds.steps > 0) or rounds.steps == 0 or not rounds.running.all()
        first += rounds.next()
    assert not rounds.running.any() and rounds.updates_due == 0
    rest = list(train(again, vector_of(config, 3), rounds.position))
    assert_same((agent, episodes), (again, first + rest))
    batch = agent.replay_buffer.split(agent.replay_buffer.rows[18:21])
    finished = [episode.length for episode in episodes if episode.steps == 21]
    assert batch.terminated.sum() == sum(length % 2 == 0 for length in finished)


def test_a_run_of_episodes_ends_when_as_many_have_ended(config):
    _, episodes = trained_with(vector_of(config, 3), replace(config, steps=None, episodes=7))
    assert 7 <= len(episodes) <= 9


def test_a_position_counts_the_episodes_that_have_begun(config):
    rounds = Rounds(DDPG(2, 1, config), vector_of(config, 3), Episode(5, 30, 0, (1.0,)))
    rounds.next()
    assert rounds.position == Episode(8, 33, 3, (1.0,))


@pytest.mark.parametrize(("act", "problem"), [("raise", "the pump is dry"), ("exit", "ended with exit code 3")])
def test_a_failure_names_the_simulator_the_episode_and_the_step(config, act, problem):
    task = {"env": "Misbehaving-v0", "env_kwargs": {"act": act}}
    with (
        Simulators(replace(config, **task), 3) as simulators,
        pytest.raises(RunStopped, match=f"^simulator 1, episode 5, step 3: .*{problem}"),
    ):
        trained_with(simulators, config)


def test_a_vector_environment_that_resets_its_tasks_or_is_not_scaled_is_refused(config):
    agent = DDPG(2, 1, config)
    with pytest.raises(RequestError, match=r"autoreset_mode=AutoresetMode.DISABLED"):
        next(train(agent, vector_of(config, 2, AutoresetMode.NEXT_STEP)))
    bare = SyncVectorEnv([partial(gymnasium.make, "Pendulum-v1")] * 2, autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(RequestError, match=r"use ddpg.make_environment"):
        next(train(agent, bare))
    other = replace(config, env="Endless-v0")
    with pytest.raises(RequestError, match=r"sizes \(1, 1\); the agent has \(2, 1\)"):
        next(train(agent, vector_of(other, 2)))
