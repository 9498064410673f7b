"""A task while a run uses it: left as soon as the user stops the run, and its long episodes cut."""

from collections.abc import Callable
from typing import Any

import gymnasium

from ddpg.command.signals import StopRequest
from ddpg.config import Config
from ddpg.experience.parallel import SURELY_LONG


class WatchedEnvironment(gymnasium.Wrapper):
    """A task that is left within one step when the user stops the run.

    Args:
        environment: The task.
        stop: Tells whether the user has asked to stop.
        look: Called before each step, with the number of steps that the episode has had so far.

    Raises:
        Stopped: By `reset` and `step`: the user has asked to stop.
    """

    def __init__(self, environment: gymnasium.Env, stop: StopRequest, look: Callable[[int], None]) -> None:
        super().__init__(environment)
        self.stop, self.look, self.length = stop, look, 0

    def reset(self, **kwargs) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        self.stop.check()
        self.length = 0
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one step."""
        self.stop.check()
        self.look(self.length)
        self.length += 1
        return self.env.step(action)


class CutEpisodes(gymnasium.Wrapper):
    """Cuts an endless episode where something is due, as a time limit would.

    Evaluations, checkpoints and the end of a run happen between two episodes. Only an episode that is much longer than
    all that ended by themselves, and than the task's own time limit, is cut for them. All others stay as they are.

    Args:
        environment: The task.
        config: Says when evaluations and checkpoints are due, and when the run ends.
        steps: Environment steps of the run so far.
        longest: The longest episode so far that ended by itself, or the task's own time limit; 0 for none.
    """

    def __init__(self, environment: gymnasium.Env, config: Config, steps: int, longest: int) -> None:
        super().__init__(environment)
        self.config, self.steps, self.length, self.longest = config, steps, 0, longest

    def reset(self, **kwargs) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        self.length = 0
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one step."""
        state, reward, terminated, truncated, info = self.env.step(action)
        self.steps, self.length = self.steps + 1, self.length + 1
        if terminated or truncated:
            self.longest = max(self.longest, self.length)
        elif self.length > SURELY_LONG * self.longest and self.is_due():
            truncated = True
        return state, reward, terminated, truncated, info

    def is_due(self) -> bool:
        """Return whether an evaluation, a checkpoint or the end of the run is due at this step."""
        config = self.config
        due = self.steps % config.evaluate_every == 0 or self.steps % config.checkpoint_every == 0
        return due or (config.steps is not None and self.steps >= config.steps)
