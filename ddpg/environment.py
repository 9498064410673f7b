"""Any Gymnasium task as DDPG wants it: flat float32 states out, actions in [-1, 1] in."""

import difflib
import os
import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import FlattenObservation, RescaleAction, TimeLimit, TransformAction, TransformObservation

from ddpg.config import Config
from ddpg.errors import RequestError

# Some tasks write the largest float where they mean "no bound".
AS_GOOD_AS_INFINITE = 1e30


def make_environment(
    env: str,
    env_kwargs: dict[str, Any] | None = None,
    action_bound: float | None = None,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
) -> gymnasium.Env:
    """Make a task with states `(state_size,)` float32 and actions `(action_size,)` in [-1, 1].

    The agent's tanh is the action; `RescaleAction` maps [-1, 1] to the task's own bounds, dimension by dimension, so
    bounds that are asymmetric or that differ per dimension are reached in full.

    Args:
        env: A Gymnasium id, `Name-v0` or `module:Name-v0`.
        env_kwargs: Arguments for the task's constructor.
        action_bound: Stands in for each infinite bound of the action space.
        render_mode: As Gymnasium has it: None, "human" or "rgb_array".
        max_episode_steps: A time limit, for tasks that have none; their own, if it is shorter, stays.

    Raises:
        RequestError: There is no such task, it cannot be made, or DDPG cannot act in it.
    """
    env_kwargs = env_kwargs or {}
    if "human" in (render_mode, env_kwargs.get("render_mode")):
        _require_display()
    if render_mode:  # given only when it is wanted: a user's own task need not know of it
        env_kwargs = env_kwargs | {"render_mode": render_mode}
    task = _make(env, env_kwargs)
    try:
        normal = _normalise_actions(_flatten_states(task, env), env, action_bound)
    except RequestError:
        task.close()
        raise
    return TimeLimit(normal, max_episode_steps) if max_episode_steps else normal


def environment_of(config: Config, render_mode: str | None = None) -> gymnasium.Env:
    """Make the task that a `Config` describes; see `make_environment`."""
    return make_environment(config.env, config.env_kwargs, config.action_bound, render_mode, config.max_episode_steps)


def sizes(environment: gymnasium.Env) -> tuple[int, int]:
    """Return (state_size, action_size) of a task from `make_environment`."""
    return spaces.flatdim(environment.observation_space), spaces.flatdim(environment.action_space)


def require_sizes(environment: gymnasium.Env, trained: tuple[int, int], config: Config, setting: str) -> None:
    """Raise `RequestError` unless a task still has the state and action sizes that an agent was trained with."""
    here = sizes(environment)
    if here != trained:
        environment.close()
        raise RequestError(f"{config.env} has state and action sizes {here} here, the agent {trained}", setting)


def ignores_seed(environment: gymnasium.Env) -> bool:
    """Say whether the same seed gives another first state or first step: runs of such a task cannot be repeated."""
    action = np.zeros(sizes(environment)[1], np.float32)
    seen = []
    for _ in range(2):
        try:
            state, _ = environment.reset(seed=1)
            seen.append((state, *environment.step(action)[:2]))
        except Exception:  # the run itself will say what is wrong, and where
            return False
    return not all(np.array_equal(one, other, equal_nan=True) for one, other in zip(*seen, strict=True))


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
            f"{env} needs a package ({_line(error)}); try: pip install -r requirements-tasks.txt", "env"
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


def _require_display() -> None:
    """Refuse a window where there is no screen; SDL would end the process without a word."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"} & os.environ.keys():
        raise RequestError("there is no screen here to show a window on; try --video DIR", "render")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _flatten_states(task: gymnasium.Env, env: str) -> gymnasium.Env:
    """Return the task with states of shape `(state_size,)`, float32."""
    if not task.observation_space.is_np_flattenable:
        raise RequestError(f"{env} has states {task.observation_space}, which have no fixed size to flatten", "env")
    flat = FlattenObservation(task)
    space = spaces.Box(-np.inf, np.inf, (spaces.flatdim(flat.observation_space),), np.float32)
    return TransformObservation(flat, lambda state: state.astype(np.float32), space)  # a copy, never the task's array


def _normalise_actions(task: gymnasium.Env, env: str, action_bound: float | None) -> gymnasium.Env:
    """Return the task with actions of shape `(action_size,)` in [-1, 1]."""
    space = task.action_space
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        raise RequestError(
            f"{env} has the action space {space}, and DDPG needs continuous actions (a float Box)", "env"
        )
    low, high = _finite_bounds(space, env, action_bound)
    bounded = TransformAction(
        task,
        lambda action: np.clip(action, low, high).reshape(space.shape),  # rounding must not leave the task's bounds
        spaces.Box(low, high, dtype=space.dtype),
    )
    return RescaleAction(bounded, np.float32(-1), np.float32(1))


def _finite_bounds(space: spaces.Box, env: str, action_bound: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return finite lower and upper bounds, each `(action_size,)`."""
    low, high = space.low.ravel().copy(), space.high.ravel().copy()
    no_low, no_high = ~(low > -AS_GOOD_AS_INFINITE), ~(high < AS_GOOD_AS_INFINITE)
    endless = no_low | no_high
    if endless.any() and action_bound is None:
        k = int(np.argmax(endless))
        raise RequestError(
            f"dimension {k} of {env}'s actions is unbounded ([{low[k]}, {high[k]}]); "
            "say how far the actor may go with --action-bound X, such as --action-bound 1",
            "action_bound",
        )
    if action_bound is not None and not endless.any():
        raise RequestError(f"all of {env}'s actions have bounds of their own; leave it out", "action_bound")
    if action_bound is not None:
        low[no_low], high[no_high] = -action_bound, action_bound
    if not (low < high).all():
        k = int(np.argmin(low < high))
        raise RequestError(f"dimension {k} of {env}'s actions has no room: [{low[k]}, {high[k]}]", "action_bound")
    return low, high
