"""Tasks that break: training and evaluation stop at the step itself, and say what came and what was expected."""

import re
from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import DDPG, RunStopped, evaluate, make_environment, train
from ddpg.checked_environment import CheckedEnvironment
from tests.helpers.agents import trained
from tests.helpers.tasks import Answering

NAN, INF = float("nan"), float("inf")
WRONG = [
    ({"reward": None}, "the environment returned the reward None: expected a number"),
    ({"reward": "1"}, "the environment returned the reward '1': expected a number"),
    ({"reward": 1j}, "the environment returned the reward 1j: expected a number"),
    ({"reward": NAN}, "the environment returned the reward nan: non-finite value"),
    ({"reward": -INF}, "the environment returned the reward -inf: non-finite value"),
    ({"reward": 1e39}, "the environment returned the reward 1e+39: non-finite value"),
    ({"reward": np.array([NAN])}, "the environment returned the reward nan: non-finite value"),
    ({"reward": np.array([1.0, 2.0])}, "the environment returned the reward array([1., 2.]): expected a number"),
    ({"reward": []}, "the environment returned the reward []: expected a number"),
    ({"terminated": None}, "the environment returned the terminated None: expected True or False"),
    ({"terminated": NAN}, "the environment returned the terminated nan: expected True or False"),
    ({"terminated": "no"}, "the environment returned the terminated 'no': expected True or False"),
    ({"truncated": None}, "the environment returned the truncated None: expected True or False"),
    ({"state": np.ones(2, np.float32)}, "the environment returned the state [1. 1.]: expected 1 value, got 2"),
    ({"state": np.ones(0, np.float32)}, "the environment returned the state []: expected 1 value, got 0"),
    ({"state": np.float32([NAN])}, "the environment returned the state [nan]: non-finite value"),
    ({"state": np.float32([-INF])}, "the environment returned the state [-inf]: non-finite value"),
    ({"state": ValueError("motor on fire")}, "the environment raised ValueError('motor on fire')"),
]


@pytest.fixture
def small(small):
    """Small networks that are never updated: these tests are about the task."""
    return replace(small, batch_size=1_000)


class Resting:
    """A policy that always does nothing."""

    def act(self, state, explore=True):
        return np.zeros(1, np.float32)


@pytest.mark.parametrize(("parts", "message"), WRONG, ids=[f"{parts}" for parts, _ in WRONG])
def test_training_stops_at_the_step_that_cannot_be_learned_from(small, parts, message):
    agent = DDPG(1, 1, small)
    with pytest.raises(RunStopped) as caught:
        list(train(agent, Answering(make_environment("Endless-v0"), **parts)))
    assert str(caught.value) == f"episode 2, step 3: {message}"
    assert agent.steps == 10 + 2  # the bad transition was not stored


@pytest.mark.parametrize(("parts", "message"), WRONG, ids=[f"{parts}" for parts, _ in WRONG])
def test_evaluation_stops_at_the_same_step_in_the_same_words(parts, message):
    with pytest.raises(RunStopped) as caught:
        evaluate(Resting(), Answering(make_environment("Endless-v0"), **parts), episodes=3)
    assert str(caught.value) == f"evaluation episode 1, step 3: {message}"  # counted from 0


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (np.ones(3, np.float32), "the environment returned the state [1. 1. 1.]: expected 1 value, got 3"),
        (np.float32([NAN]), "the environment returned the state [nan]: non-finite value"),
        (OSError("no camera"), "the environment raised OSError('no camera')"),
    ],
)
def test_a_first_state_is_checked_too(small, state, message):
    for run in (lambda task: list(train(DDPG(1, 1, small), task)), lambda task: evaluate(Resting(), task)):
        with pytest.raises(RunStopped, match=re.escape(f"step 0: {message}")) as caught:
            run(Answering(make_environment("Endless-v0"), reset=state))
        assert ("episode 2," in str(caught.value)) or ("evaluation episode 1," in str(caught.value))


