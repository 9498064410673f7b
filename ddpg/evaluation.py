"""Noise-free evaluation: the returns of episodes in an environment that training never touches."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium
import numpy as np

from ddpg.checked_environment import CheckedEnvironment, reported_success
from ddpg.errors import RequestError
from ddpg.experience.cluster_simulators import ClusterSimulators
from ddpg.experience.controllers import Controller
from ddpg.experience.episodes import run_episodes
from ddpg.experience.simulators import Simulators


class ActingAgent(Protocol):
    """What an evaluation needs of an agent."""

    def act(self, state: np.ndarray, explore: bool = True) -> np.ndarray:
        """Return the action `(action_size,)` for a state `(state_size,)`."""


@dataclass(frozen=True)
class Evaluation:
    """The undiscounted returns of some episodes, in the task's own reward units.

    Args:
        returns: One return per episode.
        successes: For tasks that report it, whether each episode was a success.
    """

    returns: tuple[float, ...]
    successes: tuple[bool, ...] = ()

    @property
    def mean(self) -> float:
        """The mean return."""
        return float(np.mean(self.returns))

    @property
    def std(self) -> float:
        """The standard deviation between episodes (divided by n, as in published figures)."""
        return float(np.std(self.returns))

    @property
    def success_rate(self) -> float | None:
        """The share of episodes that were a success; None if the task does not say."""
        return float(np.mean(self.successes)) if self.successes else None

    @property
    def half_width(self) -> float:
        """Half of the mean's 95 % confidence interval (Student's t); infinite for one episode."""
        from scipy import stats  # imported here: it takes as long as NumPy, and training does not need it

        n = len(self.returns)
        if n < 2:
            return math.inf
        return float(stats.t.ppf(0.975, n - 1) * np.std(self.returns, ddof=1)) / math.sqrt(n)

    def minus(self, other: "Evaluation") -> "Evaluation":
        """Return the differences of the returns, episode by episode: of two policies over the same starts.

        Raises:
            ValueError: They have another number of episodes.
        """
        return Evaluation(tuple(a - b for a, b in zip(self.returns, other.returns, strict=True)))

    def as_json(self, env: str) -> dict[str, Any]:
        """Return the figures that `evaluate.py --json` prints; `success_rate` only where the task reports success."""
        rate = {} if self.success_rate is None else {"success_rate": self.success_rate}
        return {
            "env": env,
            "episodes": len(self.returns),
            "mean": self.mean,
            "std": self.std,
            "median": float(np.median(self.returns)),
            "min": min(self.returns),
            "max": max(self.returns),
            "returns": list(self.returns),
        } | rate


def evaluate(
    agent: ActingAgent | Callable,
    environment: gymnasium.Env | Simulators | ClusterSimulators,
    episodes: int = 10,
    seed: int = 0,
) -> Evaluation:
    """Run noise-free episodes of μ(s); episode i is reset with `seed + i`, so two policies get the same starts.

    Args:
        agent: Anything with `act(state, explore=False)`; or a controller in the task's own units: a function
            `action = f(state)`, or a class, of which each episode gets a new instance.
        environment: A task from `make_environment`, not the one used for training; or `Simulators`, here or on a
            cluster, which run several episodes at a time and return the same.
        episodes: How many.
        seed: Seed of the first one.

    Raises:
        RequestError: A controller in several simulators.
        RunStopped: A state, a reward or an action is not finite or has the wrong shape, or the environment or the
            controller raised.
    """
    if isinstance(environment, (Simulators, ClusterSimulators)):
        if isinstance(agent, type) or not hasattr(agent, "act"):
            raise RequestError(
                "a controller is evaluated in one simulator; give make_environment(config), not Simulators"
            )
        return Evaluation(run_episodes(agent, environment, episodes, seed))
    environment = CheckedEnvironment(environment, "evaluation episode", -1)  # evaluation episodes count from 0
    if isinstance(agent, type) or not hasattr(agent, "act"):
        agent = Controller(agent, environment, "evaluation episode", -1)
    returns, successes = [], []
    for episode in range(episodes):
        state, _ = environment.reset(seed=seed + episode)
        if isinstance(agent, Controller):
            agent.begin_episode()
        episode_return, done = 0.0, False
        while not done:
            state, reward, terminated, truncated, info = environment.step(agent.act(state, explore=False))
            episode_return += reward
            done = terminated or truncated
        returns.append(episode_return)
        successes.append(reported_success(info))
    if all(success is None for success in successes):
        return Evaluation(tuple(returns))
    return Evaluation(tuple(returns), tuple(map(bool, successes)))  # a task may report nothing but success
