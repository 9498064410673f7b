"""What happens when: at which steps updates are due and how many, and what falls linearly to zero."""

from typing import Any


def update_is_due(config: Any, step: int, after_episode: bool = False) -> bool:
    """Return whether a round of updates is due.

    Args:
        config: The `ddpg.config.Config`.
        step: The environment steps so far.
        after_episode: The last step ended an episode, and asks for what is due then.
    """
    due = step % config.train_frequency == 0 if config.train_frequency else after_episode
    return due and step >= config.first_update_step


def rounds_after_episode(config: Any, length: int) -> int:
    """Return how many rounds of updates are due after an episode of so many steps."""
    if config.train_frequency:
        return 0
    return length if config.gradient_steps == 1 else 1


def updates_until(config: Any, step: int) -> int:
    """Return how many updates are made until an environment step, which rounds after episodes may make fewer."""
    steps = max(0, step - config.first_update_step)
    return config.data_updates + steps * config.gradient_steps // max(1, config.train_frequency)


def falling(step: int, steps: int | None) -> float:
    """Return a factor that falls linearly from 1 at step 0 to 0 at step `steps`; always 1 if that is None."""
    return max(0.0, 1.0 - step / steps) if steps else 1.0
