"""Hindsight experience replay: each transition is stored again, with goals that its episode went on to reach.

Andrychowicz et al. (2017, arXiv 1707.01495), algorithm 1, with the strategy "future" of section 4.5. Where a reward
says only whether the goal is reached, an episode that misses it teaches nothing; but the episode did reach other goals.
"""

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from ddpg.config import Config
from ddpg.errors import OTHERS, RequestError, RunStopped, cause_for_its_author, one_line
from ddpg.seeding import rng

if TYPE_CHECKING:
    from ddpg.agent import DDPG

NEEDED = (
    "hindsight needs states that are a Dict of observation, achieved_goal and desired_goal, and the task's own "
    "compute_reward(achieved_goal, desired_goal, info)"
)


class Step(NamedTuple):
    """What hindsight must know of an environment step; states are flat, as the agent sees them."""

    state: np.ndarray
    action: np.ndarray
    next_state: np.ndarray
    terminated: bool
    info: dict[str, Any]  # as the task gave it


class Hindsight:
    """Stores each episode again, every step with `hindsight_goals` goals that were achieved in this step or later ones.

    Args:
        environment: A task from `make_environment`, whose own states are a `Dict` with goals.
        config: The settings of the run.

    Raises:
        RequestError: The task has no goals, or cannot say what another goal would have returned.
    """

    def __init__(self, environment: gymnasium.Env, config: Config) -> None:
        self.config, self.steps = config, list[Step]()
        self.achieved, self.desired, self.goal_space = goals_in_state(environment, config.env)
        if not environment.has_wrapper_attr("compute_reward"):
            raise RequestError(f"{config.env} has no compute_reward; {NEEDED}", "hindsight_goals")
        self.reward = TaskFunction(environment, "compute_reward")
        terminates = environment.has_wrapper_attr("compute_terminated")
        self.terminated = TaskFunction(environment, "compute_terminated") if terminates else None

    def see(self, state, action, next_state, terminated: bool, info: Any) -> None:
        """Take note of a step of the episode; the task may change its `info` afterwards."""
        self.steps.append(Step(state, action, next_state, terminated, copy.copy(info)))

    def store(self, agent: "DDPG", number: int) -> None:
        """Store the episode that has just ended again, with other goals.

        For each step t of T, K times: j is drawn from t ... T - 1, and g' is the goal achieved in s_{j+1}. Stored are
        s_t and s_{t+1}, both with g' in the place of their goal, a_t, and the reward r' that the task gives for what
        was achieved in s_{t+1} if the goal is g'. The draws depend on the run's seed and the episode's number alone.

        Args:
            agent: Its replay buffer takes the rows.
            number: The episode's number.

        Raises:
            RunStopped: A function of the task raised, or its answer is no finite number.
        """
        states, actions, next_states, terminated, infos = zip(*self.steps, strict=True)
        count, goals = len(self.steps), self.config.hindsight_goals
        self.steps = []
        t = np.repeat(np.arange(count), goals)
        j = rng(self.config.seed, "hindsight", number).integers(t, count)

        rows = np.zeros((len(t), agent.replay_buffer.row_size), np.float32)
        batch, achieved = agent.replay_buffer.split(rows), np.array(next_states)[:, self.achieved]
        batch.state[:], batch.action[:], batch.next_state[:] = (
            np.array(parts)[t] for parts in (states, actions, next_states)
        )
        batch.state[:, self.desired] = batch.next_state[:, self.desired] = achieved[j]
        asked = self.as_goals(achieved[t]), self.as_goals(achieved[j]), [infos[k] for k in t]
        batch.reward[:, 0] = self.reward(*asked)
        batch.terminated[:, 0] = self.terminated(*asked) if self.terminated else np.array(terminated)[t]
        agent.replay_buffer.extend(rows)
        agent.rows_from_elsewhere += len(rows)

    def as_goals(self, numbers: np.ndarray) -> np.ndarray:
        """Return goals in the task's own shape and type, from their numbers in flat states `(N, goal_size)`."""
        return numbers.reshape(-1, *self.goal_space.shape).astype(self.goal_space.dtype)


