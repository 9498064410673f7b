"""The training loop, as a generator: logging, evaluation, checkpoints and tests are its consumers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from ddpg.agent import DDPG, Metrics
from ddpg.errors import RunStopped
from ddpg.seeding import integer_seed

AVERAGED_EPISODES = 40
FLOAT32_MAX = np.finfo(np.float32).max


@dataclass(frozen=True)
class Episode:
    """Where a run stands at the end of a training episode."""

    episode: int = 0  # counted from 1; 0 is the run before its first
    steps: int = 0  # environment steps of the run so far
    length: int = 0  # environment steps of this episode
    recent_returns: tuple[float, ...] = ()  # of the last 40 episodes: undiscounted sums of rewards, with noise
    metrics: Metrics | None = None  # means over the episode's updates; None where there were none

    @property
    def episode_return(self) -> float:
        """This episode's return."""
        return self.recent_returns[-1]

    @property
    def running_average(self) -> float:
        """The mean return of the last 40 episodes, or of as many as there were."""
        return float(np.mean(self.recent_returns))


def train(agent: DDPG, environment: gymnasium.Env, last: Episode = Episode()) -> Iterator[Episode]:
    """Train an agent, and yield an `Episode` at the end of each one: the two loops of the paper's Algorithm 1.

    The settings are `agent.config`.  Episode k is reset with a seed that depends on `(seed, k)` alone.  The run ends
    with the first episode that ends at or after `steps` environment steps, or else after `episodes` episodes.

    Args:
        agent: The agent that acts and learns.
        environment: A task from `make_environment`.
        last: The episode after which an interrupted run goes on.

    Raises:
        RunStopped: A state, a reward or an action is NaN or infinite or of the wrong shape, or the environment raised.
    """
    config = agent.config
    while last.steps < config.steps if config.steps else last.episode < config.episodes:
        number, length, episode_return, metrics = last.episode + 1, 0, 0.0, MeanMetrics()
        with failures_named(number, length):
            state, _ = environment.reset(seed=integer_seed(config.seed, "episodes", number))
            require_finite("state", state, agent.state_size)
        agent.begin_episode()
        over = False
        while not over:
            length += 1
            action = agent.act(state)
            with failures_named(number, length):
                require_finite("action", action, agent.action_size)
                next_state, reward, terminated, truncated, _ = environment.step(action)
                require_finite("state", next_state, agent.state_size)
                require_finite("reward", reward, 1)
                reward = np.asarray(reward).item()
            agent.remember(state, action, reward, next_state, terminated)
            metrics.add(agent.update())
            state = next_state
            episode_return += reward
            over = terminated or truncated
        returns = (*last.recent_returns, episode_return)[-AVERAGED_EPISODES:]
        last = Episode(number, last.steps + length, length, returns, metrics.mean())
        yield last


class MeanMetrics:
    """The mean of an episode's update metrics, without keeping each of them."""

    def __init__(self) -> None:
        self.sums, self.count = np.zeros(len(Metrics._fields)), 0

    def add(self, metrics: Metrics | None) -> None:
        """Count one round of updates; None, where there was none, counts nothing."""
        if metrics is not None:
            self.sums += metrics
            self.count += 1

    def mean(self) -> Metrics | None:
        """Return the means, or None where nothing was counted."""
        return Metrics(*(self.sums / self.count).tolist()) if self.count else None


@contextmanager
def failures_named(episode: int, step: int) -> Iterator[None]:
    """Say at which step it was that the environment raised, or that it or the network gave a number that is none."""
    try:
        yield
    except NotFinite as error:
        raise RunStopped(f"episode {episode}, step {step}: {error}") from None
    except Exception as error:
        raise RunStopped(f"episode {episode}, step {step}: the environment raised {error!r}") from error


class NotFinite(ValueError):
    """A state, reward or action that cannot be learned from."""


def require_finite(what: str, value: Any, size: int) -> None:
    """Raise `NotFinite` unless a state, reward or action has its size and is finite as a float32."""
    whose = "the network chose" if what == "action" else "the environment returned"
    if np.size(value) != size:
        raise NotFinite(f"{whose} the {what} {value}, which is {np.size(value)} numbers and not {size}")
    if not (np.abs(value) <= FLOAT32_MAX).all():  # NaN compares as False
        raise NotFinite(f"{whose} the {what} {value}, which is not finite")
