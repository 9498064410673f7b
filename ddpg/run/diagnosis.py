"""What the log of a finished run says about learning that failed; `docs/troubleshooting.md` explains each case."""

from pathlib import Path

import numpy as np

from ddpg.agent import DDPG
from ddpg.storage.csv_files import read_columns

PAGE = "docs/troubleshooting.md"
RECENT = 10  # episodes whose metrics count as "at the end"
SATURATED = 0.9
RECENT_EVALUATIONS = 3
MARGIN = 1.1  # estimates scatter around the largest value, which a balanced pole's constant reward reaches


def warnings_about(run_dir: Path, agent: DDPG) -> list[str]:
    """Return a line for each sign of failed learning, none for a run that looks sound.

    Args:
        run_dir: The run folder, for its CSV files.
        agent: Its agent, whose replay buffer knows the rewards.
    """
    episodes, updates, evaluations = (
        read_columns(run_dir / f"{name}.csv") for name in ("episodes", "updates", "evaluations")
    )
    rewards = agent.replay_buffer.split(agent.replay_buffer.rows[: len(agent.replay_buffer)]).reward
    if not agent.updates:
        return ["no update was made: the run was shorter than --batch-size or --learning-starts"]
    if not rewards.any() and not episodes["return"].any():  # the buffer may have lost earlier rewards
        return [f"every reward so far was 0, so there was nothing to learn from; see {PAGE}#no-reward-ever-seen"]
    warnings = []
    saturation = float(np.mean(updates["action_saturation"][-RECENT:]))
    untrained, *trained = evaluations["mean"]
    if saturation >= SATURATED and trained and np.mean(trained[-RECENT_EVALUATIONS:]) <= untrained:
        warnings.append(
            f"{saturation:.0%} of the policy's actions are at a bound, and its evaluations are no better than "
            f"the untrained policy's; see {PAGE}#saturated-actions"
        )
    q_value, limit = float(np.abs(updates["q_value"][-RECENT:]).mean()), max_abs_value(rewards, agent.config.gamma)
    if rewards.any() and q_value > MARGIN * limit:
        warnings.append(
            f"the critic's values reached {q_value:.3g}, but rewards of at most {np.abs(rewards).max():.3g} "
            f"can add up to {limit:.3g} only; see {PAGE}#values-that-grow-without-bound"
        )
    return warnings


def max_abs_value(rewards: np.ndarray, gamma: float) -> float:
    """Return max |r| / (1 - γ), the largest absolute value that such rewards can add up to; infinite for γ = 1."""
    return float(np.abs(rewards).max()) / (1.0 - gamma) if gamma < 1.0 else np.inf
