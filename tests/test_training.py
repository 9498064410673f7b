"""The loop: the order of its calls, what it stores and reports, and that it is a function of its settings."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import DDPG, Episode, Metrics, evaluate, make_environment, state_and_action_size, train
from ddpg.equations import MeanMetrics
from ddpg.seeding import integer_seed
from tests.helpers.agents import trained


class Tape(gymnasium.Wrapper):
    """Writes down the calls to an environment, with the seed of each reset."""

    def __init__(self, environment, calls):
        super().__init__(environment)
        self.calls = calls

    def reset(self, **keywords):
        self.calls.append(("reset", keywords["seed"]))
        return super().reset(**keywords)

    def step(self, action):
        self.calls.append("step")
        return super().step(action)


class Recorder:
    """An agent that does nothing, and writes down the calls to it and what it was asked to remember."""

    def __init__(self, config, calls, metrics=()):
        self.config, self.calls, self.transitions, self.metrics = config, calls, [], iter(metrics)

    def begin_episode(self):
        self.calls.append("begin_episode")

    def act(self, state, explore=True):
        self.calls.append("act" if explore else "act without noise")
        return np.float32([len(self.transitions) / 100])

    def remember(self, state, action, reward, next_state, terminated):
        self.calls.append("remember")
        self.transitions.append((state[0], action[0], reward, next_state[0], terminated))

    def update(self):
        self.calls.append("update")
        return next(self.metrics, None)


def test_each_step_acts_steps_remembers_and_updates_in_this_order(small):
    calls = []
    agent = Recorder(replace(small, episodes=2, seed=5), calls)
    list(train(agent, Tape(make_environment("Endless-v0"), calls)))
    episodes = [[("reset", integer_seed(5, "episodes", number)), "begin_episode"] for number in (1, 2)]
    steps = ["act", "step", "remember", "update"] * 10
    assert calls == [*episodes[0], *steps, *episodes[1], *steps]


def test_each_transition_is_remembered_with_its_own_parts(small):
    """The state, the action taken in it, the reward of that action, and the state it led to."""
    agent = Recorder(replace(small, episodes=2), [])
    list(train(agent, make_environment("Reusing-v0", max_episode_steps=3)))  # its states count the steps
    in_episode = [(0, 1), (1, 2), (2, 3)]
    expected = [(s, np.float32(k / 100), 1.0, t, False) for k, (s, t) in enumerate(2 * in_episode)]
    assert agent.transitions == expected


def test_a_time_limit_is_not_stored_as_terminal_and_a_real_end_is(small):
    """Endless-v0 is only ever truncated; Matching-v0 terminates at each step."""
    for env, flag in (("Endless-v0", False), ("Matching-v0", True)):
        agent = Recorder(replace(small, steps=40), [])
        list(train(agent, make_environment(env)))
        assert {terminated for *_, terminated in agent.transitions} == {flag}


def test_consecutive_transitions_join_and_the_last_one_keeps_its_own_next_state(small):
    seen = []
    recording = gymnasium.wrappers.TransformObservation(
        make_environment("Pendulum-v1"), lambda state: (seen.append(state), state)[1], None
    )
    config = replace(small, env="Pendulum-v1", episodes=2, batch_size=1_000)
    agent, _ = trained(config, recording)
    batch = agent.replay_buffer.split(agent.replay_buffer.rows[:400])
    starts, stops = [0, 201], [200, 401]  # in `seen`, an episode of 200 steps takes 201 places
    for episode, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        rows = slice(200 * episode, 200 * episode + 200)
        np.testing.assert_array_equal(batch.state[rows], seen[start:stop])
        np.testing.assert_array_equal(batch.next_state[rows], seen[start + 1 : stop + 1])


def test_training_explores(small):
    agent, _ = trained(replace(small, env="Endless-v0", episodes=20, noise_sigma=0.3, batch_size=1_000))
    actions = agent.replay_buffer.split(agent.replay_buffer.rows[:200]).action
    assert np.std(actions) == pytest.approx(0.3, abs=0.06)


def test_an_episode_that_never_ends_is_truncated_and_bootstrapped(small):
    agent = DDPG(1, 1, replace(small, episodes=2))
    episodes = list(train(agent, make_environment("Unlimited-v0", max_episode_steps=7)))
    assert [episode.length for episode in episodes] == [7, 7]
    assert not agent.replay_buffer.split(agent.replay_buffer.rows[:14]).terminated.any()


def metrics_of(number: float) -> Metrics:
    return Metrics(*(number * factor for factor in range(len(Metrics._fields))))


def test_an_episodes_metrics_are_the_means_over_its_own_updates(small):
    """Steps without an update count for nothing, nor does the episode before."""
    updates = [None] * 8 + [metrics_of(1), metrics_of(3)] + [metrics_of(7)] + [None] * 9
    agent = Recorder(replace(small, episodes=3), [], updates)
    first, second, third = train(agent, make_environment("Endless-v0"))
    assert (first.metrics, second.metrics, third.metrics) == (metrics_of(2), metrics_of(7), None)


def test_mean_metrics_are_plain_numbers_and_none_without_updates():
    means = MeanMetrics(Metrics)
    means.add(None)
    assert means.mean() is None
    for number in (1, 2, 6):
        means.add(metrics_of(number))
    assert means.mean() == metrics_of(3)
    assert {type(value) for value in means.mean()} == {float}


def test_an_episode_reports_its_number_length_steps_and_undiscounted_return(small):
    agent = Recorder(replace(small, episodes=3, gamma=0.5), [])
    episodes = list(train(agent, make_environment("Endless-v0", max_episode_steps=4)))
    assert [episode.number for episode in episodes] == [1, 2, 3]
    assert [episode.length for episode in episodes] == [4, 4, 4]
    assert [episode.steps for episode in episodes] == [4, 8, 12]
    assert [episode.episode_return for episode in episodes] == [4.0, 4.0, 4.0]


class TimeLimitAsEnd(gymnasium.Wrapper):
    """The mistake: a time limit reported as a terminal state."""

    def step(self, action):
        state, reward, terminated, truncated, info = super().step(action)
        return state, reward, terminated or truncated, truncated, info


@pytest.mark.parametrize(("wrapper", "worth"), [(None, 10.0), (TimeLimitAsEnd, 1 / (1 - 0.9 * 0.9))])
def test_an_endless_reward_of_1_is_worth_1_over_1_minus_gamma(small, wrapper, worth):
    """With the time limit of 10 steps as a terminal state, one transition in ten stops short: the negative control."""
    environment = make_environment("Endless-v0")
    config = replace(small, env="Endless-v0", steps=1500, gamma=0.9, tau=0.05, critic_learning_rate=3e-3)
    _, episodes = trained(config, wrapper(environment) if wrapper else environment)
    value = np.mean([episode.metrics.q_value for episode in episodes[-30:]])
    assert value == pytest.approx(worth, rel=0.05)


def test_400_steps_are_enough_to_learn_to_match_a_number(small):
    """The untrained policy, near 0, earns about -0.21."""
    config = replace(small, env="Matching-v0", steps=400, actor_learning_rate=3e-3, critic_learning_rate=3e-3)
    agent, _ = trained(config)
    for state in (-0.7, -0.2, 0.3, 0.6):
        assert agent.act([state], explore=False)[0] == pytest.approx(state, abs=0.2)


@pytest.mark.parametrize("option", ["batch_normalization", "normalize_observations", None])
def test_states_whose_scales_differ_by_10_000_are_learned_from_if_they_are_normalized(small, option):
    """The first post's reason for it. The untrained policy, near 0, earns -0.21 on average, a perfect one 0."""
    rates = {"actor_learning_rate": 3e-3, "critic_learning_rate": 3e-3}
    config = replace(small, env="Scales-v0", steps=1500, **rates, **({option: True} if option else {}))
    agent, _ = trained(config)
    assert (evaluate(agent, make_environment("Scales-v0"), 200).mean > -0.05) is (option is not None)


