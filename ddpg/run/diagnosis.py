"""What the log of a finished run says about learning that failed; `docs/troubleshooting.md` explains each case."""

from pathlib import Path

import numpy as np

from ddpg.agent import DDPG
from ddpg.command.text import number
from ddpg.config import Config
from ddpg.evaluation import Evaluation
from ddpg.run.plotting import max_abs_value
from ddpg.run.training_run import TrainingRun
from ddpg.storage.csv_files import read_columns

PAGE = "docs/troubleshooting.md"
RECENT = 10  # episodes whose metrics count as "at the end"
SATURATED = 0.9
RECENT_EVALUATIONS = 3
MARGIN = 1.1  # tolerance: with a constant reward the true value equals the limit

UNTRAINED = "untrained", "the untrained policy"
FROM_DATA = "from data", "the policy from the data"
STARTED = "at start", "the policy that it started with"


def warnings_about(run: TrainingRun) -> list[str]:
    """Return a line for each sign of failed learning, none for a run that looks sound.

    Args:
        run: A finished run: its CSV files, its evaluations, and the rewards in its replay buffer.
    """
    untrained = run.kept_evaluation("untrained")
    return signs_of_failure(run.folder.path, run.agent, untrained and untrained[1], run.evaluation)


def signs_of_failure(run_dir: Path, agent: DDPG, untrained: Evaluation | None, last: Evaluation | None) -> list[str]:
    """Return the same of a run folder, which may be that of a run in progress.

    Args:
        run_dir: Holds the CSV files.
        agent: The agent, with the rewards in its replay buffer.
        untrained, last: The first and the last evaluation, over the same starts.
    """
    episodes, updates, evaluations = (
        read_columns(run_dir / f"{name}.csv") for name in ("episodes", "updates", "evaluations")
    )
    rewards = agent.replay_buffer.split(agent.replay_buffer.rows[: len(agent.replay_buffer)]).reward
    if not agent.updates:
        return ["no update was made: the run was shorter than --batch-size or --learning-starts"]
    if not len(episodes["return"]):
        if not agent.config.num_envs:  # no step: the updates on logged data have their own warnings
            return []
        return ["no episode has ended by itself: checkpoints cut all of them; use a larger --checkpoint-every"]
    per_step = episodes["return"] / episodes["length"]  # the buffer may have lost earlier rewards
    if rewards[0, 0] <= 0 and not (np.ptp(rewards) or np.ptp(per_step) or np.ptp(evaluations["mean"])):
        always = f"every reward so far was {rewards[0, 0]:g}"
        return [f"{always}, so there was nothing to learn from; see {PAGE}#no-reward-ever-seen"]
    warnings = []
    saturation = float(np.mean(updates["action_saturation"][-RECENT:]))
    first, *trained = evaluations["mean"]
    if saturation >= SATURATED and trained and np.mean(trained[-RECENT_EVALUATIONS:]) <= first:
        warnings.append(
            f"{saturation:.0%} of the policy's actions are at a bound, and its evaluations are no better than "
            f"those of {first_policy(agent.config)[1]}; see {PAGE}#saturated-actions"
        )
    q_value, limit = float(np.abs(updates["q_value"][-RECENT:]).mean()), max_abs_value(rewards, agent.config.gamma)
    if rewards.any() and q_value > MARGIN * limit:
        warnings.append(
            f"the critic's values reached {q_value:.3g}, but rewards of at most {np.abs(rewards).max():.3g} "
            f"can add up to {limit:.3g} only; see {PAGE}#values-that-grow-without-bound"
        )
    if not warnings and last and untrained and untrained.returns != last.returns and last.mean <= untrained.mean:
        means = f"{number(last.mean)} against {number(untrained.mean)}"
        warnings.append(
            f"the last policy is not better than {first_policy(agent.config)[1]} ({means}); the best checkpoint "
            f"may be: evaluate.py --best; see {PAGE}"
        )
    return warnings


def first_policy(config: Config) -> tuple[str, str]:
    """Return what the policy before a run's first step is called: in a table, and in a sentence."""
    return FROM_DATA if config.data_updates else STARTED if config.start_from else UNTRAINED
