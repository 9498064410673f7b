"""Any task comes out with flat float32 states and actions in [-1, 1]; the others are refused in words."""

import gymnasium
import numpy as np
import pytest

from ddpg import RequestError, make_environment
from ddpg.environment import sizes


def test_pendulums_full_torque_can_be_reached():
    """The second post's tanh is not scaled: it can use half of the torque."""
    environment = make_environment("Pendulum-v1")
    environment.reset(seed=0)
    environment.step(np.float32([1]))
    assert environment.unwrapped.last_u == 2
    environment.step(np.float32([-1]))
    assert environment.unwrapped.last_u == -2


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ([-1, -1, -1, -1], [[-2, 0], [5, -1]]),
        ([1, 1, 1, 1], [[2, 10], [6, 3]]),
        ([0, 0, 0, 0], [[0, 5], [5.5, 1]]),
        ([0.5, 0, -1, 1], [[1, 5], [5, 3]]),
    ],
)
def test_bounds_that_are_asymmetric_and_differ_per_dimension_are_reached_exactly(action, expected):
    environment = make_environment("Echo-v0")
    environment.reset(seed=0)
    environment.step(np.float32(action))
    np.testing.assert_array_equal(environment.unwrapped.action, np.float32(expected))
    assert sizes(environment) == (1, 4)


@pytest.mark.parametrize(("kind", "size"), [("image", 60), ("double", 4), ("dict", 5), ("tuple", 5)])
def test_states_of_any_kind_become_flat_float32(kind, size):
    environment = make_environment("States-v0", {"kind": kind})
    state, _ = environment.reset(seed=1)
    next_state, *_ = environment.step(np.zeros(1, np.float32))
    for x in (state, next_state):
        assert (x.shape, x.dtype) == ((size,), np.float32)
    assert sizes(environment) == (size, 1)


def test_the_next_state_is_not_the_state_overwritten():
    """A task may return the same array each time; the transition must hold two."""
    environment = make_environment("Reusing-v0")
    state, _ = environment.reset(seed=0)
    next_state, *_ = environment.step(np.float32([1]))
    assert (state[0], next_state[0]) == (0, 1)


def test_arguments_reach_the_task():
    assert make_environment("Pendulum-v1", {"g": 9.81}).unwrapped.g == 9.81


def refusal(*arguments, **keywords) -> RequestError:
    with pytest.raises(RequestError) as caught:
        make_environment(*arguments, **keywords)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("env", ["Pendulm-v1", "Pendulum-v9", "Pendulum-v0", "PENDULUM-v1"])
def test_an_unknown_task_is_answered_with_the_nearest_ids(env):
    assert "Pendulum-v1" in str(refusal(env))
    assert refusal(env).setting == "env"


@pytest.mark.parametrize("env", ["no_such_module:Pendulum-v1", "nowhere/Pendulum-v1", "", "a:b:c", "x"])
def test_other_ids_that_cannot_be_made_are_refused_too(env):
    assert repr(env) in str(refusal(env))


def test_a_module_can_be_imported_first():
    assert make_environment("tests.tasks:Matching-v0").spec.id == "Matching-v0"


def test_a_discrete_action_space_is_named():
    message = str(refusal("CartPole-v1"))
    assert "Discrete(2)" in message
    assert "continuous" in message


@pytest.mark.parametrize(
    ("low", "high", "dimension"),
    [([-1, -np.inf], [1, np.inf], 1), ([0, 0], [np.inf, 1], 0), ([-1, -3.4e38], [1, 3.4e38], 1)],
)
def test_unbounded_and_half_bounded_actions_name_the_dimension_and_the_way_out(low, high, dimension):
    message = str(refusal("Bounds-v0", {"low": low, "high": high}))
    assert f"dimension {dimension} " in message
    assert "--action-bound" in message


def test_an_action_bound_stands_in_for_infinity_alone():
    environment = make_environment("Bounds-v0", {"low": [-np.inf, 0], "high": [np.inf, 7]}, action_bound=3.0)
    inner = environment.env.action_space  # of the wrapper below RescaleAction
    np.testing.assert_array_equal(inner.low, [-3, 0])
    np.testing.assert_array_equal(inner.high, [3, 7])


def test_actions_without_room_are_refused():
    assert "no room" in str(refusal("Bounds-v0", {"low": [1, 0], "high": [1, 1]}))
    assert "no room" in str(refusal("Bounds-v0", {"low": [5, 0], "high": [np.inf, 1]}, action_bound=2.0))


def test_wrong_arguments_are_refused():
    assert refusal("Pendulum-v1", {"gravity": 1}).setting == "env_kwargs"
    assert refusal("HalfCheetah-v5", {"xml_file": "nowhere.xml"}).setting == "env_kwargs"


def test_an_action_bound_where_none_is_missing_is_refused():
    assert refusal("Pendulum-v1", action_bound=1.0).setting == "action_bound"


def test_a_window_without_a_screen_is_refused(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    assert refusal("Pendulum-v1", render_mode="human").setting == "render"
    assert refusal("Pendulum-v1", {"render_mode": "human"}).setting == "render"


def test_states_without_a_fixed_size_are_refused():
    assert "no fixed size" in str(refusal("States-v0", {"kind": "sequence"}))


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ("InvertedPendulum-v5", (4, 1)),
        ("HalfCheetah-v5", (17, 6)),
        ("LunarLanderContinuous-v3", (8, 2)),
        ("MountainCarContinuous-v0", (2, 1)),
    ],
)
def test_real_tasks_run(env, expected):
    environment = make_environment(env)
    assert sizes(environment) == expected
    state, _ = environment.reset(seed=0)
    for sign in (1, -1):
        state, reward, *_ = environment.step(np.full(expected[1], sign, np.float32))
        assert state.dtype == np.float32
        assert np.isfinite(reward)
    environment.close()
    assert isinstance(environment, gymnasium.Env)
