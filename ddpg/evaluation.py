"""What a policy is worth: the returns of noise-free episodes, in an environment that training never touches."""

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.wrappers import RecordVideo

from ddpg.environment import environment_of, require_sizes
from ddpg.errors import RequestError, RunStopped
from ddpg.statistics import student_t


@dataclass(frozen=True)
class Evaluation:
    """The undiscounted returns of some episodes, in the task's own reward units.

    Args:
        returns: One return per episode.
    """

    returns: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean return."""
        return float(np.mean(self.returns))

    @property
    def std(self) -> float:
        """The deviation between episodes (divided by n, as published figures are)."""
        return float(np.std(self.returns))

    @property
    def half_width(self) -> float:
        """Half of the mean's 95 % confidence interval (Student's t); infinite for one episode."""
        n = len(self.returns)
        return student_t(n - 1) * float(np.std(self.returns, ddof=1)) / math.sqrt(n) if n > 1 else math.inf

    def as_json(self, env: str) -> dict[str, Any]:
        """Return the figures that `evaluate.py --json` prints."""
        return {
            "env": env,
            "episodes": len(self.returns),
            "mean": self.mean,
            "std": self.std,
            "median": float(np.median(self.returns)),
            "min": min(self.returns),
            "max": max(self.returns),
            "returns": list(self.returns),
        }


def evaluate(agent, environment: gymnasium.Env, episodes: int = 10, seed: int = 0) -> Evaluation:
    """Run noise-free episodes of μ(s); episode i is reset with `seed + i`, so two policies meet the same starts.

    Args:
        agent: Anything with `act(state, explore=False)`.
        environment: A task from `make_environment`, not the one that is trained in.
        episodes: How many.
        seed: Seed of the first one.

    Raises:
        RunStopped: A return is NaN or infinite, or the environment raised.
    """
    returns = []
    for episode in range(episodes):
        try:
            returns.append(one_return(agent, environment, seed + episode))
        except Exception as error:
            raise RunStopped(f"evaluation episode {episode}: the environment raised {error!r}") from error
        if not math.isfinite(returns[-1]):
            raise RunStopped(f"evaluation episode {episode}: its return is {returns[-1]}")
    return Evaluation(tuple(returns))


def one_return(agent, environment: gymnasium.Env, seed: int) -> float:
    """Run one noise-free episode and return the undiscounted sum of its rewards."""
    state, _ = environment.reset(seed=seed)
    episode_return, over = 0.0, False
    while not over:
        state, reward, terminated, truncated, _ = environment.step(agent.act(state, explore=False))
        episode_return += float(reward)
        over = terminated or truncated
    return episode_return


@contextmanager
def evaluation_environment(agent, render: bool = False, video: Path | None = None) -> Iterator[gymnasium.Env]:
    """Make the task that a checkpoint's agent was trained on, and close it afterwards.

    Args:
        agent: An agent from `ddpg.checkpoint.load_policy`.
        render: Show the episodes in a window.
        video: Write one MP4 per episode into this folder.

    Raises:
        RequestError: The task cannot be made, rendered, or is not the one the agent was trained on.
    """
    config = agent.config
    render_mode = "human" if render else "rgb_array" if video else None
    try:
        environment = environment_of(config, render_mode)
    except RequestError as error:  # this command line has other flags than `train.py`
        raise RequestError(error.message, "video" if video else "render" if render else "checkpoint") from None
    require_sizes(environment, (agent.state_size, agent.action_size), config, "checkpoint")
    if video:
        try:
            environment = RecordVideo(environment, str(video), episode_trigger=lambda episode: True)
        except gymnasium.error.DependencyNotInstalled as error:
            raise RequestError(f"{error}; try: pip install -r requirements-tasks.txt", "video") from None
        except OSError as error:
            raise RequestError(f"cannot write into {video}: {error.strerror}", "video") from None
    with closing(environment):
        yield environment
