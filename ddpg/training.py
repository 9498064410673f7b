"""The training loop, as a generator: logging, evaluation, checkpoints and tests are its consumers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import gymnasium
import numpy as np

from ddpg.agent import DDPG, Metrics
from ddpg.checked_environment import CheckedEnvironment
from ddpg.equations import MeanMetrics
from ddpg.errors import RequestError
from ddpg.seeding import integer_seed
from ddpg.settings.schedules import rounds_after_episode

if TYPE_CHECKING:
    from ddpg.experience.hindsight import Hindsight

AVERAGED_EPISODES = 40

M = TypeVar("M", bound=tuple)


@dataclass(frozen=True)
class Episode:
    """The state of a run at the end of a training episode."""

    number: int = 0  # counted from 1; 0 is the run before its first episode
    steps: int = 0  # environment steps of the run so far
    length: int = 0  # environment steps of this episode
    recent_returns: tuple[float, ...] = ()  # of the last 40 episodes: undiscounted sums of rewards, with noise
    metrics: Metrics | None = None  # means over the episode's updates; None if there were none

    def passed(self, every: int) -> bool:
        """Return whether it passed a multiple of so many environment steps."""
        return self.steps // every > (self.steps - self.length) // every

    @property
    def episode_return(self) -> float:
        """This episode's return."""
        return self.recent_returns[-1]

    @property
    def running_average(self) -> float:
        """The mean return of the last 40 episodes, or of as many as there were."""
        return float(np.mean(self.recent_returns))


def train(
    agent: DDPG,
    environment: gymnasium.Env,
    resume_from: Episode = Episode(),
    hindsight: "Hindsight | None" = None,
) -> Iterator[Episode]:
    """Train an agent, and yield an `Episode` at the end of each one: the two loops of the paper's Algorithm 1.

    The settings are `agent.config`. Episode k is reset with a seed that depends on `(seed, k)` alone. The run ends with
    the first episode that ends at or after `steps` environment steps, or else after `episodes` episodes.

    Args:
        agent: The agent that acts and learns.
        environment: A task from `make_environment`.
        resume_from: The last episode of an interrupted run.
        hindsight: Stores each episode again with goals that it reached; needed if the settings ask for it.

    Raises:
        RequestError: The settings ask for hindsight, and none was given.
        RunStopped: A state, a reward or an action is not finite or has the wrong shape, or the environment raised.
    """
    config, last = agent.config, resume_from
    environment = CheckedEnvironment(environment, "episode", last.number)
    if config.hindsight_goals and not hindsight:
        raise RequestError("train needs hindsight=Hindsight(environment, config)", "hindsight_goals")
    while last.steps < config.steps if config.steps is not None else last.number < config.episodes:
        number, length, episode_return, metrics = last.number + 1, 0, 0.0, MeanMetrics(Metrics)
        state, _ = environment.reset(seed=integer_seed(config.seed, "episodes", number))
        agent.begin_episode()
        done = False
        while not done:
            action = agent.act(state)
            next_state, reward, terminated, truncated, info = environment.step(action)
            agent.remember(state, action, reward, next_state, terminated)
            if hindsight:
                hindsight.see(state, action, next_state, terminated, info)
            metrics.add(agent.update())
            state = next_state
            length += 1
            episode_return += reward
            done = terminated or truncated
        if hindsight:
            hindsight.store(agent, number)
        for _ in range(rounds_after_episode(config, length)):
            metrics.add(agent.update(after_episode=True))
        returns = (*last.recent_returns, episode_return)[-AVERAGED_EPISODES:]
        last = Episode(number, last.steps + length, length, returns, metrics.mean())
        yield last