@pytest.mark.slow
def test_training_is_a_function_of_settings_and_seed(small):
    config = replace(small, env="Pendulum-v1", episodes=2, learning_starts=50)
    (agent, episodes), (again, episodes_again) = trained(config), trained(config)
    assert episodes == episodes_again
    np.testing.assert_array_equal(agent.replay_buffer.rows, again.replay_buffer.rows)
    for one, other in zip(agent.actor.variables, again.actor.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    assert trained(replace(config, seed=1, episodes=1))[1] != episodes[:1]


@pytest.mark.parametrize(("steps", "expected"), [(25, [10, 20, 30]), (20, [10, 20]), (1, [10])])
def test_a_step_limit_completes_the_episode_in_progress(small, steps, expected):
    """`episodes` does not matter then."""
    episodes = train(Recorder(replace(small, steps=steps, episodes=1), []), make_environment("Endless-v0"))
    assert [episode.steps for episode in episodes] == expected


def test_the_running_average_is_over_the_last_40_episodes(small):
    episodes = list(train(Recorder(replace(small, episodes=60), []), make_environment("Matching-v0")))
    returns = [episode.episode_return for episode in episodes]
    assert len(set(returns)) == 60
    assert episodes[9].running_average == pytest.approx(np.mean(returns[:10]))
    assert episodes[39].running_average == pytest.approx(np.mean(returns[:40]))
    assert episodes[40].running_average == pytest.approx(np.mean(returns[1:41]))
    assert episodes[-1].running_average == pytest.approx(np.mean(returns[-40:]))


def test_a_run_can_be_resumed_after_any_episode(small):
    config = replace(small, env="Matching-v0", episodes=6)
    _, whole = trained(config)
    environment = make_environment(config.env)
    agent = DDPG(*state_and_action_size(environment), replace(config, episodes=3))
    first = list(train(agent, environment))
    agent.config = config
    assert first + list(train(agent, environment, first[-1])) == whole


def test_a_finished_run_trains_no_more(small):
    calls = []
    for config in (replace(small, episodes=3), replace(small, steps=30)):
        last = Episode(number=3, steps=30, length=10, recent_returns=(10.0,))
        assert list(train(Recorder(config, calls), make_environment("Endless-v0"), last)) == []
    assert calls == []


def test_updates_after_each_episode_are_as_many_as_it_had_steps_or_one_round(small):
    """A plant that does not wait: nothing computes between two control steps."""
    for gradient_steps, expected in ((1, [0, 10, 20]), (7, [0, 7, 14])):
        config = replace(small, train_frequency=0, gradient_steps=gradient_steps, episodes=3, batch_size=20)
        agent = DDPG(1, 1, config)
        made = [agent.updates for _ in train(agent, make_environment("Endless-v0"))]
        assert made == expected  # a minibatch is stored at the end of the second episode
