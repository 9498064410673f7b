"""A controller of the user's in the place of an agent: a function `action = f(state)`, in the task's own units."""

import difflib
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np

from ddpg.environment import TaskUnits
from ddpg.errors import (
    OTHERS,
    RequestError,
    RunStopped,
    WrongValue,
    array_of,
    cause_for_its_author,
    one_line,
    shown_value,
)
from ddpg.settings.modules import importable_working_directory, refuse_missing_module


class Controller:
    """Acts as an agent does, by a function of the user's; `begin_episode` comes before the first `act` of each episode.

    Args:
        function: `action = function(state)`, both in the task's own units and shapes; or a class, of which each episode
            gets a new instance, made without arguments and called so.
        environment: A task from `make_environment`; only its spaces are used.
        label: What an episode is called in messages.
        episode: The number of episodes before the first one.

    Attributes:
        actions: How many there were.
        clipped: How many of them were outside of the task's bounds, and were clipped.
    """

    def __init__(
        self, function: Callable, environment: gymnasium.Env, label: str = "episode", episode: int = 0
    ) -> None:
        self.units = TaskUnits(environment)
        self.function, self.label, self.episode, self.step = function, label, episode, 0
        self.actions = self.clipped = 0

    def begin_episode(self) -> None:
        """Begin an episode, with a new instance if the controller is a class.

        Raises:
            RunStopped: The constructor raised.
        """
        self.episode, self.step = self.episode + 1, 0
        self.answer = self._call(self.function) if isinstance(self.function, type) else self.function

    def act(self, state: np.ndarray, explore: bool = False) -> np.ndarray:
        """Return the controller's action `(action_size,)`, mapped to [-1, 1], for a flat state `(state_size,)`.

        Raises:
            RunStopped: The controller raised, or its action has another shape or is not finite.
        """
        self.step += 1
        action = self._checked(self._call(self.answer, self.units.state(state)))
        self.actions += 1
        self.clipped += bool(((action < self.units.low) | (action > self.units.high)).any())
        return self.units.normal_action(action)

    def _checked(self, action: Any) -> np.ndarray:
        """Return an action `(action_size,)`, in the task's units and type."""
        space, problem = self.units.action_space, f"the controller returned the action {shown_value(action)}"
        try:
            array = array_of(action)
        except WrongValue as error:  # such as rows of different lengths
            raise self._stopped(f"{problem}: expected an array of shape {space.shape}; {error}") from None
        if array.dtype.kind not in "biuf":
            raise self._stopped(f"{problem}: expected numbers of shape {space.shape}")
        if array.shape != space.shape:
            raise self._stopped(f"{problem}: expected the shape {space.shape}, got {array.shape}")
        with np.errstate(over="ignore"):
            array = array.astype(space.dtype).ravel()
        if not np.isfinite(array).all():
            raise self._stopped(f"{problem}: non-finite value")
        return array

    def _call(self, function: Callable, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except OTHERS as error:
            raise self._stopped(f"the controller raised {shown_value(error, 300)}") from cause_for_its_author(error)

    def _stopped(self, problem: str) -> RunStopped:
        return RunStopped(f"{self.label} {self.episode}, step {self.step}: {problem}")


def load_controller(name: str, setting: str = "controller") -> Callable:
    """Import a controller.

    Args:
        name: `module:name` of a function or class; the module may lie in the working directory.
        setting: The option that names it.

    Raises:
        RequestError: There is none, it cannot be imported, or it takes other arguments.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise RequestError(f"expected module:name, such as heater:PI for PI in heater.py, got {name!r}", setting)
    try:
        with importable_working_directory():
            module = import_module(module_name)
    except OTHERS as error:  # the module may raise anything
        refuse_missing_module(module_name, error, setting)
        raise RequestError(f"cannot import {module_name!r} ({one_line(error)})", setting) from None
    function = getattr(module, attribute, None)
    if function is None:
        nearest = difflib.get_close_matches(attribute, vars(module), cutoff=0.5)
        hint = f"; the nearest names are {', '.join(nearest)}" if nearest else ""
        raise RequestError(f"{module_name!r} ({module.__file__}) has no {attribute!r}{hint}", setting)
    check_arguments(name, function, setting)
    return function


def check_arguments(name: str, function: Any, setting: str) -> None:
    """Refuse a function that cannot be called with one state, or a class that cannot be made without arguments."""
    is_class = isinstance(function, type)
    if not callable(function):
        raise RequestError(f"{name} is {shown_value(function)}, neither a function nor a class", setting)
    if is_class and not any("__call__" in vars(base) for base in function.__mro__):
        raise RequestError(f"instances of {name} cannot be called; give it a method __call__(self, state)", setting)
    try:
        takes = inspect.signature(function)
    except ValueError:  # some functions written in C do not say what they take
        return
    try:
        takes.bind(*() if is_class else (None,))
    except TypeError:
        needed = "made without arguments" if is_class else "called with the state alone"
        raise RequestError(f"{name} takes {takes}; it must be one that can be {needed}", setting) from None
