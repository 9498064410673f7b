"""A policy for a control loop: states and actions in the task's own units, as the agent's evaluation gives them."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from ddpg import DDPG, Policy, RequestError, evaluate, load_policy, make_environment, state_and_action_size
from ddpg.run.agent_state import load_for_acting
from tests.helpers.runs import finished_run
from tests.helpers.tasks import Bounds, Echo, States


class Mixed(States):
    """States of the kind named, and actions of shape (2, 2) with asymmetric bounds, of the type named."""

    def __init__(self, kind, dtype):
        super().__init__(kind)
        low, high = (bound.astype(dtype) for bound in (Echo.action_space.low, Echo.action_space.high))
        self.action_space = spaces.Box(low, high, dtype=low.dtype.type)


gymnasium.register("Mixed-v0", Mixed, disable_env_checker=True)


class Constant:
    """An agent whose action, in [-1, 1], is always the same."""

    def __init__(self, *action):
        self.action = np.array(action, np.float32)

    def act(self, state, explore=True):
        assert not explore
        return self.action


def met_by_the_task(environment) -> list[tuple]:
    """Return a list that collects each state that the bare task returns, with the action it receives for it."""
    task, pairs = environment.unwrapped, []
    reset, step = task.reset, task.step

    def keep_state(**arguments):
        keep_state.last, info = reset(**arguments)
        return keep_state.last, info

    def keep_pair(action):
        pairs.append((keep_state.last, action))
        keep_state.last, *rest = step(action)
        return keep_state.last, *rest

    task.reset, task.step = keep_state, keep_pair
    return pairs


def assert_identical(action, expected) -> None:
    assert (action.dtype, action.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(action, expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", ["image", "double", "dict", "tuple"])
def test_each_action_of_a_whole_evaluation_is_the_policys_in_value_type_and_shape(small, kind, dtype):
    environment = make_environment("Mixed-v0", {"kind": kind, "dtype": dtype}, max_episode_steps=6)
    agent = DDPG(*state_and_action_size(environment), small)
    policy, pairs = Policy(agent, environment), met_by_the_task(environment)
    evaluate(agent, environment, episodes=2, seed=3)
    assert len(pairs) == 12
    for state, action in pairs:
        assert_identical(policy(state), action)
        assert environment.unwrapped.action_space.contains(action)
    assert len({action.tobytes() for _, action in pairs}) > 6  # it depends on the state


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_ends_of_the_tanh_are_the_bounds_of_the_task(dtype):
    environment = make_environment("Mixed-v0", {"kind": "double", "dtype": dtype})
    space, state = environment.unwrapped.action_space, np.zeros((2, 2))
    assert_identical(Policy(Constant(-1, -1, -1, -1), environment)(state), space.low)
    assert_identical(Policy(Constant(1, 1, 1, 1), environment)(state), space.high)
    assert_identical(Policy(Constant(-1, 1, 0, 1), environment)(state), np.array([[-2, 10], [5.5, 3]], dtype))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rounding_never_leaves_the_bounds_of_the_task(dtype):
    """0.1 and 0.3 have no exact binary form."""
    environment = make_environment("Bounds-v0", {"low": [0.1, -0.3], "high": [0.3, -0.1], "dtype": dtype})
    for size in (1.0, np.nextafter(np.float32(1), np.float32(0)), 1 / 3):
        for action in ((size, size), (-size, -size), (size, -size)):
            assert environment.unwrapped.action_space.contains(Policy(Constant(*action), environment)(np.ones(1)))


def test_an_action_wrapper_of_the_task_itself_is_left_to_the_task():
    class Reversed(gymnasium.ActionWrapper):
        def action(self, action):
            return -action

    gymnasium.register("Reversed-v0", lambda: Reversed(Bounds([-2.0], [6.0])), disable_env_checker=True)
    try:
        environment = make_environment("Reversed-v0")
        assert Policy(Constant(1), environment)(np.ones(1)) == 6
        environment.reset()
        environment.step(np.ones(1, np.float32))
        assert received(environment) == -6
    finally:
        del gymnasium.registry["Reversed-v0"]


def test_a_plain_control_loop_returns_what_the_evaluation_returns(small, tmp_path, without_plots):
    config = replace(small, env="Pendulum-v1", env_kwargs={"g": 3.0}, steps=200, evaluation_episodes=1)
    run_dir = finished_run(config, tmp_path / "run").folder.path
    policy, task, returns = load_policy(run_dir), gymnasium.make("Pendulum-v1", g=3.0), []
    for seed in (4, 5):
        (state, _), episode_return, done = task.reset(seed=seed), 0.0, False
        while not done:
            state, reward, terminated, truncated, _ = task.step(policy(state))
            episode_return += reward
            done = terminated or truncated
        returns.append(episode_return)
    agent = load_for_acting(run_dir / "checkpoints" / "step-000000200")
    assert tuple(returns) == evaluate(agent, make_environment("Pendulum-v1", {"g": 3.0}), episodes=2, seed=4).returns


def received(environment):
    """Return the last action that a task of the helpers was given."""
    return environment.unwrapped.action


@pytest.mark.parametrize(("env", "kwargs"), [
    ("Echo-v0", {}),  # shape (2, 2), bounds that differ per dimension
    ("Bounds-v0", {"low": [-3, 0], "high": [1, 10]}),
    ("Bounds-v0", {"low": [-3], "high": [1], "dtype": "float16"}),
])  # fmt: skip
def test_its_action_is_the_one_that_the_task_receives_in_an_evaluation(small, env, kwargs):
    environment = make_environment(env, kwargs)
    agent = DDPG(*state_and_action_size(environment), small)
    policy = Policy(agent, environment)
    state, _ = environment.reset(seed=0)
    environment.step(agent.act(state, explore=False))
    action = policy(state)
    np.testing.assert_array_equal(action, received(environment))
    assert environment.unwrapped.action_space.contains(action)


@pytest.mark.parametrize("kind", ["dict", "tuple", "image", "double"])
def test_it_takes_states_as_the_task_gives_them(small, kind):
    environment = make_environment("States-v0", {"kind": kind})
    agent = DDPG(*state_and_action_size(environment), small)
    space = environment.unwrapped.observation_space
    space.seed(3)
    state = space.sample()
    flat = spaces.flatten(space, state).astype(np.float32)
    np.testing.assert_array_equal(Policy(agent, environment)(state), agent.act(flat, explore=False))


def test_its_bounds_are_those_of_the_task_with_a_limit_in_the_place_of_infinity(small):
    environment = make_environment("Bounds-v0", {"low": [-np.inf, 0], "high": [1, np.inf]}, action_bound=7)
    low, high = Policy(DDPG(1, 2, small), environment).bounds()
    assert (low.tolist(), high.tolist()) == ([-7, 0], [1, 7])


@pytest.mark.slow
def test_a_run_gives_its_newest_policy_and_on_request_its_best(small, tmp_path, without_plots, monkeypatch):
    from ddpg import Evaluation
    from ddpg.run import simulation

    scores = iter([0.0, 9.0, 5.0, 4.0])
    monkeypatch.setattr(simulation, "evaluate", lambda *_: Evaluation((next(scores),)))
    config = replace(small, env="Pendulum-v1", steps=600, evaluate_every=200, checkpoint_every=200)
    run = finished_run(config, tmp_path / "run")
    state = np.float32([0.6, 0.8, -1])
    newest, best = load_policy(tmp_path / "run"), load_policy(str(tmp_path / "run"), best=True)
    np.testing.assert_array_equal(newest(state), 2 * run.agent.act(state, explore=False))  # Pendulum's torque is ±2
    np.testing.assert_array_equal(best(state), load_policy(tmp_path / "run" / "checkpoints" / "best-000000200")(state))
    assert newest(state) != best(state)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(RequestError, match="has no checkpoint"):
        load_policy(tmp_path)
