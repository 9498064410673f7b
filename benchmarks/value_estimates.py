"""Estimated values against returns, as in the paper's figure 3: Q(s, a) and the discounted return that followed.

    python benchmarks/value_estimates.py runs/ablation/*/as-it-is/seed0
    python benchmarks/pictures.py plots/value_estimates.csv plots/value_estimates.png      # draws the picture again

Each agent runs noise-free episodes, made long enough that what is cut off at their end is discounted to nothing; states
are taken from their first part.  It writes plots/value_estimates.csv and .png.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pictures import draw_estimates
from runs import ROOT, write_csv

TAIL = 1_000  # steps after the last state that counts: 0.99 ** 1000 = 0.00004


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="run folders of trained agents")
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--length", type=int, default=200, help="steps of each that count")
    parser.add_argument("--seed", type=int, default=20_000, help="seed of the first episode")
    arguments = parser.parse_args()

    sys.path.insert(0, str(ROOT))
    rows = [row for path in arguments.checkpoints for row in estimates(path, arguments)]
    picture = ROOT / "plots" / "value_estimates.csv"
    write_csv(picture, rows)
    draw_estimates(picture, picture.with_suffix(".png"))
    for task in dict.fromkeys(row["task"] for row in rows):
        pairs = np.array([(row["estimate"], row["return"]) for row in rows if row["task"] == task])
        bias = np.mean(pairs[:, 0] - pairs[:, 1])
        print(f"{task:28} estimate minus return {bias:8.2f} on average, correlation {np.corrcoef(pairs.T)[0, 1]:.3f}")


def estimates(path: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return Q(s, μ(s)) and the discounted return that followed, for every fifth state of some episodes."""
    from ddpg import make_environment
    from ddpg.checkpoint import find_checkpoint
    from ddpg.restore import load_policy

    agent = load_policy(find_checkpoint(path))
    config = agent.config
    limit = {"max_episode_steps": arguments.length + TAIL}
    environment = make_environment(config.env, config.env_kwargs | limit, config.action_bound)
    rows = []
    for episode in range(arguments.episodes):
        state, _ = environment.reset(seed=arguments.seed + episode)
        states, actions, rewards, over = [], [], [], False
        while not over:
            states.append(state)
            actions.append(agent.act(state, explore=False))
            state, reward, terminated, truncated, _ = environment.step(actions[-1])
            rewards.append(float(reward))
            over = terminated or truncated
        returns = discounted(rewards, config.gamma)
        values = agent.critic(np.array(states), np.array(actions)).numpy()[:, 0]
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
