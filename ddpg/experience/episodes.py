"""Noise-free episodes in several simulators at a time."""

from typing import Any

import numpy as np

from ddpg.errors import RunStopped
from ddpg.experience.simulators import SimulatorError, Simulators


def run_episodes(agent: Any, simulators: Simulators, episodes: int, seed: int) -> tuple[float, ...]:
    """Return the returns of noise-free episodes, the same as those of one simulator after another.

    Each simulator that is free takes the next episode; those that find none wait for the others.

    Args:
        agent: Anything with `act(state, explore=False)`.
        simulators: Those of a training, whose episodes in progress are not touched.
        episodes: How many.
        seed: Episode i is reset with `seed + i`.

    Raises:
        RunStopped: A simulator failed; the message names it, its episode and its step.
    """
    returns, lengths, begun = np.zeros(episodes), np.zeros(episodes, int), 0
    episode_of = np.full(simulators.num_envs, -1)  # of each simulator; -1 where none is running
    actions = np.zeros_like(simulators.action_space.sample())
    ahead = 0
    try:
        simulators.turn_to("evaluation")
        simulators.reported = []
        while begun < episodes or (episode_of >= 0).any():
            free = np.flatnonzero(episode_of < 0)[: episodes - begun]
            if len(free):
                episode_of[free] = begun + np.arange(len(free))
                begun, ahead = begun + len(free), 0
                mask = np.isin(np.arange(simulators.num_envs), free)
                states, _ = simulators.reset(seed=(seed + episode_of).tolist(), options={"reset_mask": mask})
            running = np.flatnonzero(episode_of >= 0)
            for k in running:
                actions[k] = agent.act(states[k], explore=False)
            ahead = 1
            simulators.look()
            states, rewards, terminated, truncated, _ = simulators.step(actions)
            returns[episode_of[running]] += rewards[running]
            lengths[episode_of[running]] += 1
            episode_of[terminated | truncated] = -1
        simulators.turn_to("training")
        simulators.reported = mean_of(simulators.reported)
    except SimulatorError as error:
        episode = episode_of[error.index]
        place = f"simulator {error.index}, evaluation episode {episode}, step {lengths[episode] + ahead}"
        raise RunStopped(f"{place}: {error.problem}") from None
    return tuple(returns.tolist())


def mean_of(reported: list[dict[str, float]]) -> list[dict[str, float]]:
    """Return what several episodes have reported as one."""
    return [{name: float(np.mean([each[name] for each in reported])) for name in reported[0]}] if reported else []
