"""Tasks that break: each has a stated outcome, and nothing that was learned already is lost."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import DDPG, RunStopped, evaluate, make_environment, train
from ddpg.environment import environment_of, sizes


@pytest.mark.parametrize(
    ("broken", "value"),
    [("reward", np.nan), ("reward", -np.inf), ("reward", 1e300), ("state", np.nan), ("state", 1e300)],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_a_state_or_reward_that_is_not_finite_stops_with_the_episode_and_step(small, broken, value):
    config = replace(small, env="Breaking-v0", env_kwargs={"broken": broken, "value": value})
    environment = make_environment(config.env, config.env_kwargs)
    agent = DDPG(*sizes(environment), config)
    with pytest.raises(RunStopped, match=f"episode 2, step 25: the environment returned the {broken}"):
        list(train(agent, environment))
    assert agent.replay_buffer.added == 40 + 24  # the bad transition was not learned from


def test_an_action_that_is_not_finite_stops_the_run(small):
    environment = make_environment("Endless-v0")
    agent = DDPG(*sizes(environment), small)
    agent.actor.action.bias.assign([np.nan])
    with pytest.raises(RunStopped, match="episode 1, step 1: the network chose"):
        list(train(agent, environment))


class Raising(gymnasium.Wrapper):
    """Raises in the third step, or in the second reset."""

    resets = 0

    def __init__(self, environment, where):
        super().__init__(environment)
        self.where = where

    def reset(self, **keywords):
        self.resets += 1
        if (self.where, self.resets) == ("reset", 2):
            raise ValueError("motor on fire")
        return super().reset(**keywords)

    def step(self, action):
        if (self.where, self.unwrapped.clock) == ("step", 2):
            raise ValueError("motor on fire")
        return super().step(action)


@pytest.mark.parametrize(
    ("where", "place", "kept"), [("step", "episode 1, step 3", 2), ("reset", "episode 2, step 0", 10)]
)
def test_an_exception_of_the_task_stops_with_the_step_and_keeps_its_cause(small, where, place, kept):
    agent = DDPG(1, 1, small)
    with pytest.raises(RunStopped, match=rf"{place}: the environment raised ValueError\('motor on fire'\)") as caught:
        list(train(agent, Raising(make_environment("Endless-v0"), where)))
    assert isinstance(caught.value.__cause__, ValueError)
    assert agent.replay_buffer.added == kept


def test_an_exception_in_an_evaluation_stops_the_run_too(small):
    with pytest.raises(RunStopped, match="evaluation episode 1: the environment raised"):
        evaluate(DDPG(1, 1, small), Raising(make_environment("Endless-v0"), "reset"), episodes=3)


class Odd(gymnasium.Wrapper):
    """Returns what it is told to at the third step."""

    def __init__(self, environment, **odd):
        super().__init__(environment)
        self.odd = odd

    def step(self, action):
        state, reward, terminated, truncated, info = super().step(action)
        if self.unwrapped.clock == 3:
            state, reward = self.odd.get("state", state), self.odd.get("reward", reward)
            terminated, truncated = self.odd.get("over", (terminated, truncated))
        return state, reward, terminated, truncated, info


@pytest.mark.parametrize(
    "odd", [{"state": np.ones(2, np.float32)}, {"reward": np.array([1.0, 2.0])}, {"reward": None}, {"reward": "1"}]
)
def test_a_state_or_reward_of_the_wrong_shape_or_type_stops_the_run(small, odd):
    agent = DDPG(1, 1, replace(small, episodes=1))
    with pytest.raises(RunStopped, match="episode 1, step 3"):
        list(train(agent, Odd(make_environment("Endless-v0"), **odd)))
    assert agent.replay_buffer.added == 2


@pytest.mark.parametrize("reward", [2, np.float32(2), np.array([2.0]), np.array(2), True])
def test_a_reward_may_be_any_kind_of_number(small, reward):
    agent = DDPG(1, 1, replace(small, episodes=1))
    (episode,) = train(agent, Odd(make_environment("Endless-v0"), reward=reward))
    assert episode.episode_return == 9 + float(np.asarray(reward).item())


def test_terminated_and_truncated_together_is_an_end(small):
    agent = DDPG(1, 1, replace(small, episodes=1))
    (episode,) = train(agent, Odd(make_environment("Endless-v0"), over=(True, True)))
    assert episode.length == 3
    np.testing.assert_array_equal(agent.replay_buffer.split(agent.replay_buffer.rows[:3]).terminated.ravel(), [0, 0, 1])


def test_an_episode_that_never_ends_is_cut_and_bootstrapped(small):
    agent = DDPG(1, 1, replace(small, max_episode_steps=7, episodes=2))
    episodes = list(train(agent, environment_of(replace(agent.config, env="Unlimited-v0"))))
    assert [episode.length for episode in episodes] == [7, 7]
    assert not agent.replay_buffer.split(agent.replay_buffer.rows[:14]).terminated.any()
