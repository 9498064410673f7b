"""Any task comes out with flat float32 states and actions in [-1, 1]; what DDPG cannot act in is refused."""

import sys

import gymnasium
import numpy as np
import pytest

from ddpg import Config, RequestError, make_environment, state_and_action_size


def test_pendulums_full_torque_can_be_reached():
    """The second post's tanh is not scaled: it can use half of the torque."""
    environment = make_environment("Pendulum-v1")
    environment.reset(seed=0)
    for action, torque in ((1, 2), (-1, -2)):
        environment.step(np.float32([action]))
        assert environment.unwrapped.last_u == torque


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
    assert state_and_action_size(environment) == (1, 4)
    assert (environment.action_space.low.min(), environment.action_space.high.max()) == (-1, 1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_actions_have_the_tasks_type_and_rounding_never_leaves_its_bounds(dtype):
    """The bounds are not float16 numbers: without clipping, the rescaled action would round to one beyond them."""
    bounds = {"low": [-0.1, 0.3, -1e4], "high": [0.7, 0.9, 33333.3], "dtype": dtype}
    environment = make_environment("Bounds-v0", bounds)
    environment.reset(seed=0)
    for number in (-1.0, -0.999, -1 / 3, 0.0, 0.1, 0.9999, 1.0):
        environment.step(np.full(3, number, np.float32))
        action = environment.unwrapped.action
        assert action.dtype == dtype
        assert environment.unwrapped.action_space.contains(action)
        if abs(number) == 1:
            space = environment.unwrapped.action_space
            np.testing.assert_allclose(action, space.high if number > 0 else space.low, rtol=np.finfo(dtype).eps)


@pytest.mark.parametrize(("kind", "size"), [("image", 60), ("double", 4), ("dict", 5), ("tuple", 5)])
def test_states_of_any_kind_become_flat_float32(kind, size):
    environment = make_environment("States-v0", {"kind": kind})
    state, _ = environment.reset(seed=1)
    next_state, *_ = environment.step(np.zeros(1, np.float32))
    for x in (state, next_state):
        assert (x.shape, x.dtype) == ((size,), np.float32)
    assert state_and_action_size(environment) == (size, 1)
    assert environment.observation_space.contains(state)


def test_the_next_state_does_not_overwrite_the_state():
    """A task may return the same array each time; the transition must hold two."""
    environment = make_environment("Reusing-v0")
    state, _ = environment.reset(seed=0)
    next_state, *_ = environment.step(np.float32([1]))
    assert (state[0], next_state[0]) == (0, 1)


def test_arguments_reach_the_task():
    assert make_environment("Pendulum-v1", {"g": 9.81}).unwrapped.g == 9.81


def test_a_module_can_be_imported_first():
    assert make_environment("tests.helpers.tasks:Matching-v0").spec.id == "Matching-v0"


def length_of_an_episode(environment: gymnasium.Env) -> tuple[int, bool]:
    environment.reset(seed=0)
    for step in range(1, 100):
        *_, terminated, truncated, _ = environment.step(np.zeros(1, np.float32))
        if terminated or truncated:
            return step, terminated
    pytest.fail("the episode does not end")


@pytest.mark.parametrize(
    ("env", "limit", "length"),
    [("Unlimited-v0", 7, 7), ("Endless-v0", 7, 7), ("Endless-v0", 50, 10), ("Endless-v0", None, 10)],
)
def test_the_shorter_of_two_step_limits_truncates_the_episode(env, limit, length):
    assert length_of_an_episode(make_environment(env, max_episode_steps=limit)) == (length, False)


def test_the_render_mode_reaches_tasks_that_have_one_and_no_other():
    assert make_environment("Pendulum-v1", render_mode="rgb_array").render_mode == "rgb_array"
    make_environment("Bounds-v0", {"low": [0], "high": [1]})  # its constructor knows no render_mode


def refusal(*arguments, **keywords) -> RequestError:
    with pytest.raises(RequestError) as caught:
        make_environment(*arguments, **keywords)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("env", ["Pendulm-v1", "Pendulum-v9", "Pendulum-v0", "PENDULUM-v1"])
def test_an_unknown_task_is_refused_with_the_nearest_ids(env):
    assert "the nearest ids are Pendulum-v1" in refusal(env).message
    assert refusal(env).setting == "env"


@pytest.mark.parametrize("env", ["nowhere/Pendulum-v1", "", "x"])
def test_other_ids_that_cannot_be_made_are_refused_too(env):
    assert refusal(env).message.startswith(f"cannot make {env!r} (")
    assert refusal(env).setting == "env"


def test_a_discrete_action_space_is_refused():
    expected = (
        "the action space of CartPole-v1 is Discrete(2), but DDPG needs continuous actions (a float Box); "
        "for others use DQN or PPO, of another library"
    )
    assert refusal("CartPole-v1").message == expected
    assert (
        "but DDPG needs continuous actions" in refusal("Bounds-v0", {"low": [0], "high": [5], "dtype": "int32"}).message
    )


@pytest.mark.parametrize(
    ("low", "high", "dimension"),
    [
        ([-1, -np.inf], [1, np.inf], 1),
        ([0, 0], [np.inf, 1], 0),
        ([-1, -3.4e38], [1, 3.4e38], 1),
        ([-1, -np.inf], [1, 0], 1),
    ],
)
def test_unbounded_and_half_bounded_actions_name_the_dimension_and_the_remedy(low, high, dimension):
    error = refusal("Bounds-v0", {"low": low, "high": high})
    assert error.message.startswith(f"dimension {dimension} of Bounds-v0's actions is unbounded ([")
    assert error.message.endswith("]); set a finite limit with --action-bound X, such as --action-bound 1")
    assert error.setting == "action_bound"


def test_an_action_bound_replaces_infinite_bounds_only():
    environment = make_environment("Bounds-v0", {"low": [-np.inf, 0], "high": [5, np.inf]}, action_bound=3.0)
    environment.reset()
    for action, expected in ((-1, [-3, 0]), (1, [5, 3])):
        environment.step(np.full(2, action, np.float32))
        np.testing.assert_array_equal(environment.unwrapped.action, np.float32(expected))


def test_actions_with_an_empty_range_are_refused():
    fixed = refusal("Bounds-v0", {"low": [1, 0], "high": [1, 1]}).message
    assert fixed == "dimension 0 of Bounds-v0's actions has an empty range: [1.0, 1.0]"
    crossed = refusal("Bounds-v0", {"low": [0, 5], "high": [1, np.inf]}, action_bound=2.0).message
    assert crossed == "dimension 1 of Bounds-v0's actions has an empty range: [5.0, 2.0]"


def test_an_action_space_without_dimensions_is_refused():
    error = refusal("Bounds-v0", {"low": [], "high": []})
    assert error.message == "the action space Box([], [], (0,), float32) of Bounds-v0 is empty"
    assert error.setting == "env"


def test_states_without_dimensions_are_refused():
    error = refusal("States-v0", {"kind": "empty"})
    assert error.message == "the observation space Box([], [], (0,), float32) of States-v0 is empty"
    assert error.setting == "env"


@pytest.mark.parametrize("kind", ["sequence", "graph", "own"])
def test_states_without_a_fixed_size_are_refused(kind):
    assert refusal("States-v0", {"kind": kind}).message.endswith(
        "of States-v0 cannot be flattened to a fixed size; wrap the task so that its states are a Box"
    )


def test_a_task_that_is_refused_is_closed(monkeypatch):
    closed = []
    monkeypatch.setattr("tests.helpers.tasks.States.close", lambda task: closed.append(task), raising=False)
    refusal("States-v0", {"kind": "empty"})
    assert len(closed) == 1


def test_wrong_arguments_are_refused():
    assert refusal("Pendulum-v1", {"gravity": 1}).setting == "env_kwargs"
    assert "with {'gravity': 1}" in refusal("Pendulum-v1", {"gravity": 1}).message
    assert refusal("HalfCheetah-v5", {"xml_file": "nowhere.xml"}).setting == "env_kwargs"


def test_an_action_bound_for_bounded_actions_is_refused():
    error = refusal("Pendulum-v1", action_bound=1.0)
    assert error.message == "all of Pendulum-v1's actions are already bounded; remove --action-bound"
    assert error.setting == "action_bound"


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
    assert state_and_action_size(environment) == expected
    state, _ = environment.reset(seed=0)
    for sign in (1, -1):
        state, reward, *_ = environment.step(np.full(expected[1], sign, np.float32))
        assert state.dtype == np.float32
        assert np.isfinite(reward)
    environment.close()
    assert isinstance(environment, gymnasium.Env)


def test_a_config_or_a_task_that_was_made_already_becomes_the_same_task():
    from_config = make_environment(Config(env_kwargs={"g": 5.0}, max_episode_steps=7))
    made = make_environment(gymnasium.make("Pendulum-v1", g=5.0), max_episode_steps=7)
    for task in (from_config, made):
        assert task.unwrapped.g == 5.0
        assert task.action_space.high == 1.0
        task.reset(seed=0)
        steps = next(k for k in range(1, 100) if task.step(np.zeros(1, np.float32))[3])
        assert steps == 7


def test_a_task_without_spaces_is_refused_in_one_line():
    class Spaceless(gymnasium.Env):
        observation_space = None

    with pytest.raises(RequestError, match="the observation space of Spaceless is None"):
        make_environment(Spaceless())


def test_a_module_is_found_in_the_working_directory_and_named_if_it_is_nowhere(tmp_path, monkeypatch):
    (tmp_path / "tank_of_this_test.py").write_text(
        "import gymnasium\ngymnasium.register('TankOfThisTest-v0', gymnasium.envs.classic_control.PendulumEnv)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
    assert make_environment("tank_of_this_test:TankOfThisTest-v0", max_episode_steps=5).observation_space.shape == (3,)
    with pytest.raises(RequestError) as caught:
        make_environment("nowhere_at_all:Tank-v0")
    assert str(tmp_path) in str(caught.value) and "PYTHONPATH" in str(caught.value)
    assert "nearest" not in str(caught.value)
