"""Any Gymnasium task in the form that DDPG needs: flat float32 states out, actions in [-1, 1] in."""

import copy
import difflib
from contextlib import nullcontext
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import FlattenObservation, RescaleAction, TimeLimit, TransformAction, TransformObservation

from ddpg.config import Config
from ddpg.errors import (
    OLD_GYM,
    OTHERS,
    RequestError,
    WrongValue,
    install,
    one_line,
    shown_value,
    warnings_unless_it_fails,
    with_advice,
)
from ddpg.settings.modules import importable_working_directory, refuse_missing_module

GYMNASIUMS_OWN = {  # before any module has registered others
    name for name, spec in gymnasium.registry.items() if str(spec.entry_point).startswith("gymnasium.envs.")
}
UNBOUNDED = 1e30  # some tasks write the largest float where they mean "no bound"


def make_environment(
    env: str | gymnasium.Env | Config,
    env_kwargs: dict[str, Any] | None = None,
    action_bound: float | None = None,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
) -> gymnasium.Env:
    """Make a task with states `(state_size,)` float32 and actions `(action_size,)` in [-1, 1].

    The agent's tanh is the action. `RescaleAction` maps [-1, 1] to the task's own bounds, dimension by dimension, so
    bounds that are asymmetric or that differ per dimension are reached in full.

    Args:
        env: A Gymnasium id, `Name-v0` or `module:Name-v0`; a task that was made already; or a `Config`, which holds the
            four arguments that describe a task.
        env_kwargs: Arguments for the task's constructor, which gets a copy of them.
        action_bound: Replaces each infinite bound of the action space.
        render_mode: As in Gymnasium: None, "human" or "rgb_array".
        max_episode_steps: A time limit for tasks that have none; a shorter limit of the task's own is kept.

    Raises:
        RequestError: There is no such task, it cannot be made, or DDPG cannot act in it.
    """
    if isinstance(env, Config):
        config = env
        env, env_kwargs, action_bound = config.env, config.env_kwargs, config.action_bound
        max_episode_steps = config.max_episode_steps
    if isinstance(env, gymnasium.Env):
        task, env = env, env.spec.id if env.spec else type(env.unwrapped).__name__
    else:
        env_kwargs = copy.deepcopy(env_kwargs or {})  # a constructor may change what it is given
        if render_mode:  # passed only when needed: a user's own task need not accept it
            env_kwargs["render_mode"] = render_mode
        task = _make(env, env_kwargs)
    try:
        normal = _normalize_actions(_flatten_states(task, env), env, action_bound)
    except RequestError:
        task.close()
        raise
    return TimeLimit(normal, max_episode_steps) if max_episode_steps else normal


def state_and_action_size(environment: gymnasium.Env) -> tuple[int, int]:
    """Return (state_size, action_size) of a task from `make_environment`."""
    return spaces.flatdim(environment.observation_space), spaces.flatdim(environment.action_space)


class TaskUnits:
    """States and actions as the task itself knows them, beside the flat ones that an agent works with.

    Args:
        environment: A task from `make_environment`, perhaps in more wrappers; only its spaces are used.

    Attributes:
        state_space, action_space: The task's own.
        low, high: The lowest and the highest actions, each `(action_size,)`: those of `action_space`, with
            `Config.action_bound` in the place of infinite ones.
    """

    def __init__(self, environment: gymnasium.Env) -> None:
        self.wrappers: list[gymnasium.ActionWrapper] = []
        while not isinstance(environment, FlattenObservation):
            if isinstance(environment, gymnasium.ActionWrapper):
                self.wrappers.append(environment)
            environment = environment.env  # type: ignore[attr-defined]
        self.state_space, self.action_space = environment.env.observation_space, environment.env.action_space
        bounded = self.wrappers[-1].action_space
        assert isinstance(bounded, spaces.Box)
        self.low, self.high = bounded.low, bounded.high

    def state(self, flat: np.ndarray) -> Any:
        """Return a new element of the task's observation space, for a flat state `(state_size,)`."""
        return spaces.unflatten(self.state_space, np.array(flat))

    def action(self, normal: np.ndarray) -> np.ndarray:
        """Return the element of the task's action space that an action `(action_size,)` in [-1, 1] means."""
        for wrapper in self.wrappers:
            normal = wrapper.action(normal)
        return normal

    def normal_action(self, action: np.ndarray) -> np.ndarray:
        """Return the action in [-1, 1] that `normal_action` makes of one in the task's units."""
        return normal_action(action, self.low, self.high)


