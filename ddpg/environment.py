"""Any Gymnasium task in the form that DDPG needs: flat float32 states out, actions in [-1, 1] in."""

import difflib
import warnings
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import FlattenObservation, RescaleAction, TimeLimit, TransformAction, TransformObservation

from ddpg.errors import RequestError, RunStopped

UNBOUNDED = 1e30  # some tasks write the largest float where they mean "no bound"
FLOAT32_MAX = np.finfo(np.float32).max


def make_environment(
    env: str,
    env_kwargs: dict[str, Any] | None = None,
    action_bound: float | None = None,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
) -> gymnasium.Env:
    """Make a task with states `(state_size,)` float32 and actions `(action_size,)` in [-1, 1].

    The agent's tanh is the action. `RescaleAction` maps [-1, 1] to the task's own bounds, dimension by dimension, so
    bounds that are asymmetric or that differ per dimension are reached in full.

    Args:
        env: A Gymnasium id, `Name-v0` or `module:Name-v0`.
        env_kwargs: Arguments for the task's constructor.
        action_bound: Replaces each infinite bound of the action space.
        render_mode: As in Gymnasium: None, "human" or "rgb_array".
        max_episode_steps: A time limit for tasks that have none; a shorter limit of the task's own is kept.

    Raises:
        RequestError: There is no such task, it cannot be made, or DDPG cannot act in it.
    """
    env_kwargs = env_kwargs or {}
    if render_mode:  # passed only when needed: a user's own task need not accept it
        env_kwargs = env_kwargs | {"render_mode": render_mode}
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


class CheckedEnvironment(gymnasium.Wrapper):
    """Stops a run at the first value that cannot be learned from, and says in which episode and step it came.

    `reset` and `step` return what the task returns, with the reward as a float and both flags as bools.

    Args:
        environment: A task from `make_environment`.
        label: What an episode is called in messages.
        episode: The number of episodes before the first `reset`.

    Raises:
        RunStopped: By `reset` and `step`: the environment raised, or a value is not finite or has the wrong shape.
    """

    def __init__(self, environment: gymnasium.Env, label: str = "episode", episode: int = 0) -> None:
        super().__init__(environment)
        self.label, self.episode, self.step_in_episode = label, episode, 0
        self.state_size, self.action_size = state_and_action_size(environment)

    def reset(self, **kwargs) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin the next episode."""
        self.episode, self.step_in_episode = self.episode + 1, 0
        try:
            state, info = self.env.reset(**kwargs)
        except Exception as error:
            raise self._stopped(f"the environment raised {error!r}") from error
        self._check("the environment returned", "state", state, self.state_size)
        return state, info

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take one step."""
        self.step_in_episode += 1
        self._check("the network chose", "action", action, self.action_size)
        try:
            state, reward, terminated, truncated, info = self.env.step(action)
        except Exception as error:
            raise self._stopped(f"the environment raised {error!r}") from error
        self._check("the environment returned", "state", state, self.state_size)
        reward = self._number("reward", reward, "biuf")
        self._check("the environment returned", "reward", reward, 1)
        terminated, truncated = (
            self._number("terminated", terminated, "bui"),
            self._number("truncated", truncated, "bui"),
        )
        return state, float(reward), bool(terminated), bool(truncated), info

    def _check(self, source: str, name: str, value: Any, size: int) -> None:
        """Stop unless a state, an action or a reward has its size and is finite as a float32."""
        if np.size(value) != size:
            raise self._stopped(f"{source} the {name} {value}: expected {_count(size)}, got {np.size(value)}")
        if not (np.abs(value) <= FLOAT32_MAX).all():  # NaN compares as False
            raise self._stopped(f"{source} the {name} {value}: non-finite value")

    def _number(self, name: str, value: Any, kinds: str) -> Any:
        """Return the only number in a value, or stop unless there is exactly one of the NumPy kinds given."""
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in kinds:
            wanted = "a number" if "f" in kinds else "True or False"
            raise self._stopped(f"the environment returned the {name} {value!r}: expected {wanted}")
        return array.item()

    def _stopped(self, problem: str) -> RunStopped:
        return RunStopped(f"{self.label} {self.episode}, step {self.step_in_episode}: {problem}")


def _count(size: int) -> str:
    return "1 value" if size == 1 else f"{size} values"


def _make(env: str, env_kwargs: dict[str, Any]) -> gymnasium.Env:
    """Make the bare task; Gymnasium's warnings are shown only if that succeeds, so that a refusal is one line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        task = _make_or_refuse(env, env_kwargs)
    for warning in caught:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return task


def _make_or_refuse(env: str, env_kwargs: dict[str, Any]) -> gymnasium.Env:
    try:
        return gymnasium.make(env, **env_kwargs)
    except gymnasium.error.DependencyNotInstalled as error:
        raise RequestError(
            f"{env} needs a package ({_line(error)}); try: pip install 'gymnasium[mujoco,box2d]'", "env"
        ) from None
    except Exception as error:  # the task's constructor, or its module, may raise anything
        # `module:Name-v0` imports the module, which may be missing or register something else.
        name = env.rpartition(":")[2]
        if name in gymnasium.registry:
            given = f" with {env_kwargs}" if env_kwargs else ""
            setting = "env_kwargs" if env_kwargs else "env"
            raise RequestError(f"cannot make {env!r}{given} ({_line(error)})", setting) from None
        ids = {known.lower(): known for known in gymnasium.registry}
        names = [ids[near] for near in difflib.get_close_matches(name.lower(), ids)]
        nearest = f"; the nearest ids are {', '.join(names)}" if names else ""
        raise RequestError(f"cannot make {env!r} ({_line(error)}){nearest}", "env") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _flatten_states(task: gymnasium.Env, env: str) -> gymnasium.Env:
    """Return the task with states of shape `(state_size,)`, float32."""
    if not task.observation_space.is_np_flattenable:
        raise RequestError(
            f"the observation space {task.observation_space} of {env} cannot be flattened to a fixed size", "env"
        )
    flat = FlattenObservation(task)
    space = spaces.Box(-np.inf, np.inf, (spaces.flatdim(flat.observation_space),), np.float32)
    if space.shape == (0,):
        raise RequestError(f"the observation space {task.observation_space} of {env} is empty", "env")
    return TransformObservation(flat, lambda state: state.astype(np.float32), space)  # a copy, never the task's array


def _normalize_actions(task: gymnasium.Env, env: str, action_bound: float | None) -> gymnasium.Env:
    """Return the task with actions of shape `(action_size,)` in [-1, 1]."""
    space = task.action_space
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        raise RequestError(
            f"the action space of {env} is {space}, but DDPG needs continuous actions (a float Box)", "env"
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
