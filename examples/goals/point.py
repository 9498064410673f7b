"""A point that must reach a goal: the smallest task on which hindsight is needed.

From the repository: `python train.py --env examples.goals.point:Point-v0 --preset goals --steps 5000`.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

SIZE = 1.0  # the point and the goal are in [-1, 1] in each dimension
SPEED = 0.1  # the most that the point moves in a step, in each dimension
NEAR = 0.05  # a goal that is at most so far away is reached


class Point(gymnasium.Env):
    """A point that starts at the center and moves as the action says; the reward is 0 at the goal and -1 elsewhere.

    Args:
        dimensions: Of the space in which the point moves; the more, the less often chance finds a goal.
    """

    def __init__(self, dimensions: int = 2) -> None:
        self.dimensions = dimensions
        goals = spaces.Box(-SIZE, SIZE, (dimensions,), np.float64)
        nothing_else = spaces.Box(-1, 1, (0,), np.float64)
        self.observation_space = spaces.Dict(observation=nothing_else, achieved_goal=goals, desired_goal=goals)
        self.action_space = spaces.Box(-1, 1, (dimensions,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """Put the point at the center, and the goal anywhere."""
        super().reset(seed=seed)
        self.point = np.zeros(self.dimensions)
        self.goal = self.np_random.uniform(-SIZE, SIZE, self.dimensions)
        return self.state(), {}

    def step(self, action: np.ndarray):
        """Move the point; an episode ends by its time limit alone, so the point must also stay at the goal."""
        self.point = np.clip(self.point + SPEED * action, -SIZE, SIZE)
        reward = self.compute_reward(self.point, self.goal, {})
        return self.state(), float(reward), False, False, {"is_success": bool(reward == 0)}

    def state(self) -> dict[str, np.ndarray]:
        """Return the state: where the point is, and where it should be."""
        return {"observation": np.zeros(0), "achieved_goal": self.point.copy(), "desired_goal": self.goal.copy()}

    def compute_reward(self, achieved_goal: np.ndarray, desired_goal: np.ndarray, info: Any) -> np.ndarray:
        """Return the rewards of goals `(..., dimensions)`: hindsight asks for those of other goals, many at once."""
        return -(np.linalg.norm(achieved_goal - desired_goal, axis=-1) > NEAR).astype(float)


gymnasium.register("Point-v0", f"{__name__}:Point", max_episode_steps=50)
