"""The loop: the order of its calls, what it stores, what it learns, and that it is a function of its settings."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import DDPG, evaluate, make_environment, train
from ddpg.environment import sizes
from tests.agents import trained


class Tape(gymnasium.Wrapper):
    """Writes down the calls to an environment and an agent."""

    def __init__(self, environment, calls):
        super().__init__(environment)
        self.calls = calls

    def reset(self, **keywords):
        self.calls.append(("reset", keywords["seed"]))
        return super().reset(**keywords)

    def step(self, action):
        self.calls.append("step")
        return super().step(action)


def test_each_step_acts_steps_remembers_and_updates_in_this_order(small, monkeypatch):
    calls = []
    for name in ("act", "remember", "update"):
        method = getattr(DDPG, name)
        monkeypatch.setattr(DDPG, name, lambda *a, _name=name, _method=method: (calls.append(_name), _method(*a))[1])
    trained(replace(small, env="Endless-v0", episodes=2), Tape(make_environment("Endless-v0"), calls))
    resets = [call for call in calls if isinstance(call, tuple)]
    steps = ["act", "step", "remember", "update"] * 10
    assert calls == [resets[0], *steps, resets[1], *steps]
    assert resets[0][1] != resets[1][1]


def test_a_time_limit_is_not_stored_as_an_end_and_a_real_end_is(small):
    """Endless-v0 is only ever truncated; Matching-v0 terminates at each step."""
    for env, flag in (("Endless-v0", 0), ("Matching-v0", 1)):
        agent, _ = trained(replace(small, env=env, steps=40))
        assert set(agent.replay_buffer.rows[:40, agent.replay_buffer.split(np.arange(5)).terminated[0]]) == {flag}


def test_consecutive_transitions_join_and_the_last_one_keeps_its_own_next_state(small):
    seen = []
    recording = gymnasium.wrappers.TransformObservation(
        make_environment("Pendulum-v1"), lambda state: (seen.append(state), state)[1], None
    )
    agent, _ = trained(replace(small, env="Pendulum-v1", episodes=2), recording)
    batch = agent.replay_buffer.split(agent.replay_buffer.rows[:400])
    starts, stops = [0, 201], [200, 401]  # in `seen`, an episode of 200 steps takes 201 places
    for episode, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        rows = slice(200 * episode, 200 * episode + 200)
        np.testing.assert_array_equal(batch.state[rows], seen[start:stop])
        np.testing.assert_array_equal(batch.next_state[rows], seen[start + 1 : stop + 1])


def test_training_explores(small):
    agent, _ = trained(replace(small, env="Endless-v0", episodes=20, noise_scale=0.3))
    actions = agent.replay_buffer.split(agent.replay_buffer.rows[:200]).action
    assert np.std(actions) == pytest.approx(0.3, abs=0.06)


class TimeLimitAsEnd(gymnasium.Wrapper):
    """The mistake: a time limit reported as an end."""

    def step(self, action):
        state, reward, terminated, truncated, info = super().step(action)
        return state, reward, terminated or truncated, truncated, info


@pytest.mark.parametrize(("wrapper", "worth"), [(None, 10.0), (TimeLimitAsEnd, 1 / (1 - 0.9 * 0.9))])
def test_an_endless_reward_of_1_is_worth_1_over_1_minus_gamma(small, wrapper, worth):
    """With the time limit of 10 steps taken for an end, one transition in ten stops short: the negative control."""
    environment = make_environment("Endless-v0")
    config = replace(small, env="Endless-v0", steps=1500, gamma=0.9, tau=0.05, critic_learning_rate=3e-3)
    _, episodes = trained(config, wrapper(environment) if wrapper else environment)
    value = np.mean([episode.metrics.value for episode in episodes[-30:]])
    assert value == pytest.approx(worth, rel=0.05)


def test_sign_of_life(small):
    """400 steps are enough to match a number; the untrained policy, near 0, earns about -0.21."""
    config = replace(small, env="Matching-v0", steps=400, actor_learning_rate=3e-3, critic_learning_rate=3e-3)
    agent, _ = trained(config)
    for state in (-0.7, -0.2, 0.3, 0.6):
        assert agent.act(np.float32([state]), explore=False)[0] == pytest.approx(state, abs=0.2)


class Scales(gymnasium.Env):
    """One-step episodes with two numbers to see: one near 0.01, to be matched a hundredfold, and one near 100."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.goal, other = self.np_random.uniform(-0.8, 0.8, 2)
        return np.array([0.01 * self.goal, 100 * other], np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), -float((action[0] - self.goal) ** 2), True, False, {}


@pytest.mark.parametrize("batch_normalization", [True, False])
def test_states_whose_scales_differ_by_10_000_are_learned_from_with_batch_normalisation_and_not_without(
    small, batch_normalization
):
    """The first post's reason for it.  The untrained policy, near 0, earns -0.21 on average, a perfect one 0."""
    config = replace(
        small, batch_normalization=batch_normalization, steps=1500, actor_learning_rate=3e-3, critic_learning_rate=3e-3
    )
    agent, environment = DDPG(2, 1, config), Scales()
    list(train(agent, environment))
    assert (evaluate(agent, environment, 200).mean > -0.05) is batch_normalization


def test_training_is_a_function_of_settings_and_seed(small):
    config = replace(small, env="Pendulum-v1", episodes=2, learning_starts=50)
    (agent, episodes), (again, episodes_again) = trained(config), trained(config)
    assert episodes == episodes_again
    np.testing.assert_array_equal(agent.replay_buffer.rows, again.replay_buffer.rows)
    for one, other in zip(agent.actor.variables, again.actor.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    assert trained(replace(config, seed=1))[1] != episodes


def test_a_step_limit_ends_with_the_episode_under_way(small):
    _, episodes = trained(replace(small, env="Endless-v0", steps=25, episodes=1))
    assert [episode.steps for episode in episodes] == [10, 20, 30]


def test_an_episode_limit_counts_episodes(small):
    _, episodes = trained(replace(small, env="Matching-v0", episodes=3))
    assert [episode.episode for episode in episodes] == [1, 2, 3]


def test_the_running_average_is_of_the_last_40_episodes(small):
    _, episodes = trained(replace(small, env="Matching-v0", episodes=60))
    returns = [episode.episode_return for episode in episodes]
    assert episodes[9].running_average == pytest.approx(np.mean(returns[:10]))
    assert episodes[-1].running_average == pytest.approx(np.mean(returns[-40:]))


def test_a_run_goes_on_after_any_episode(small):
    config = replace(small, env="Matching-v0", episodes=6)
    _, whole = trained(config)
    environment = make_environment(config.env)
    agent = DDPG(*sizes(environment), replace(config, episodes=3))
    first = list(train(agent, environment))
    agent.config = config
    assert first + list(train(agent, environment, first[-1])) == whole
