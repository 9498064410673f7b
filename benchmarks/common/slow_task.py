"""Pendulum-v1 as a slow simulator, and the settings of the loops that are timed with it.

It sleeps, as a simulator that is computed elsewhere would. So a machine of two cores can measure sixteen of them.
"""

import time
from collections.abc import Callable
from typing import Any

import gymnasium

SLOW_TASK = f"{__name__}:SlowPendulum-v0"
LEARNING_STARTS = 400
EPISODE_STEPS = 50  # short, so that a turn of a loop that is asked at the ends of episodes is short


def make(milliseconds: float = 0.0) -> gymnasium.Env:
    return SlowPendulum(gymnasium.make("Pendulum-v1").unwrapped, milliseconds)


class SlowPendulum(gymnasium.Wrapper):
    """Pendulum whose steps take longer.

    Args:
        environment: Pendulum.
        milliseconds: How long a step takes at least.
    """

    def __init__(self, environment: gymnasium.Env, milliseconds: float) -> None:
        super().__init__(environment)
        self.seconds = milliseconds / 1e3

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one step."""
        if self.seconds:
            time.sleep(self.seconds)
        return self.env.step(action)


gymnasium.register("SlowPendulum-v0", f"{__name__}:make", max_episode_steps=EPISODE_STEPS, disable_env_checker=True)


def config_of(task: str, milliseconds: float, train_frequency: int) -> Any:
    """Return the settings of a loop that is timed: it has no end, no checkpoint, and short episodes."""
    from ddpg.config import Config

    slow = {"milliseconds": milliseconds} if task == SLOW_TASK else {}
    return Config(
        env=task,
        env_kwargs=slow,
        train_frequency=train_frequency,
        learning_starts=LEARNING_STARTS,
        steps=10**9,
        checkpoint_every=10**9,
        max_episode_steps=EPISODE_STEPS,
    )


def until(seconds: float, step: Callable[[], int]) -> int:
    """Call a function until the time is over; return the sum of what it returned."""
    steps, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        steps += step()
    return steps
