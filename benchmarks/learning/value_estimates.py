"""Estimated values against returns, as in the paper's figure 3: Q(s, a) and the discounted return that followed.

    python -m benchmarks.learning.value_estimates runs/ablation/*/as-it-is/seed0
    python -m benchmarks.draw results/value_estimates    # draws the picture again

Each agent runs noise-free episodes, so long that what is cut off at their end is discounted to almost nothing. States
are taken from their first part. It takes about a minute and writes results/value_estimates.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.pictures import draw_estimates

TAIL = 1_000  # steps after the last state that counts: 0.99 ** 1000 = 0.00004


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="run folders of trained agents")
    parser.add_argument("--episodes", type=int, default=20, help="episodes of each agent (default: 20)")
    parser.add_argument("--length", type=int, default=200, help="steps of each that count (default: 200)")
    parser.add_argument("--seed", type=int, default=20_000, help="seed of the first episode (default: 20000)")
    add_output_flag(parser)
    arguments = parser.parse_args()

    rows = [row for path in arguments.checkpoints for row in estimates(path, arguments)]
    curves = arguments.out / "value_estimates" / "table.csv"
    write_csv(curves, rows)
    draw_estimates(curves, curves.with_name("picture.png"))
    for task in dict.fromkeys(row["task"] for row in rows):
        pairs = np.array([(row["estimate"], row["return"]) for row in rows if row["task"] == task])
        bias = np.mean(pairs[:, 0] - pairs[:, 1])
        print(f"{task:28} estimate minus return {bias:8.2f} on average, correlation {np.corrcoef(pairs.T)[0, 1]:.3f}")


def estimates(path: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return Q(s, μ(s)) and the discounted return that followed, for every fifth state of some episodes."""
    from ddpg import make_environment
    from ddpg.run.agent_state import load_for_acting
    from ddpg.storage.checkpoints import find_checkpoint

    agent = load_for_acting(find_checkpoint(path))
    config = agent.config
    limit = {"max_episode_steps": arguments.length + TAIL}  # replaces the task's own limit
    environment = make_environment(config.env, config.env_kwargs | limit, config.action_bound)
    rows = []
    for episode in range(arguments.episodes):
        state, _ = environment.reset(seed=arguments.seed + episode)
        states, actions, rewards, done = [], [], [], False
        while not done:
            states.append(state)
            actions.append(agent.act(state, explore=False))
            state, reward, terminated, truncated, _ = environment.step(actions[-1])
            rewards.append(float(reward))
            done = terminated or truncated
        returns = discounted(rewards, config.gamma)
        values = agent.critic(agent.normalized(np.array(states)), np.array(actions)).numpy()[:, 0]
        for step in range(0, min(arguments.length, len(rewards)), 5):
            pair = {"estimate": round(float(values[step]), 3), "return": round(returns[step], 3)}
            rows.append({"task": config.env, "seed": config.seed, "episode": episode, "step": step} | pair)
    return rows


def discounted(rewards: list[float], gamma: float) -> list[float]:
    """Return, for each step, the discounted sum of the rewards from there on."""
    returns, following = [], 0.0
    for reward in reversed(rewards):
        following = reward + gamma * following
        returns.append(following)
    return returns[::-1]


if __name__ == "__main__":
    main()
