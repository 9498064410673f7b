"""In which task a policy is measured, and what its file says of an action."""

import argparse
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ddpg import Config, RequestError, make_environment
from ddpg.policy import policy_file, sources
from ddpg.policy.describe import describe, evaluation_at
from ddpg.policy.policy import Policy
from ddpg.policy.policy_file import FilePolicy
from ddpg.policy.sources import Source, asked_task, require_same_task, source_of_file

TRAINED = Config(env="Pendulum-v1", env_kwargs={"g": 9}, action_bound=3.0, max_episode_steps=70, gamma=0.5)


def asked(**words):
    return asked_task(TRAINED, argparse.Namespace(**{"env": None, "env_kwargs": None, "action_bound": None} | words))


def test_the_task_is_that_of_training_unless_another_is_asked_for():
    assert asked() == asked(env="Pendulum-v1") == TRAINED
    assert (asked(env_kwargs={}).env_kwargs, asked(env_kwargs={"g": 1}).env_kwargs) == ({}, {"g": 1})
    assert asked(env_kwargs={"g": 1}).action_bound == 3 and asked(action_bound=5.0).env_kwargs == {"g": 9}


def test_another_task_takes_none_of_the_first_tasks_own_arguments():
    other = asked(env="Endless-v0")
    assert (other.env, other.env_kwargs, other.action_bound) == ("Endless-v0", {}, None)
    assert (other.max_episode_steps, other.gamma) == (70, 0.5)
    assert asked(env="Endless-v0", env_kwargs={"x": 1}).env_kwargs == {"x": 1}


@pytest.mark.parametrize(("low", "high"), [(-2, 3), (-3, 2)])
def test_a_task_whose_actions_lie_between_other_bounds_is_refused(low, high):
    environment = make_environment("Pendulum-v1")
    require_same_task(environment, TRAINED, (3, 1), (np.array([-2.0]), np.array([2.0])))
    require_same_task(environment, TRAINED, (3, 1), None)
    with pytest.raises(RequestError, match=rf"lie between \[-2.0\] and \[2.0\], those of the policy between \[{low}\]"):
        require_same_task(environment, TRAINED, (3, 1), (np.array([low]), np.array([high])))
    with pytest.raises(RequestError, match="state and action sizes"):
        require_same_task(environment, TRAINED, (4, 1), None)


METADATA = {
    "task": "Pendulum-v1", "env_kwargs": {"g": 9}, "action_bound": 3.0, "max_episode_steps": 70, "seed": 4,
    "state": ["a", "b", "c"], "action": {"low": [-1, 2], "high": [3, 12]},
}  # fmt: skip


@pytest.fixture
def in_file(monkeypatch):
    """A policy file whose policy answers with what a test puts here, in the task's units."""
    answer = [[0.0, 0.0]]

    def run(states):
        assert (states.dtype, states.shape) == (np.float32, (1, 3))  # which is all that some runtimes take
        return np.array(answer, np.float32)

    functions = SimpleNamespace(open_runtime=lambda path: run)
    monkeypatch.setattr(policy_file, "format_of", lambda path: "made up")
    monkeypatch.setitem(policy_file.FORMATS, "made up", SimpleNamespace(functions=functions, packages=()))
    monkeypatch.setattr(policy_file, "probe", lambda path: METADATA)
    return FilePolicy("policy"), answer


@pytest.mark.parametrize(("action", "expected"), [
    ([-1, 2], [-1, -1]), ([3, 12], [1, 1]), ([1, 7], [0, 0]), ([2, 4.5], [0.5, -0.5]), ([9, -9], [1, -1]),
])  # fmt: skip
def test_a_files_action_is_scaled_from_each_dimensions_own_bounds(in_file, action, expected):
    policy, answer = in_file
    answer[0] = action
    assert policy.act(np.zeros(3)).tolist() == expected
    assert (policy.state_size, policy.action_size) == (3, 2) and policy.act(np.zeros(3)).dtype == np.float32


def test_a_files_task_has_the_arguments_that_it_was_trained_with_and_another_task_none(in_file):
    policy, _ = in_file
    for same in (policy.task_config(), policy.task_config("Pendulum-v1")):
        assert (same.env, same.env_kwargs, same.action_bound, same.max_episode_steps) == (
            "Pendulum-v1",
            {"g": 9},
            3,
            70,
        )
    other = policy.task_config("Endless-v0")
    assert (other.env, other.env_kwargs, other.action_bound) == ("Endless-v0", {}, None)


