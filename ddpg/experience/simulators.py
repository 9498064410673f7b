"""Several simulators in processes of their own, as one `gymnasium.vector.VectorEnv`.

A failure says which simulator failed, and no process stays behind. `ddpg.experience.simulator` is what runs in each.
"""

import multiprocessing
import os
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, VectorEnv

from ddpg.checked_environment import require_scaled
from ddpg.config import Config
from ddpg.environment import make_environment, state_and_action_size
from ddpg.errors import RequestError, one_line
from ddpg.experience.simulator import SECONDS_TO_CLOSE, Wrap, no_wrapper, start_simulator


class SimulatorError(RuntimeError):
    """A simulator failed.

    Args:
        index: Which one, from 0 on.
        problem: What is wrong, in one line.
    """

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(index, problem)
        self.index, self.problem = index, problem


@contextmanager
def no_main_module() -> Iterator[None]:
    """Let new processes not run the user's script again: no guard is needed in it, and it may import TensorFlow.

    What the script defines is sent by value.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class Simulators(AsyncVectorEnv):
    """N simulators as a vector environment without automatic resets; close it, or use it in a `with` block.

    Args:
        config: The settings that describe the task.
        count: N.
        timeout: Seconds that a reset or a step may take; None waits for ever.
        sizes: Numbers in a state and in an action; None makes the task here once, to see.
        wrap: Wraps each task for its use; see `Simulator`.

    Attributes:
        reported: What the episodes that have ended have reported, in their order; whoever reads it empties it.
        infos: What each task gave with the last step, if the settings ask for hindsight.
        lost: Which simulators were lost in the last step, a mask `(N,)`: none, because here that ends the run.
        look: Called before each step of an evaluation.

    Raises:
        RequestError: The task cannot be sent to another process.
        SimulatorError: By `reset`, `step_async` and `step_wait`: a simulator failed, ended or took too long.
    """

    def __init__(
        self,
        config: Config,
        count: int,
        timeout: float | None = None,
        sizes: tuple[int, int] | None = None,
        wrap: Wrap = no_wrapper,
    ) -> None:
        self.timeout, sizes = timeout, sizes or sizes_of(config)
        self.reported: list[dict[str, float]] = []
        self.infos: list[dict[str, Any]] = []
        self.lost = np.zeros(count, bool)
        self.look: Callable[[], None] = lambda: None
        arguments = config, spec_of(config), sizes, wrap
        makers = [partial(start_simulator, os.getpid(), k, *arguments) for k in range(count)]
        multiprocessing.get_context("forkserver").set_forkserver_preload([start_simulator.__module__])
        try:
            with no_main_module():
                super().__init__(makers, context="forkserver", autoreset_mode=AutoresetMode.DISABLED)
        except Exception as error:
            self.close_extras()
            raise not_sent(config, error) from None

    def reset_async(self, seed=None, options=None) -> None:
        """Send resets; as `AsyncVectorEnv.reset_async`."""
        with self._failures():
            super().reset_async(seed, options)

    def reset_wait(self, timeout: float | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Wait for the resets; as `AsyncVectorEnv.reset_wait`."""
        with self._failures():
            states, infos = super().reset_wait(timeout or self.timeout)
        raise_problem(infos)
        return states, infos

    def step_async(self, actions: np.ndarray) -> None:
        """Send actions `(N, action_size)`."""
        with self._failures():
            super().step_async(actions)

    def step_wait(self, timeout: float | None = None):
        """Wait for the step; as `AsyncVectorEnv.step_wait`."""
        with self._failures():
            results = super().step_wait(timeout or self.timeout)
        raise_problem(results[4])
        self.infos = [sent[0] if sent else {} for sent in results[4].get("info", ())]
        reported = results[4].get("reported", {})
        for k in np.flatnonzero(results[4].get("_reported", [])):
            self.reported.append({name: float(values[k]) for name, values in reported.items() if name[0] != "_"})
        return results

    def turn_to(self, use: str) -> None:
        """Let each simulator step its task for "training" or the one for "evaluation"."""
        with self._failures():
            self.set_attr("use", use)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn what Gymnasium raises for a simulator that is late or gone into one line that names it."""
        try:
            yield
        except multiprocessing.TimeoutError:
            late = next(k for k, pipe in enumerate(self.parent_pipes) if not pipe.poll(0))
            raise SimulatorError(late, f"no answer within {self.timeout:g} s (--env-timeout)") from None
        except (EOFError, OSError):
            for process in self.processes:
                process.join(0.2)
            gone = next((k for k, process in enumerate(self.processes) if not process.is_alive()), 0)
            raise SimulatorError(gone, f"its process {end_of(self.processes[gone].exitcode)}") from None

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """End all processes: those that do not close within five seconds are killed, with what they started."""
        processes, pipes = getattr(self, "processes", []), getattr(self, "parent_pipes", [])
        started = [process for process in processes if process.pid]
        for pipe in pipes:
            with suppress(OSError):
                pipe.send(("close", None))
        deadline = time.monotonic() + (0 if terminate else SECONDS_TO_CLOSE)
        for process in started:
            process.join(max(0, deadline - time.monotonic()))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and what the task has started
            process.kill()
            process.join()
            process.close()
        for pipe in pipes:
            pipe.close()
        if hasattr(self, "error_queue"):
            self.error_queue.close()
            del self.error_queue  # closes its pipe now, and not when the garbage is collected
        self.closed = True

    def __enter__(self) -> "Simulators":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def sizes_of(config: Config) -> tuple[int, int]:
    """Return the state and action sizes of a task, which is made and closed."""
    environment = make_environment(config)
    try:
        return state_and_action_size(environment)
    finally:
        environment.close()


def spec_of(config: Config) -> Any:
    """Return what Gymnasium knows of a task that was registered here; one in a module is registered there by itself."""
    module, _, name = config.env.rpartition(":")
    return None if module else gymnasium.registry.get(name)


def not_sent(config: Config, error: Exception) -> RequestError:
    """Return the error of a task that cannot be sent to another process."""
    return RequestError(
        f"{config.env} cannot be sent to another process ({one_line(error)}); register it in a module, and use "
        "--env module:Name-v0",
        "num_envs",
    )


def raise_problem(infos: dict[str, Any]) -> None:
    """Raise the first problem in the `infos` of a vector of simulators."""
    for index, problem in enumerate(infos.get("problem", ())):
        if problem:
            raise SimulatorError(index, problem)


def end_of(code: int | None) -> str:
    """Return how a process ended, from its exit code."""
    if code is None:
        return "does not answer"
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def require_usable(environments: VectorEnv, sizes: tuple[int, int]) -> None:
    """Raise `RequestError` unless a vector environment leaves resets to the caller, is scaled and has these sizes."""
    mode = environments.metadata.get("autoreset_mode")
    if mode != AutoresetMode.DISABLED:
        raise RequestError(
            f"the vector environment resets its tasks ({mode}); make it with autoreset_mode=AutoresetMode.DISABLED, so "
            "that each episode gets its own seed"
        )
    states, actions = environments.single_observation_space, environments.single_action_space
    require_scaled(states, actions)
    found = spaces.flatdim(states), spaces.flatdim(actions)
    if found != sizes:
        raise RequestError(f"the vector environment has state and action sizes {found}; the agent has {sizes}")
