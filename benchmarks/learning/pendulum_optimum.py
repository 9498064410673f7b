"""The optimum of Pendulum-v1 by dynamic programming, and a trained agent beside it.

    python -m benchmarks.learning.pendulum_optimum --checkpoint RUN    # about two minutes
    python -m benchmarks.draw results/pendulum_optimum    # draws the picture again

Two problems are solved on a grid of angles and speeds, with linear interpolation between its points. The sum of 200
rewards is what an episode returns: its policy is rolled out in the real environment, from the starts that
`python -m ddpg.sweep` tests on. The discounted sum without an end is what a critic learns: its value and policy
are drawn beside the agent's. It writes results/pendulum_optimum.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import gymnasium
import numpy as np

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv
from benchmarks.common.pictures import draw_optimum
from ddpg.storage.csv_files import read_rows

ANGLES, SPEEDS, TORQUES = 601, 401, 21  # points of the grid; odd, so that they include rest and no torque
SPEED_LIMIT, TORQUE_LIMIT, STEPS, GAMMA = 8.0, 2.0, 200, 0.99


def reward(angle, speed, torque):
    """Return the reward of Pendulum-v1; an angle of 0 is upright."""
    return -((np.mod(angle + np.pi, 2 * np.pi) - np.pi) ** 2 + 0.1 * speed**2 + 0.001 * torque**2)


def following(angle, speed, torque):
    """Return the angle and the speed one step of 0.05 s later (mass and length 1, g = 10)."""
    speed = np.clip(speed + (15 * np.sin(angle) + 3 * torque) * 0.05, -SPEED_LIMIT, SPEED_LIMIT)
    return angle + speed * 0.05, speed


class Interpolation:
    """Linear interpolation of a function on the grid at given points; angles are periodic."""

    def __init__(self, angle, speed) -> None:
        x = np.mod(angle + np.pi, 2 * np.pi) / (2 * np.pi) * (ANGLES - 1)
        y = (speed + SPEED_LIMIT) / (2 * SPEED_LIMIT) * (SPEEDS - 1)
        column, row = np.minimum(x.astype(int), ANGLES - 2), np.minimum(y.astype(int), SPEEDS - 2)
        self.corner = (column * SPEEDS + row).astype(np.int32)
        self.right, self.up = (x - column).astype(np.float32), (y - row).astype(np.float32)

    def __call__(self, values):
        """Return the values at the points, for values on the grid `(ANGLES, SPEEDS)`."""
        flat, corner = values.ravel(), self.corner
        left = flat[corner] + self.up * (flat[corner + 1] - flat[corner])
        right = flat[corner + SPEEDS] + self.up * (flat[corner + SPEEDS + 1] - flat[corner + SPEEDS])
        return left + self.right * (right - left)


class Grid:
    """The states of the grid, and the reward and the next state of each torque."""

    def __init__(self) -> None:
        self.angle, self.speed = np.meshgrid(
            np.linspace(-np.pi, np.pi, ANGLES), np.linspace(-SPEED_LIMIT, SPEED_LIMIT, SPEEDS), indexing="ij"
        )
        self.torques = np.linspace(-TORQUE_LIMIT, TORQUE_LIMIT, TORQUES)
        self.rewards = [reward(self.angle, self.speed, u).astype(np.float32) for u in self.torques]
        self.next = [Interpolation(*following(self.angle, self.speed, u)) for u in self.torques]

    def improve(self, value, gamma: float):
        """Return the value of the best torque in each state, and its index, given the value of the next states."""
        best, choice = np.full_like(value, -np.inf), np.zeros(value.shape, np.int8)
        for index, (gain, after) in enumerate(zip(self.rewards, self.next, strict=True)):
            candidate = gain + np.float32(gamma) * after(value)
            better = candidate > best
            best[better], choice[better] = candidate[better], index
        return best, choice

    def episode_values(self) -> list[np.ndarray]:
        """Return the value at each step of an episode, from the first (200 rewards to come) to the end (none)."""
        values = [np.zeros(self.angle.shape, np.float32)]
        for _ in range(STEPS):
            values.append(self.improve(values[-1], 1.0)[0])
        return values[::-1]

    def discounted(self, rounds: int = 60, sweeps: int = 30) -> tuple[np.ndarray, np.ndarray]:
        """Return the value of an endless episode and the best torque (modified policy iteration)."""
        value = np.zeros(self.angle.shape, np.float32)
        for _ in range(rounds):
            value, choice = self.improve(value, GAMMA)
            masks = [choice == index for index in range(TORQUES)]
            for _ in range(sweeps):
                value = self._follow(masks, value)
        return value, self.torques[choice]

    def _follow(self, masks, value):
        after = np.empty_like(value)
        for mask, gain, interpolation in zip(masks, self.rewards, self.next, strict=True):
            part = Interpolation.__new__(Interpolation)
            part.corner, part.right, part.up = (getattr(interpolation, n)[mask] for n in ("corner", "right", "up"))
            after[mask] = gain[mask] + np.float32(GAMMA) * part(value)
        return after


def roll_out(choose, starts: int, seed: int) -> np.ndarray:
    """Return the returns of episodes in the real environment; `choose(step, angle, speed)` gives the torque."""
    environment = gymnasium.make("Pendulum-v1")
    returns = np.zeros(starts)
    for episode in range(starts):
        (cosine, sine, speed), _ = environment.reset(seed=seed + episode)
        for step in range(STEPS):
            torque = choose(step, np.arctan2(sine, cosine), speed)
            (cosine, sine, speed), gain, *_ = environment.step(np.array([torque]))
            returns[episode] += gain
    return returns


def main() -> None:
    arguments = parse()
    grid = Grid()
    rows = returns(grid, arguments.starts, arguments.seed)
    mean = {row["who"]: row["mean"] for row in rows}
    write_csv(arguments.out / "pendulum_optimum" / "table.csv", rows)
    for row in rows:
        print(f"{row['who']:25} {row['mean']:9.2f}  (std {row['std']:.2f})")
    (agents,) = read_rows(ROOT / "results/learning-Pendulum-v1/table.csv")
    scaled = (float(agents["test_mean"]) - mean["random"]) / (mean["optimum"] - mean["random"])
    print(f"the agents on the scale where random torques are 0 and the optimum is 1: {scaled:.4f}")

    curves = arguments.out / "pendulum_optimum" / "grid.csv"
    write_csv(curves, maps(grid, arguments.checkpoint))
    draw_optimum(curves, curves.with_name("picture.png"))


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="run folder of a trained agent")
    parser.add_argument("--starts", type=int, default=1_000, help="how many episodes (default: 1000)")
    parser.add_argument("--seed", type=int, default=20_000, help="seed of the first one (default: 20000)")
    add_output_flag(parser)
    return parser.parse_args()


def returns(grid: Grid, starts: int, seed: int) -> list[dict]:
    """Return the mean and the deviation of the returns of the optimum, rolled out and predicted, and of random ones."""
    values = grid.episode_values()
    fine = np.linspace(-TORQUE_LIMIT, TORQUE_LIMIT, 81)

    def best(step: int, angle: float, speed: float) -> float:
        after = Interpolation(*following(angle, speed, fine))(values[step + 1])
        return fine[np.argmax(reward(angle, speed, fine) + after)]

    rng = np.random.default_rng(0)
    rolled_out = {
        "optimum": roll_out(best, starts, seed),
        "random": roll_out(lambda *_: rng.uniform(-TORQUE_LIMIT, TORQUE_LIMIT), starts, seed),
    }
    rolled_out["value at the same starts"] = values_at_starts(values[0], range(seed, seed + starts))
    rolled_out["value at the starts of the runs' evaluations"] = values_at_starts(values[0], evaluation_seeds())
    return [{"who": who, "mean": each.mean(), "std": each.std()} for who, each in rolled_out.items()]


def values_at_starts(value, seeds: Iterable[int]) -> np.ndarray:
    """Return what the optimum is predicted to return in the episodes with these seeds."""
    environment = gymnasium.make("Pendulum-v1")
    states = np.array([environment.reset(seed=seed)[0] for seed in seeds])
    return Interpolation(np.arctan2(states[:, 1], states[:, 0]), states[:, 2])(value)


def evaluation_seeds() -> list[int]:
    """Return the seeds of the episodes in which the published runs of ten seeds were evaluated while they trained."""
    from ddpg.seeding import integer_seed

    return [integer_seed(run, "evaluation") + episode for run in range(10) for episode in range(100)]


def maps(grid: Grid, checkpoint: Path) -> list[dict[str, float]]:
    """Return, for every fifth point of the grid, the optimal value and torque, and the agent's."""
    from ddpg.run.agent_state import load_for_acting
    from ddpg.storage.checkpoints import find_checkpoint

    value, torque = (field[::5, ::5].ravel() for field in grid.discounted())
    angle, speed = (field[::5, ::5].ravel() for field in (grid.angle, grid.speed))
    agent = load_for_acting(find_checkpoint(checkpoint))
    state = np.stack([np.cos(angle), np.sin(angle), speed], axis=1).astype(np.float32)
    action = agent.actor(state)
    columns = {
        "angle": angle,
        "speed": speed,
        "optimal_value": value,
        "critic": agent.critic(state, action).numpy()[:, 0],
        "optimal_torque": torque,
        "actor": TORQUE_LIMIT * action.numpy()[:, 0],
    }
    return [dict(zip(columns, map(float, row), strict=True)) for row in np.round(np.stack([*columns.values()], 1), 4)]


if __name__ == "__main__":
    main()
