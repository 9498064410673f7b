"""A controller of the user's: its units, its shapes, its episodes, and what it gets for a wrong answer."""

import math
import sys

import numpy as np
import pytest

from ddpg import RequestError, RunStopped, evaluate, make_environment
from ddpg.experience.controllers import Controller, load_controller
from tests.helpers.tasks import NoArray, States


def in_task(environment) -> np.ndarray:
    """Return the action that the task itself was given, in its own units."""
    return environment.unwrapped.action


@pytest.mark.parametrize("kind", sorted(States.KINDS.keys() - {"sequence", "graph", "own", "empty"}))
def test_a_controller_sees_the_states_of_the_task_itself(kind):
    seen = []
    environment = make_environment("States-v0", {"kind": kind}, max_episode_steps=2)

    def controller(state):
        seen.append(state)
        return np.zeros(1)

    evaluate(controller, environment, episodes=2)
    assert len(seen) == 4
    for state in seen:
        assert environment.unwrapped.observation_space.contains(state), state


def test_a_controller_acts_in_the_units_and_the_shape_of_the_task():
    environment = make_environment("Echo-v0", max_episode_steps=1)
    action = np.array([[-1.5, 3], [5.25, 2]])
    evaluate(lambda state: action, environment, episodes=1)
    np.testing.assert_allclose(in_task(environment), action, rtol=1e-6)
    assert environment.unwrapped.action_space.contains(in_task(environment))


def test_what_is_outside_of_the_bounds_is_clipped_and_counted():
    environment = make_environment("Echo-v0")
    controller = Controller(lambda state: np.array([[-9, 9.5], [5.25, 99]]), environment)
    controller.begin_episode()
    for _ in range(3):
        environment.reset()
        environment.step(controller.act(np.ones(1, np.float32)))
    np.testing.assert_allclose(in_task(environment), [[-2, 9.5], [5.25, 3]], rtol=1e-6)
    assert (controller.actions, controller.clipped) == (3, 3)


def test_an_action_at_the_bound_is_not_counted_as_clipped_for_its_rounding():
    environment = make_environment("Bounds-v0", {"low": [-0.3], "high": [0.7]})
    controller = Controller(lambda state: [0.7], environment)  # 0.7 is more than 0.7 as float32
    controller.begin_episode()
    assert (controller.act(np.ones(1, np.float32)).item(), controller.clipped) == (1, 0)


class Integral:
    """An integral term: it counts what it has seen."""

    instances = 0

    def __init__(self):
        type(self).instances += 1
        self.total = 0.0

    def __call__(self, state):
        self.total += 0.25
        return [self.total]


def test_a_class_begins_each_episode_anew():
    """Its reward is the action: an integral term that was carried over would make the second one larger."""
    Integral.instances = 0
    assert evaluate(Integral, make_environment("Highest-v0"), episodes=3).returns == (0.25, 0.25, 0.25)
    assert Integral.instances == 3


def test_a_controller_cannot_change_the_state_that_others_see():
    def controller(state):
        state[:] = 5
        return [0]

    given = Controller(controller, make_environment("Endless-v0"))
    given.begin_episode()
    state = np.ones(1, np.float32)
    given.act(state)
    assert state.item() == 1


def at_the_third_step(value):
    """Return a controller whose third answer is `value`."""
    steps = []

    def controller(state):
        steps.append(state)
        return value if len(steps) == 3 else np.zeros(1)

    return controller


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "returned the action None: expected numbers of shape (1,)"),
        ("full", "returned the action 'full': expected numbers"),
        (0.5, "returned the action 0.5: expected the shape (1,), got ()"),
        ([0.5, 0.5], "expected the shape (1,), got (2,)"),
        ([[0.5]], "expected the shape (1,), got (1, 1)"),
        ([[0.5], [0.5, 1]], "expected an array of shape (1,)"),
        (NoArray(), "expected an array of shape (1,); it cannot become an array of numbers (Can't call numpy()"),
        ([np.nan], "returned the action [nan]: non-finite value"),
        ([np.inf], "non-finite value"),
        ([1e300], "non-finite value"),
    ],
)
def test_a_wrong_answer_is_named_with_its_episode_and_step(value, problem):
    environment = make_environment("Unlimited-v0", max_episode_steps=2)
    with pytest.raises(RunStopped) as stopped:
        evaluate(at_the_third_step(value), environment, episodes=2)
    assert str(stopped.value).startswith("evaluation episode 1, step 1: the controller returned the action")
    assert problem in str(stopped.value)


def test_an_error_of_the_controller_keeps_its_traceback():
    def controller(state):
        return {}["gain"]

    with pytest.raises(RunStopped, match="episode 0, step 1: the controller raised KeyError") as stopped:
        evaluate(controller, make_environment("Endless-v0"))
    assert isinstance(stopped.value.__cause__, KeyError)


MODULE = """
import numpy as np

gain = 2.0

def control(state):
    return -gain * state

class PI:
    def __call__(self, state):
        return -state

class Late(PI):
    pass

class Needy(PI):
    def __init__(self, gain):
        self.gain = gain

class Mute:
    pass

def timed(state, time):
    return state
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of the user's in the working directory, which is not on the path."""
    (tmp_path / "plant_pi.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "plant_broken.py").write_text("raise SystemExit('no licence')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield
    for name in ("plant_pi", "plant_broken"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["control", "PI", "Late"])
def test_functions_and_classes_are_loaded_from_the_working_directory(name, module):
    environment = make_environment("Endless-v0")
    assert evaluate(load_controller(f"plant_pi:{name}"), environment, episodes=1).returns == (10,)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plant_pi", ["expected module:name", "'plant_pi'"]),
        (":PI", ["expected module:name"]),
        ("plant_pj:PI", ["there is no module 'plant_pj' in", "PYTHONPATH"]),
        ("plant_broken:PI", ["cannot import 'plant_broken' (sys.exit('no licence'))"]),
        ("plant_pi:PID", ["'plant_pi' (", "plant_pi.py) has no 'PID'; the nearest names are PI"]),
        ("plant_pi:gain", ["plant_pi:gain is 2.0, neither a function nor a class"]),
        ("plant_pi:Needy", ["plant_pi:Needy takes (gain); it must be one that can be made without arguments"]),
        ("plant_pi:Mute", ["instances of plant_pi:Mute cannot be called", "__call__(self, state)"]),
        ("plant_pi:timed", ["takes (state, time); it must be one that can be called with the state alone"]),
    ],
)
def test_a_controller_that_cannot_be_used_is_refused_in_one_line(name, words, module):
    with pytest.raises(RequestError) as refused:
        load_controller(name)
    line = refused.value.for_command_line()
    assert line.startswith("--controller: ") and "\n" not in line
    for word in words:
        assert word in line


class NoPort:
    """A controller that cannot be made."""

    def __init__(self):
        raise OSError("no such port")

    def __call__(self, state):
        return state


@pytest.mark.parametrize(("controller", "has_code"), [(NoPort, True), (math.sqrt, False)])
def test_a_traceback_is_kept_only_where_it_shows_code_of_the_controllers_author(controller, has_code):
    with pytest.raises(RunStopped, match="the controller raised ") as stopped:
        evaluate(Controller(controller, make_environment("Pendulum-v1")), make_environment("Pendulum-v1"), episodes=1)
    assert (stopped.value.__cause__ is not None) == has_code
