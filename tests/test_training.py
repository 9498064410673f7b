"""The loop: the order of its calls, what it stores, what it learns, and that it is a function of its settings."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import DDPG, RunStopped, evaluate, make_environment, train
from ddpg.environment import environment_of, sizes


def trained(config, environment=None):
    environment = environment or make_environment(config.env, config.env_kwargs)
    agent = DDPG(*sizes(environment), config)
    return agent, list(train(agent, environment))


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
    """Raises in the third step."""

    def step(self, action):
        if self.unwrapped.clock == 2:
            raise ValueError("motor on fire")
        return super().step(action)


def test_an_exception_of_the_task_stops_with_the_step_and_keeps_its_cause(small):
    environment = Raising(make_environment("Endless-v0"))
    agent = DDPG(1, 1, small)
    with pytest.raises(RunStopped, match=r"step 3: the environment raised ValueError\('motor on fire'\)") as caught:
        list(train(agent, environment))
    assert isinstance(caught.value.__cause__, ValueError)
    assert agent.replay_buffer.added == 2


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


def test_a_run_goes_on_after_any_episode(small):
    config = replace(small, env="Matching-v0", episodes=6)
    _, whole = trained(config)
    environment = make_environment(config.env)
    agent = DDPG(*sizes(environment), replace(config, episodes=3))
    first = list(train(agent, environment))
    agent.config = config
    assert first + list(train(agent, environment, first[-1])) == whole