def test_a_file_acts_in_the_task_asked_for_if_its_actions_mean_the_same_there(in_file, monkeypatch):
    monkeypatch.setitem(METADATA, "state", ["a"])
    own = {"low": [-1, 2], "high": [3, 12]}
    given = {"policy": Path("/here/p.onnx"), "env": "Bounds-v0", "env_kwargs": own, "action_bound": None}
    source = source_of_file(argparse.Namespace(**given, start=Path("/here")))
    assert (source.kind, source.origin, source.seed) == ("policy", "p.onnx", 4)
    assert (source.config.env, source.config.env_kwargs) == ("Bounds-v0", own)
    assert source.agent_in(make_environment("Bounds-v0", own)).metadata is METADATA
    for changed in ({"low": [-1, 2], "high": [3, 13]}, {"low": [-2, 2], "high": [3, 12]}):
        with pytest.raises(RequestError, match="the actions of Bounds-v0 lie between"):
            source.agent_in(make_environment("Bounds-v0", changed))


def test_a_controller_beside_a_policy_is_measured_in_the_policys_own_task(monkeypatch):
    monkeypatch.setattr(sources, "source_of_checkpoint", lambda arguments: Source("checkpoint", "c", TRAINED, None))
    words = {"checkpoint": "c", "policy": None, "controller": "math:floor", "env": None, "env_kwargs": None}
    first, second = sources.sources_of(argparse.Namespace(**words))
    assert (first.kind, second.kind, second.origin) == ("checkpoint", "controller", "math:floor")
    assert second.config is TRAINED
    alone = argparse.Namespace(**words | {"checkpoint": None, "env": "Bounds-v0"}, action_bound=5.0)
    (only,) = sources.sources_of(alone)
    assert (only.config.env, only.config.action_bound) == ("Bounds-v0", 5.0)


def test_the_metadata_name_the_last_evaluation_that_the_policy_had_had(tmp_path):
    assert evaluation_at(tmp_path, 100) is None
    path = tmp_path / "evaluations.csv"
    path.write_text("steps,mean,std\n0,-9,1\n100,-3,2\n150,-4,2\n200,-6,3\n")
    assert evaluation_at(tmp_path, 100) == {"steps": 100, "mean": -3, "std": 2}
    assert evaluation_at(tmp_path, 199) == {"steps": 150, "mean": -4, "std": 2}
    assert evaluation_at(tmp_path, 900)["mean"] == -6
    path.write_text("steps,mean,std\n100,-5,2\n")
    assert evaluation_at(tmp_path, 99) is None
    path.write_text("steps,mean,std\n100,much,2\n")
    assert evaluation_at(tmp_path, 100) is None


def test_the_metadata_name_the_task_with_all_that_it_was_trained_with():
    """The bounds in the place of infinite ones are the policy's."""
    config = Config(
        env="Bounds-v0", env_kwargs={"low": [-np.inf], "high": [3]}, action_bound=7.0, max_episode_steps=70, seed=4
    )
    policy = Policy(None, make_environment(config))
    found = describe(SimpleNamespace(config=config), policy, 30, {"mean": 1.0})
    assert found.pop("versions")["numpy"] == np.__version__
    assert found == {
        "task": "Bounds-v0", "env_kwargs": {"low": [-np.inf], "high": [3]}, "action_bound": 7.0,
        "max_episode_steps": 70, "state": ["state[0]"],
        "action": {"shape": [1], "dtype": "float32", "low": [-7.0], "high": [3.0]},
        "step": 30, "evaluation": {"mean": 1.0}, "seed": 4,
    }  # fmt: skip


def test_a_state_of_another_shape_is_refused_though_it_has_as_many_numbers():
    policy = Policy(SimpleNamespace(act=lambda state, explore: np.zeros(1)), make_environment("Pendulum-v1"))
    assert policy(np.zeros(3)) == 0 and policy([0.0, 0.0, 0.0]) == 0
    with pytest.raises(ValueError, match=r"the state must have the shape \(3,\), got \(3, 1\)"):
        policy(np.zeros((3, 1)))