def test_the_exception_of_a_task_is_kept_as_the_cause(small):
    with pytest.raises(RunStopped) as caught:
        list(train(DDPG(1, 1, small), Answering(make_environment("Endless-v0"), state=KeyError("joint"))))
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("broken", "value", "message"),
    [
        ("reward", NAN, "reward nan: non-finite value"),
        ("state", NAN, "state [nan]: non-finite value"),
        ("state", 1e300, "state [inf]: non-finite value"),  # beyond float32
        ("state", [1.0, 2.0], "state [1. 2.]: expected 1 value, got 2"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_a_task_that_breaks_inside_its_wrappers_is_named_in_the_same_words(small, broken, value, message):
    config = replace(small, env="Breaking-v0", env_kwargs={"broken": broken, "value": value})
    with pytest.raises(RunStopped) as caught:
        trained(config)
    assert str(caught.value) == f"episode 2, step 25: the environment returned the {message}"


def test_an_action_that_is_not_finite_is_blamed_on_the_network(small):
    agent = DDPG(1, 1, small)
    agent.actor.action.bias.assign([NAN])
    with pytest.raises(RunStopped) as caught:
        list(train(agent, make_environment("Endless-v0")))
    assert str(caught.value) == "episode 1, step 1: the network chose the action [nan]: non-finite value"
    with pytest.raises(RunStopped) as caught:
        evaluate(agent, make_environment("Endless-v0"))
    assert str(caught.value) == "evaluation episode 0, step 1: the network chose the action [nan]: non-finite value"


def test_an_action_of_the_wrong_size_is_blamed_on_the_network(small):
    """As when an agent is evaluated in another task than its own."""
    with pytest.raises(RunStopped) as caught:
        evaluate(Resting(), make_environment("Echo-v0"))
    assert (
        str(caught.value) == "evaluation episode 0, step 1: the network chose the action [0.]: expected 4 values, got 1"
    )


@pytest.mark.parametrize("method", ["act", "remember", "update", "begin_episode"])
def test_an_exception_of_the_agent_is_not_blamed_on_the_environment(small, monkeypatch, method):
    def fail(*arguments, **keywords):
        raise ValueError("a bug of the agent")

    agent = DDPG(1, 1, small)
    monkeypatch.setattr(agent, method, fail)
    with pytest.raises(ValueError, match=r"^a bug of the agent$"):
        list(train(agent, make_environment("Endless-v0")))
    if method == "act":
        with pytest.raises(ValueError, match=r"^a bug of the agent$"):
            evaluate(agent, make_environment("Endless-v0"))


@pytest.mark.parametrize(
    "reward", [2, 2.0, np.float32(2), np.int8(2), np.array([2.0]), np.array([[2]]), np.array(2), True]
)
def test_a_reward_may_be_any_kind_of_number_in_training_and_in_evaluation(small, reward):
    expected = 9 + float(np.asarray(reward).item())
    _, second = train(DDPG(1, 1, replace(small, episodes=2)), Answering(make_environment("Endless-v0"), reward=reward))
    assert second.episode_return == expected
    assert type(second.episode_return) is float
    assert evaluate(Resting(), Answering(make_environment("Endless-v0"), reward=reward), 2).returns[1] == expected


@pytest.mark.parametrize("flag", [True, 1, np.True_, np.array(True), np.array([True])])
@pytest.mark.parametrize("name", ["terminated", "truncated"])
def test_a_flag_may_be_any_kind_of_bool_in_training_and_in_evaluation(small, flag, name):
    agent = DDPG(1, 1, replace(small, episodes=2))
    _, second = train(agent, Answering(make_environment("Endless-v0"), **{name: flag}))
    assert second.length == 3
    stored = agent.replay_buffer.split(agent.replay_buffer.rows[10:13]).terminated.ravel()
    np.testing.assert_array_equal(stored, [0, 0, name == "terminated"])
    assert evaluate(Resting(), Answering(make_environment("Endless-v0"), **{name: flag}), 2).returns == (10, 3)


def test_terminated_and_truncated_together_count_as_terminated(small):
    agent = DDPG(1, 1, replace(small, episodes=2))
    _, second = train(agent, Answering(make_environment("Endless-v0"), terminated=True, truncated=True))
    assert second.length == 3
    stored = agent.replay_buffer.split(agent.replay_buffer.rows[10:13]).terminated.ravel()
    np.testing.assert_array_equal(stored, [0, 0, 1])


def test_what_a_checked_task_returns_is_what_the_task_returned():
    class Info(gymnasium.Wrapper):
        def reset(self, **arguments):
            return self.env.reset(**arguments)[0], {"begin": arguments["seed"]}

        def step(self, action):
            return (*self.env.step(action)[:4], {"action": action})

    environment = CheckedEnvironment(Info(make_environment("Pendulum-v1")))
    state, info = environment.reset(seed=5)
    np.testing.assert_array_equal(state, make_environment("Pendulum-v1").reset(seed=5)[0])
    assert info == {"begin": 5}
    _, reward, terminated, truncated, info = environment.step(np.float32([0.5]))
    assert [type(value) for value in (reward, terminated, truncated)] == [float, bool, bool]
    assert info == {"action": 0.5}
