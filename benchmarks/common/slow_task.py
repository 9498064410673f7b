"""Pendulum-v1 as a slow simulator: `benchmarks.common.slow_task:SlowPendulum-v0`.

It sleeps, as a simulator that is computed elsewhere would. So a machine of two cores can measure sixteen of them.
"""

import time
from typing import Any

import gymnasium

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
