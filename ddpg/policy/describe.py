"""What a policy file says about itself: its task, what each number of the state is, its bounds and its origin."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from ddpg.command.inputs import UNUSABLE
from ddpg.command.packages import versions
from ddpg.storage.csv_files import read_rows

if TYPE_CHECKING:  # these load TensorFlow, which the names of a state's numbers do not need
    from ddpg.agent import DDPG
    from ddpg.policy.policy import Policy


def describe(agent: "DDPG", policy: "Policy", step: int, evaluation: dict[str, float] | None = None) -> dict[str, Any]:
    """Return the metadata of a policy file, JSON-ready.

    Args:
        agent: The agent.
        policy: Its policy in the task's own units.
        step: The environment steps that it was trained for.
        evaluation: Its last evaluation, if there is one.
    """
    config, space = agent.config, policy.action_space
    low, high = policy.bounds()
    return {
        "task": config.env,
        "env_kwargs": config.env_kwargs,
        "action_bound": config.action_bound,
        "max_episode_steps": config.max_episode_steps,
        "state": policy.state_names,
        "action": {
            "shape": list(space.shape or ()),
            "dtype": str(space.dtype),
            "low": low.tolist(),
            "high": high.tolist(),
        },
        "step": step,
        "evaluation": evaluation,
        "seed": config.seed,
        "versions": versions(),
    }


def evaluation_at(run_dir: Path, step: int) -> dict[str, float] | None:
    """Return the last evaluation of a run up to a step: its step, mean, std and episodes."""
    try:
        rows = read_rows(run_dir / "evaluations.csv")
        earlier = [row for row in rows if float(row["steps"]) <= step]
        return {name: float(value) for name, value in earlier[-1].items()} if earlier else None
    except UNUSABLE:  # the policy does not need it
        return None


def random_states(policy: "Policy", count: int, rng: np.random.Generator) -> np.ndarray:
    """Return random states `(count, state_size)` float32: samples of the task's observation space, kept finite."""
    policy.state_space.seed(int(rng.integers(2**31)))
    states = [spaces.flatten(policy.state_space, policy.state_space.sample()) for _ in range(count)]
    normal = rng.normal(size=(count, len(states[0])))
    drawn = np.asarray(states, np.float64)
    return np.where(np.abs(drawn) < 1e6, drawn, normal).astype(np.float32)
