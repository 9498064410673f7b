"""Tasks written for another library or version: one line that says what to do, and no traceback."""

import re

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from ddpg import RequestError, RunStopped, evaluate, make_environment
from ddpg.errors import advice_on, one_line
from ddpg.run.train import main
from ddpg.task.environments import first_step
from ddpg.task.states import notes_on_images

OLD = "for a task of the old gym see docs/other-tasks.md"
MISTAKES = [
    ({"mistake": "seed"}, "write def reset(self, *, seed=None, options=None); " + OLD),
    ({"mistake": "reset"}, "its reset must return (state, info); " + OLD),
    ({"mistake": "reset", "size": 2}, "its reset must return (state, info); " + OLD),  # two numbers can be unpacked
    ({"mistake": "reset", "size": 3}, "its reset must return (state, info); " + OLD),
    ({"mistake": "reset", "dictionary": True}, "its reset must return (state, info); " + OLD),  # and so can two keys
    ({"mistake": "step"}, "its step must return (state, reward, terminated, truncated, info); " + OLD),
    ({"mistake": "nothing"}, "its step must return (state, reward, terminated, truncated, info); " + OLD),
]


class Resting:
    """A policy that always does nothing."""

    def act(self, state, explore=True):
        return np.zeros(1, np.float32)


@pytest.mark.parametrize(("kwargs", "advice"), MISTAKES)
@pytest.mark.parametrize("checked", [False, True], ids=["", "with Gymnasium's checker"])
def test_a_task_of_the_old_gym_is_refused_with_what_to_do(kwargs, advice, checked, recwarn):
    spec = gymnasium.spec("OldGym-v0")
    task = gymnasium.make(spec, **kwargs, disable_env_checker=not checked)
    with pytest.raises(RequestError) as refused:
        first_step(make_environment(task))
    assert refused.value.message.endswith(advice) and refused.value.setting == "env"
    assert not recwarn.list
    with pytest.raises(RunStopped, match=r"evaluation episode 0, step [01]: ") as stopped:
        evaluate(Resting(), make_environment(task), 1)
    assert str(stopped.value).endswith(advice) and stopped.value.__cause__ is None  # so that no traceback is shown


def test_the_command_refuses_it_in_one_line_and_writes_nothing(tmp_path, capsys):
    arguments = ["--env", "OldGym-v0", "--env-kwargs", '{"mistake": "step"}', "--episodes", "1"]
    assert main([*arguments, "--run-dir", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("train.py: error: --env: the task cannot be used: ") and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("env", "kwargs", "words"),
    [
        ("NoEnv-v0", {}, "its class must be a gymnasium.Env, not a gym.Env; " + OLD),
        ("OldGym-v0", {"mistake": "import"}, "(No module named 'gym'); write import gymnasium as gym; " + OLD),
        ("OldGym-v0", {"mistake": "exit"}, "(sys.exit(0))"),
    ],
)
def test_a_task_that_cannot_be_made_is_refused_with_what_to_do(env, kwargs, words):
    with pytest.raises(RequestError) as refused:
        make_environment(env, kwargs)
    assert refused.value.message.endswith(words)


def test_a_task_that_ends_the_process_stops_the_run_instead():
    """Otherwise the run would end with exit code 0, and without a word."""
    with pytest.raises(RunStopped, match=re.escape("step 1: the environment raised SystemExit(3)")) as stopped:
        evaluate(Resting(), make_environment("OldGym-v0", {"mistake": "sys.exit"}), 1)
    assert isinstance(stopped.value.__cause__, SystemExit)


def test_an_error_in_the_tasks_own_code_is_not_taken_for_a_mistake_of_libraries():
    class Own(gymnasium.Wrapper):
        def step(self, action):
            state, reward, terminated, truncated, info = 1, 2, 3, 4  # its author needs the traceback
            return state, reward, terminated, truncated, info

    with pytest.raises(RunStopped) as stopped:
        evaluate(Resting(), Own(make_environment("Endless-v0")), 1)
    assert isinstance(stopped.value.__cause__, ValueError)


def test_an_error_inside_of_mujocos_files_is_said_to_be_one_of_versions():
    """Gymnasium-Robotics fails an assertion without a word with a MuJoCo that is too new."""
    code = compile("assert False", "site-packages/gymnasium_robotics/utils/mujoco_utils.py", "exec")
    with pytest.raises(AssertionError) as caught:
        exec(code)
    assert one_line(caught.value) == "AssertionError in mujoco_utils.py, line 1"
    assert advice_on(caught.value) == "its package may need an older MuJoCo: see docs/other-tasks.md#mujocos-versions"
    assert advice_on(AssertionError()) is None


@pytest.mark.parametrize(
    ("shape", "dtype", "is_image"),
    [
        ((64, 64), np.uint8, True),
        ((64, 64, 3), np.float32, True),
        ((4, 84, 84), np.float32, True),
        ((5, 5, 2), np.float32, False),
        ((100, 100), np.float64, False),  # a matrix
    ],
)
def test_images_are_told_by_their_type_or_their_size(shape, dtype, is_image):
    assert bool(notes_on_images(spaces.Box(0, 1, shape, dtype))) == is_image
