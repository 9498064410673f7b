"""Noise-free episodes in several simulators at a time."""

from typing import Any

import numpy as np

from ddpg.errors import RunStopped
from ddpg.experience.cluster_simulators import ClusterSimulators
from ddpg.experience.simulators import SimulatorError, Simulators


def run_episodes(agent: Any, simulators: Simulators | ClusterSimulators, episodes: int, seed: int) -> tuple[float, ...]:
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
    returns, lengths, waiting = np.zeros(episodes), np.zeros(episodes, int), np.arange(episodes)
    episode_of = np.full(simulators.num_envs, -1)  # of each simulator; -1 where none is running
    actions = np.zeros_like(simulators.action_space.sample())
    ahead = 0
    try:
        simulators.turn_to("evaluation")
        simulators.reported = []
        while len(waiting) or (episode_of >= 0).any():
            free = np.flatnonzero(episode_of < 0)[: len(waiting)]
            if len(free):
                episode_of[free], waiting = waiting[: len(free)], waiting[len(free) :]
                returns[episode_of[free]], lengths[episode_of[free]], ahead = 0, 0, 0
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
            lost = simulators.lost & (episode_of >= 0)
            waiting = np.append(waiting, episode_of[lost])  # once more, from the same start
            episode_of[terminated | truncated | lost] = -1
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
