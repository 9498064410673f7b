"""A policy for a control loop: states and actions in the task's own units, as the agent's evaluation gives them."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces

from ddpg import DDPG, Policy, RequestError, load_policy, make_environment, state_and_action_size
from tests.helpers.runs import finished_run


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


def test_a_run_gives_its_newest_policy_and_on_request_its_best(small, tmp_path, without_plots, monkeypatch):
    from ddpg import Evaluation
    from ddpg.run import training_run

    scores = iter([0.0, 9.0, 5.0, 4.0])
    monkeypatch.setattr(training_run, "evaluate", lambda *_: Evaluation((next(scores),)))
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