def make_hindsight(environment: gymnasium.Env, config: Config) -> Hindsight | None:
    """Return what stores the episodes of a run again, or None where the settings do not ask for it."""
    return Hindsight(environment, config) if config.hindsight_goals else None


def goals_in_state(environment: gymnasium.Env, env: str) -> tuple[slice, slice, Any]:
    """Return where the achieved and the desired goal lie in the flat states of a task, and the space of goals.

    Raises:
        RequestError: There are no goals in its states, or they are no arrays of one shape.
    """
    while isinstance(environment, gymnasium.Wrapper) and not isinstance(environment.observation_space, spaces.Dict):
        environment = environment.env
    space = environment.observation_space
    parts, places, stop = (space.spaces if isinstance(space, spaces.Dict) else {}), {}, 0
    for name, part in parts.items():  # in the order in which Gymnasium flattens them
        start, stop = stop, stop + spaces.flatdim(part)
        places[name] = slice(start, stop)
    for name in ("observation", "achieved_goal", "desired_goal"):
        if name not in parts:
            raise RequestError(f"the states of {env} have no {name}; {NEEDED}", "hindsight_goals")
    achieved, desired = parts["achieved_goal"], parts["desired_goal"]
    if not isinstance(desired, (spaces.Box, spaces.MultiBinary)) or achieved.shape != desired.shape:
        raise RequestError(
            f"the goals of {env} are {achieved} and {desired}; hindsight needs arrays (Box) of one shape",
            "hindsight_goals",
        )
    return places["achieved_goal"], places["desired_goal"], desired


class TaskFunction:
    """A task's function of goals, for many goals: asked once where the task can answer at once, else one by one.

    Whether it can is tried with the first goals: the answer must be an array of what single calls return.

    Args:
        environment: The task.
        name: The name of its function (achieved goal, desired goal, info) -> number.
    """

    def __init__(self, environment: gymnasium.Env, name: str) -> None:
        self.function: Callable = environment.get_wrapper_attr(name)
        self.name = name
        self.answers_at_once: bool | None = None  # not tried yet

    def __call__(self, achieved: np.ndarray, desired: np.ndarray, infos: Sequence[dict[str, Any]]) -> np.ndarray:
        """Return the answers `(N,)`.

        Args:
            achieved, desired: `(N, ...)`.
            infos: N of them.

        Raises:
            RunStopped: The function raised, or an answer is no finite number.
        """
        try:
            if self.answers_at_once is None:
                self.answers_at_once = self._is_same_at_once(achieved, desired, infos)
            ask = self._ask_at_once if self.answers_at_once else self._ask_each
            answers = ask(achieved, desired, infos)
        except OTHERS as error:
            problem = f"hindsight: the task's {self.name} raised {one_line(error)}"
            raise RunStopped(problem) from cause_for_its_author(error)
        if not np.isfinite(answers).all():
            raise RunStopped(f"hindsight: the task's {self.name} returned {answers[~np.isfinite(answers)][0]}")
        return answers

    def _ask_at_once(self, achieved, desired, infos) -> np.ndarray:
        return np.asarray(self.function(achieved, desired, infos), np.float64)

    def _ask_each(self, achieved, desired, infos) -> np.ndarray:
        each = zip(achieved, desired, infos, strict=True)
        return np.array([np.asarray(self.function(*one), np.float64).item() for one in each])

    def _is_same_at_once(self, achieved, desired, infos) -> bool:
        expected = self._ask_each(achieved, desired, infos)
        try:
            answers = self._ask_at_once(achieved, desired, infos)
        except Exception:  # most tasks are written for one goal
            return False
        return answers.shape == expected.shape and np.allclose(answers, expected)
