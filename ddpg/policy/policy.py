"""A trained policy for a control loop of your own: states in and actions out, both in the task's own units."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ddpg.command.paths import absolute
from ddpg.environment import TaskUnits
from ddpg.errors import one_line
from ddpg.evaluation import ActingAgent
from ddpg.run.agent_state import acting_agent, open_checkpoint
from ddpg.storage.checkpoints import find_checkpoint
from ddpg.task.environments import open_environment, require_same_sizes
from ddpg.task.record import require_recorded
from ddpg.task.states import state_names


class Policy:
    """The deterministic policy μ of an agent, in the units of its task.

    Args:
        agent: A trained agent.
        environment: Its task, from `make_environment`; only its spaces are used.
    """

    def __init__(self, agent: ActingAgent, environment: gymnasium.Env) -> None:
        self.agent, self.units = agent, TaskUnits(environment)
        self.state_names = state_names(environment)
        self.state_space, self.action_space = self.units.state_space, self.units.action_space

    def __call__(self, state: Any) -> np.ndarray:
        """Return the action for a state.

        Args:
            state: An element of the task's observation space, such as an array, a dict or a tuple.

        Returns:
            An element of the task's action space: its shape, type and bounds.

        Raises:
            ValueError: The state has another shape or a number that is not finite.
        """
        try:
            flat = np.asarray(spaces.flatten(self.state_space, state), np.float32)
        except Exception as error:  # Gymnasium's reasons are its own
            raise ValueError(f"the state is no element of {self.state_space} ({one_line(error)})") from None
        shape = np.shape(state) if isinstance(self.state_space, spaces.Box) else self.state_space.shape
        if shape != self.state_space.shape:
            raise ValueError(f"the state must have the shape {self.state_space.shape}, got {shape}")
        return self.act_flat(flat)

    def act_flat(self, state: np.ndarray) -> np.ndarray:
        """Return the action, an element of the task's action space, for a flat state `(state_size,)` float32."""
        return self.units.action(self.agent.act(state, explore=False))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and the highest actions, each `(action_size,)`, in the task's units.

        They are those of the action space, with `Config.action_bound` in the place of infinite ones.
        """
        return self.units.low, self.units.high


def load_policy(path: str | Path, best: bool = False) -> Policy:
    """Load the policy of a run.

    Args:
        path: A run folder, for its newest checkpoint, or one checkpoint.
        best: Of a run folder, take the checkpoint that evaluated best.

    Raises:
        RequestError: There is no valid checkpoint, or its task cannot be made.
    """
    saved = open_checkpoint(find_checkpoint(absolute(path), best))
    agent = acting_agent(saved)
    with open_environment(agent.config) as environment:
        require_same_sizes(environment, (agent.state_size, agent.action_size), agent.config)
        require_recorded(environment, saved, agent.config, ("actions",))
        return Policy(agent, environment)
