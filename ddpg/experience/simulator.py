"""One simulator, as it runs in its process: no TensorFlow is imported here."""

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ddpg.checked_environment import CheckedEnvironment
from ddpg.config import Config
from ddpg.environment import make_environment
from ddpg.errors import OTHERS, RunStopped, one_line

STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")  # what is sent to a whole run is for the training process alone
SECONDS_TO_CLOSE = 5.0


Wrap = Callable[[gymnasium.Env, str], gymnasium.Env]


def no_wrapper(task: gymnasium.Env, use: str) -> gymnasium.Env:
    """Return a task as it is."""
    return task


class Simulator(gymnasium.Env):
    """A task in its own process: once to train in, and once to be evaluated in, each made when it is first reset.

    Nothing raises here: an error travels to the training process as `info["problem"]`, one line, because Gymnasium
    would wait for ever for an error that cannot be pickled. After the end of an episode a step changes nothing and
    returns a reward of 0, so that a simulator can wait for others. Where no episode has begun, a step says
    `info["lost"]`: whoever steps it takes it for another simulator, whose place it has taken.

    Args:
        config: The settings that describe the task.
        spec: What Gymnasium knows of the task, for one that was registered by a script.
        sizes: Numbers in a state and in an action.
        wrap: Wraps the task for a use. Its wrapper can have a method `take`, which returns what an episode has
            reported when it is over: numbers by their names.

    Attributes:
        use: Which of the two tasks is stepped, "training" or "evaluation".
    """

    def __init__(self, config: Config, spec: Any, sizes: tuple[int, int], wrap: Wrap = no_wrapper) -> None:
        self.config, self.spec_of_task, self.use, self.wrap = config, spec, "training", wrap
        self.observation_space = spaces.Box(-np.inf, np.inf, (sizes[0],), np.float32)
        self.action_space = spaces.Box(-1, 1, (sizes[1],), np.float32)
        self.tasks: dict[str, gymnasium.Env] = {}
        self.running: set[str] = set()  # which of the two has an episode in progress
        self.nothing = np.zeros(sizes[0], np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """Begin an episode; options are for the vector of simulators, not for the task."""
        try:
            if self.use not in self.tasks:
                self.tasks[self.use] = self._make()
            state, _ = self.tasks[self.use].reset(seed=seed)
            self.running.add(self.use)
            return state, {}
        except Exception as error:
            return self.nothing, problem_of(error)

    def step(self, action: np.ndarray):
        """Take one step; the task's `info` stays here, unless hindsight needs it."""
        if self.use not in self.running:
            return self.nothing, 0.0, False, False, {} if self.use in self.tasks else {"lost": True}
        try:
            state, reward, terminated, truncated, info = self.tasks[self.use].step(action)
        except Exception as error:
            return self.nothing, 0.0, False, False, problem_of(error)
        sent = {"info": (info,)} if self.config.hindsight_goals else {}
        if terminated or truncated:
            self.running.discard(self.use)
            sent |= self._reported()
        return state, reward, terminated, truncated, sent

    def close(self) -> None:
        """Close both tasks; without a parent there is nobody to report to, so the process ends in silence."""
        for task in self.tasks.values():
            try:
                task.close()
            except OTHERS as error:
                print(f"note: closing {self.config.env} raised {error!r}", file=sys.stderr)
        parent = multiprocessing.parent_process()
        if parent and not parent.is_alive():
            os.killpg(0, signal.SIGKILL)

    def _reported(self) -> dict[str, Any]:
        """Return what the episode that is over has reported, as `info`."""
        task = self.tasks[self.use]
        return {"reported": task.get_wrapper_attr("take")()} if task.has_wrapper_attr("take") else {}

    def _make(self) -> gymnasium.Env:
        if self.spec_of_task:
            gymnasium.registry.setdefault(self.spec_of_task.id, self.spec_of_task)
        return CheckedEnvironment(self.wrap(make_environment(self.config), self.use))


def problem_of(error: Exception) -> dict[str, str]:
    """Return an error as the `info` of a step; a traceback of the task's own code goes to stderr, for its author."""
    if error.__cause__:
        traceback.print_exception(error.__cause__)
    if isinstance(error, RunStopped):
        return {"problem": str(error).split(": ", 1)[1]}  # without its episode and step, which the loop knows better
    return {"problem": f"the task cannot be made in its process ({one_line(error)})"}


def start_simulator(parent: int, index: int, *arguments: Any) -> Simulator:
    """Return a simulator, after making its process one that ends with its parent.

    Args:
        parent: The id of the training process, where Gymnasium makes one more to read its spaces.
        index: Which simulator; the task finds it in the environment variable DDPG_SIMULATOR.
        arguments: Those of `Simulator`.
    """
    if os.getpid() != parent:
        os.environ["DDPG_SIMULATOR"] = str(index)
        os.setpgid(0, 0)  # a new group, so that programs that the task starts can be ended with it
        for name in STOPPING:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: None)
        os.dup2(2, 1)  # stdout is for results
        threading.Thread(target=end_with_parent, daemon=True).start()
    return Simulator(*arguments)


def end_with_parent() -> None:
    """Wait for the end of the training process; whatever the task is doing then, it has a few seconds to close."""
    wait([multiprocessing.parent_process().sentinel])  # type: ignore[union-attr]
    time.sleep(SECONDS_TO_CLOSE)
    os.killpg(0, signal.SIGKILL)
