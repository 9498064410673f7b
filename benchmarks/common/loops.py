"""The training loops of this project and of others, as contenders and to be taken apart."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.common.numpy_baseline import HIDDEN_UNITS

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


def stable_baselines(library: str, environment: Any, **settings: Any) -> Any:
    """Return DDPG of `stable_baselines3` or `sbx` for a task, with networks of 400 and 300 units and noise of 0.1."""
    from importlib import import_module

    from stable_baselines3.common.noise import NormalActionNoise

    size = environment.action_space.shape
    return import_module(library).DDPG(
        "MlpPolicy",
        environment,
        action_noise=NormalActionNoise(np.zeros(size), np.full(size, 0.1)),
        policy_kwargs={"net_arch": list(HIDDEN_UNITS)},
        **settings,
    )


def train_further(model: Any, steps: int) -> None:
    """Let a model of `stable_baselines` take so many further steps, or a few more."""
    model.learn(steps, reset_num_timesteps=False, log_interval=None)
