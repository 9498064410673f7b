"""This project's training loop, as a contender and to be taken apart."""

from collections.abc import Iterator
from typing import Any

LEARNING_STARTS = 1_000


EPISODE_STEPS = 200  # the limit: this project's loop yields at the end of an episode, and turns are short


def our_loop(task: str, batch_size: int, updates: int) -> tuple[Any, Any, Iterator[Any]]:
    """Return this project's agent, its task, and the training loop over both, as `train.py` runs it."""
    from ddpg.agent import DDPG
    from ddpg.command.tensorflow import paused_garbage_collector
    from ddpg.config import Config
    from ddpg.environment import make_environment, state_and_action_size
    from ddpg.training import train

    environment = make_environment(task, max_episode_steps=EPISODE_STEPS)
    config = Config(
        env=task,
        batch_size=batch_size,
        train_frequency=updates,
        gradient_steps=updates,
        learning_starts=LEARNING_STARTS,
        steps=10**9,
    )
    agent = DDPG(*state_and_action_size(environment), config)
    paused_garbage_collector().__enter__()
    return agent, environment, train(agent, environment)
