"""A task whose values are checked: the first NaN, infinite or misshapen one stops the run and says where it came."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ddpg.environment import state_and_action_size
from ddpg.errors import (
    OTHERS,
    RequestError,
    RunStopped,
    WrongValue,
    array_of,
    cause_for_its_author,
    shown_value,
    with_advice,
)

FLOAT32_MAX = np.finfo(np.float32).max


def require_scaled(states: spaces.Space, actions: spaces.Space) -> None:
    """Raise `RequestError` unless a task has flat states, and actions in [-1, 1] that mean its own bounds."""
    flat = all(isinstance(space, spaces.Box) and len(space.shape) == 1 for space in (states, actions))
    if not (flat and np.equal(actions.low, -1).all() and np.equal(actions.high, 1).all()):  # type: ignore[attr-defined]
        raise RequestError(
            f"the task has states {states} and actions {actions}; the agent works with flat states and actions in "
            "[-1, 1]: use ddpg.make_environment(task)"
        )


def reported_success(info: Any) -> bool | None:
    """Return whether an episode was a success, by the `info` of its last step; None if the task does not say.

    Gymnasium-Robotics and highway-env call it `is_success`, Meta-World `success`.
    """
    said = [info[name] for name in ("is_success", "success") if isinstance(info, dict) and name in info]
    try:
        return bool(array_of(said[0]).all()) if said else None
    except (TypeError, ValueError):  # no answer to yes or no
        return None


def begin_episode(environment: gymnasium.Env, **kwargs) -> tuple[np.ndarray, dict[str, Any]]:
    """Reset a task from `make_environment`; if the task returns a state of two numbers alone, say so.

    Raises:
        TypeError: Python has unpacked the state.
    """
    state, info = environment.reset(**kwargs)
    if not isinstance(info, dict) and np.shape(state) != environment.observation_space.shape:
        raise TypeError("no tuple of the form `(obs, info)`")
    return state, info


class CheckedEnvironment(gymnasium.Wrapper):
    """Stops a run at the first NaN, infinite or misshapen value, and says in which episode and step it came.

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
        require_scaled(environment.observation_space, environment.action_space)
        self.label, self.episode, self.step_in_episode = label, episode, 0
        self.state_size, self.action_size = state_and_action_size(environment)

    def reset(self, **kwargs) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin the next episode."""
        self.episode, self.step_in_episode = self.episode + 1, 0
        try:
            state, info = begin_episode(self.env, **kwargs)
        except OTHERS as error:
            raise self._raised(error) from cause_for_its_author(error)
        self._check("the environment returned", "state", state, self.state_size)
        return state, info

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take one step."""
        self.step_in_episode += 1
        self._check("the network chose", "action", action, self.action_size)
        try:
            state, reward, terminated, truncated, info = self.env.step(action)
        except OTHERS as error:
            raise self._raised(error) from cause_for_its_author(error)
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
        if self._array(name, value).size != size:
            problem = f"expected {_count(size)}, got {np.size(value)}"
            raise self._stopped(f"{source} the {name} {shown_value(value, text=str)}: {problem}")
        if not (np.abs(value) <= FLOAT32_MAX).all():  # NaN compares as False
            raise self._stopped(f"{source} the {name} {shown_value(value, text=str)}: non-finite value")

    def _number(self, name: str, value: Any, kinds: str) -> Any:
        """Return the only number in a value, or stop unless there is exactly one of the NumPy kinds given."""
        array = self._array(name, value)
        if array.size != 1 or array.dtype.kind not in kinds:
            wanted = "a number" if "f" in kinds else "True or False"
            raise self._stopped(f"the environment returned the {name} {shown_value(value)}: expected {wanted}")
        return array.item()

    def _array(self, name: str, value: Any) -> np.ndarray:
        """Return a value as an array, or stop."""
        try:
            return array_of(value)
        except WrongValue as error:
            raise self._stopped(f"the environment returned the {name} {shown_value(value)}: {error}") from None

    def _raised(self, error: BaseException) -> RunStopped:
        if isinstance(error, WrongValue):
            return self._stopped(f"the environment returned {error}")
        return self._stopped(with_advice(f"the environment raised {shown_value(error, 300)}", error))

    def _stopped(self, problem: str) -> RunStopped:
        return RunStopped(f"{self.label} {self.episode}, step {self.step_in_episode}: {problem}")


def _count(size: int) -> str:
    return "1 value" if size == 1 else f"{size} values"