def normal_action(action: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the action in [-1, 1], `(..., action_size)` float32, for one `(..., action_size)` in the task's units.

    What is outside of the bounds is clipped, as an actuator would.

    Args:
        action: The action, from `low` to `high`.
        low, high: The task's bounds, each `(action_size,)`.
    """
    low, high = low.astype(np.float64), high.astype(np.float64)
    return np.clip(2 * (action - low) / (high - low) - 1, -1, 1).astype(np.float32)


def _make(env: str, env_kwargs: dict[str, Any]) -> gymnasium.Env:
    """Make the bare task."""
    module, _, name = env.rpartition(":")
    try:
        with importable_working_directory() if module else nullcontext(), warnings_unless_it_fails():
            task = gymnasium.make(env, **env_kwargs)
    except gymnasium.error.DependencyNotInstalled as error:
        advice = install("'gymnasium[mujoco,box2d]'")
        raise RequestError(f"{env} needs a package ({one_line(error)}); try: {advice}", "env") from None
    except OTHERS as error:  # the task's constructor, or its module, may raise anything
        refuse_missing_module(module, error, "env")
        problem, setting = f"cannot make {env!r} ({one_line(error)})", "env"
        if name in gymnasium.registry and env_kwargs:
            problem, setting = f"cannot make {env!r} with {env_kwargs} ({one_line(error)})", "env_kwargs"
        elif name not in gymnasium.registry:
            ids = {known.lower(): known for known in gymnasium.registry}
            names = [ids[near] for near in difflib.get_close_matches(name.lower(), ids)]
            problem += f"; the nearest ids are {', '.join(names)}" if names else ""
        raise RequestError(with_advice(problem, error), setting) from None
    if name in GYMNASIUMS_OWN and module and module.split(".")[0] != "gymnasium":
        task.close()
        raise RequestError(
            f"{name} is Gymnasium's own task and none of {module!r}, whose tasks have other names; to train on it, use "
            f"--env {name}; {OLD_GYM}",
            "env",
        )
    return task


class FlatStates(FlattenObservation):
    """A task with flat states; one that is not in its space is named, not the place where NumPy noticed it."""

    def observation(self, observation: Any) -> np.ndarray:
        """Return the state as a flat array."""
        try:
            return super().observation(observation)
        except OTHERS as error:
            problem = f"no element of {shown_value(self.env.observation_space)} ({one_line(error)})"
            raise WrongValue(with_advice(f"the state {shown_value(observation)}: {problem}", error)) from None


def _flatten_states(task: gymnasium.Env, env: str) -> gymnasium.Env:
    """Return the task with states of shape `(state_size,)`, float32."""
    for name in ("observation", "action"):
        try:
            space = getattr(task, f"{name}_space", None)
        except OTHERS as error:
            space = error
        if not isinstance(space, spaces.Space):
            raise RequestError(
                f"the {name} space of {env} is {space!r}, which is no space of Gymnasium's; {OLD_GYM}", "env"
            )
    try:
        size = spaces.flatdim(task.observation_space) if task.observation_space.is_np_flattenable else None
    except OTHERS:  # a kind of space that Gymnasium does not know
        size = None
    if size is None:
        raise RequestError(
            f"the observation space {task.observation_space} of {env} cannot be flattened to a fixed size; wrap the "
            "task so that its states are a Box",
            "env",
        )
    if size == 0:
        raise RequestError(f"the observation space {task.observation_space} of {env} is empty", "env")
    space = spaces.Box(-np.inf, np.inf, (size,), np.float32)
    # A copy, never the task's array.
    return TransformObservation(FlatStates(task), lambda state: state.astype(np.float32), space)


def _normalize_actions(task: gymnasium.Env, env: str, action_bound: float | None) -> gymnasium.Env:
    """Return the task with actions of shape `(action_size,)` in [-1, 1]."""
    space = task.action_space
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        joined = isinstance(space, (spaces.Dict, spaces.Tuple))
        raise RequestError(
            f"the action space of {env} is {space}, but DDPG needs continuous actions (a float Box); "
            + ("join its parts to one Box in a wrapper" if joined else "for others use DQN or PPO, of another library"),
            "env",
        )
    if spaces.flatdim(space) == 0:
        raise RequestError(f"the action space {space} of {env} is empty", "env")
    low, high = _finite_bounds(space, env, action_bound)

    def to_task(action: np.ndarray) -> np.ndarray:
        """Return the action in the task's own shape and type; rounding must not leave the task's bounds."""
        return np.clip(action, low, high).reshape(space.shape).astype(space.dtype, copy=False)

    bounded = TransformAction(task, to_task, spaces.Box(low, high, dtype=space.dtype))
    return RescaleAction(bounded, space.dtype.type(-1), space.dtype.type(1))


def _finite_bounds(space: spaces.Box, env: str, action_bound: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return finite lower and upper bounds, each `(action_size,)`."""
    low, high = space.low.ravel().copy(), space.high.ravel().copy()
    no_low, no_high = ~(low.astype(float) > -UNBOUNDED), ~(high.astype(float) < UNBOUNDED)
    unbounded = no_low | no_high
    if unbounded.any() and action_bound is None:
        k = int(np.argmax(unbounded))
        raise RequestError(
            f"dimension {k} of {env}'s actions is unbounded ([{low[k]}, {high[k]}]); "
            "set a finite limit with --action-bound X, such as --action-bound 1",
            "action_bound",
        )
    if action_bound is not None and not unbounded.any():
        raise RequestError(f"all of {env}'s actions are already bounded; remove --action-bound", "action_bound")
    if action_bound is not None:
        low[no_low], high[no_high] = -action_bound, action_bound
    if not (low < high).all():
        k = int(np.argmin(low < high))
        raise RequestError(
            f"dimension {k} of {env}'s actions has an empty range: [{low[k]}, {high[k]}]", "action_bound"
        )
    return low, high
