"""A run that begins with logged data: they are read, stored and learned from before its first step."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import gymnasium
import numpy as np

from ddpg.agent import DDPG, Metrics
from ddpg.command.signals import StopRequest
from ddpg.command.text import number
from ddpg.config import Config
from ddpg.environment import TaskUnits, state_and_action_size
from ddpg.equations import MeanMetrics
from ddpg.errors import RequestError
from ddpg.evaluation import Evaluation
from ddpg.experience.logged import share, transitions
from ddpg.run.progress import Progress
from ddpg.storage.data_files import checksum_of_data, read_log

ROUND = 1_000  # updates between two rows of `updates.csv`
SAMPLE = 1_000  # states whose values are looked at
MARGIN = 0.05  # of what the rewards can add up to: values are approximations


class Data(NamedTuple):
    """What the files of logged data hold."""

    checksums: dict[str, str]  # SHA-256, by the file's path
    rows: np.ndarray  # (N, row_size), the newest that fit into the replay buffer
    returns: np.ndarray  # undiscounted, of the episodes that are complete
    notes: list[str]  # a line each

    @property
    def mean_return(self) -> list[float]:
        """The mean return and the number of episodes, JSON-ready; nothing if there is none."""
        return [float(self.returns.mean()), len(self.returns)] if len(self.returns) else []


def read_data(config: Config, environment: gymnasium.Env) -> Data:
    """Read the files of logged data.

    Args:
        config: The settings; they name the files, perhaps without their checksums.
        environment: The task, from `make_environment`.

    Raises:
        RequestError: A file cannot be read, is not the one that the settings name, or is of another task.
    """
    units, (state_size, _) = TaskUnits(environment), state_and_action_size(environment)
    checksums, found = {}, []
    for name, expected in config.data.items():
        checksums[name] = checksum_of_data(Path(name))
        if expected not in ("", checksums[name]):
            raise RequestError(f"{name} was changed: its SHA-256 is {checksums[name]}, not {expected}", "data")
        log = read_log(Path(name), config.data_columns, units.state_space, config.buffer_size)
        found.append(transitions(log, units, state_size))
    rows = np.concatenate([each.rows for each in found])
    notes = [line for each in found for line in each.notes]
    if len(rows) > config.buffer_size:
        notes.append(f"only the newest {share(config.buffer_size, len(rows))} transitions fit into --buffer-size")
    if len(rows) < config.batch_size:
        raise RequestError(f"{len(rows)} transitions are less than a minibatch; use a smaller --batch-size", "data")
    returns = np.concatenate([each.returns for each in found])
    return Data(checksums, rows[-config.buffer_size :], returns, notes)


def learn_from_data(
    agent: DDPG, log: Callable[[Metrics], None], save: Callable[[], None], stop: StopRequest, bar: Progress
) -> bool:
    """Make the updates that come before the first step; return whether all were made, or the user stopped the run.

    Args:
        agent: The agent, with the data in its replay buffer; perhaps resumed between two of these updates.
        log: Takes the mean metrics of each round of updates.
        save: Saves the run, whose checkpoints count updates for now.
        stop: Says whether the user wants to stop.
        bar: Shows what is done.
    """
    updates, every = agent.config.data_updates, agent.config.checkpoint_every
    if not updates:
        return True
    save()
    while agent.updates < updates and not stop.signal_number:
        before, metrics = agent.updates, MeanMetrics(Metrics)
        while agent.updates < min(updates, (before // ROUND + 1) * ROUND):
            metrics.add(agent.learn())
        if means := metrics.mean():
            log(means)
        bar.doing(f"{agent.updates} of {updates} updates on data")
        if agent.updates // every > before // every:
            save()
    save()
    if agent.updates < updates:
        return False
    for line in warnings_about_values(agent):  # before the task sees this policy
        bar.note(line)
    return True


def warnings_about_values(agent: DDPG) -> list[str]:
    """Return a line if the critic expects more, or less, than the rewards in the replay buffer can add up to."""
    if agent.config.gamma == 1:
        return []
    buffer = agent.replay_buffer
    stored = buffer.split(buffer.rows[: len(buffer) : 1 + len(buffer) // SAMPLE])
    states = agent.normalized(stored.state)
    values = agent.critic(states, agent.actor(states)).numpy()
    rewards = buffer.split(buffer.rows[: len(buffer)]).reward
    low, high = (float(value) for value in (rewards.min(), rewards.max()))
    least, most = (value / (1 - agent.config.gamma) for value in (min(low, 0), max(high, 0)))
    margin = MARGIN * (most - least)
    if least - margin <= values.min() and values.max() <= most + margin:
        return []
    return [
        f"warning: the critic's values of the policy's actions lie between {number(float(values.min()))} and "
        f"{number(float(values.max()))}, but the data's rewards add up to between {number(least)} and "
        f"{number(most)}: do not trust this policy; use a larger --imitation"
    ]


def judgement(evaluation: Evaluation, data_return: list[float]) -> str:
    """Return how the policy from the data does against the data themselves, in a line.

    Args:
        evaluation: Of the policy, before the first step.
        data_return: The mean return of the data's episodes and their number; nothing if it is not known.
    """
    outcome = f"the policy from the data returns {number(evaluation.mean)}"
    if not data_return:
        return f"note: {outcome}; the return of the data is not known"
    mean, episodes = data_return
    outcome += f", the {int(episodes)} episodes of the data return {number(mean)} on average"
    if evaluation.mean >= mean:
        return f"note: {outcome}"
    advice = "it is worse than what it learned from; try more --data-updates, or a larger --imitation"
    return f"warning: {outcome}: {advice}"
