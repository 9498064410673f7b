"""The task of a run: made from its settings, closed without harm, and checked against its agent."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
from gymnasium.wrappers import TimeLimit

from ddpg.checked_environment import CheckedEnvironment
from ddpg.command.streams import note
from ddpg.config import Config
from ddpg.environment import make_environment, state_and_action_size
from ddpg.errors import OTHERS, RequestError, RunStopped, advice_on, warnings_unless_it_fails
from ddpg.settings.schedules import updates_until
from ddpg.task.rendering import follow_robot, require_display

SECONDS_FOR_CHECK = 0.5  # for a first step, after which it is not repeated
SHORTEST_LIMIT = 1_000  # of an evaluation episode in a task without a time limit


@contextmanager
def open_environment(
    config: Config, render_mode: str | None = None, evaluation: bool = False
) -> Iterator[gymnasium.Env]:
    """Make the task that a `Config` describes, for training or for an evaluation, and close it afterwards.

    An error of the task's own `close` is noted on stderr; it must not end a run.

    Raises:
        RequestError: See `make_environment`; or a window was asked for, and there is no display.
    """
    if "human" in (render_mode, config.env_kwargs.get("render_mode")):
        require_display("render" if render_mode else "env_kwargs")
    environment = make_environment(config, render_mode=render_mode)
    follow_robot(environment)
    try:
        yield for_evaluation(environment, config) if evaluation else environment
    finally:
        try:
            environment.close()
        except OTHERS as error:
            note(f"note: closing {config.env} raised {error!r}")


def require_same_sizes(environment: gymnasium.Env, trained: tuple[int, int], config: Config) -> None:
    """Raise `RequestError` unless a task still has the state and action sizes that an agent was trained with."""
    sizes = state_and_action_size(environment)
    if sizes != trained:
        raise RequestError(
            f"{config.env} has state and action sizes {sizes}; the agent was trained with {trained}; "
            "use the version of the task that it was trained on"
        )


def time_limit(environment: gymnasium.Env) -> int | None:
    """Return the most steps that an episode can have: the smallest limit of a task's wrappers, or None without one."""
    limits = []
    while isinstance(environment, gymnasium.Wrapper):
        limits.append(environment.spec.max_episode_steps if environment.spec else None)
        environment = environment.env
    return min(filter(None, limits), default=None)


def own_time_limit(environment: gymnasium.Env) -> int | None:
    """Return the time limit of a task from `make_environment` itself, without that of the settings."""
    return time_limit(environment.env)  # type: ignore[attr-defined]


def for_evaluation(environment: gymnasium.Env, config: Config) -> gymnasium.Env:
    """Return a task for evaluations; one without a time limit gets the interval between evaluations as its limit."""
    if own_time_limit(environment) is not None:
        return environment
    part = min(config.evaluate_every, config.steps or config.evaluate_every)
    return TimeLimit(environment, min(config.max_episode_steps, max(SHORTEST_LIMIT, part)))


def most_steps(config: Config, limit: int | None = None) -> int:
    """Return how many environment steps are asked for at most; `limit` is the task's time limit.

    The last episode is completed, so a run with `steps` can have some more.
    """
    if config.steps is not None:
        return config.steps
    return config.episodes * min(config.max_episode_steps, limit or config.max_episode_steps)


def notes_on(config: Config, steps: int) -> list[str]:
    """Return what a user should know about settings that are almost certainly a mistake, in a run of `steps`."""
    at_most = "at most " if config.steps is None else ""
    if steps < config.first_update_step and not config.data_updates:
        return [
            f"no update is to be expected: updates start at step {config.first_update_step} "
            f"(--batch-size, --learning-starts), and the run has {at_most}{steps} steps"
        ]
    updates, averaged = updates_until(config, steps), 1 / config.evaluation_tau
    if config.averages_actor and updates < 3 * averaged:  # e^-3: 5 % of the average are the initial weights
        return [
            f"the evaluations will lag far behind: their actor is an average over {averaged:.0f} updates, and the run "
            f"makes {at_most}{updates}; use an --evaluation-tau of {3 / max(1, updates):.1g} or more"
        ]
    return []


def first_step(environment: gymnasium.Env) -> tuple[bool, dict[str, Any]]:
    """Take the first step of an episode, twice if that is quick.

    Returns:
        Whether the same seed gave another first state or step, so that runs are not reproducible; and the step's info.

    Raises:
        RequestError: The task was written for another library, in a way that is known, or its values cannot be used.
    """
    checked = CheckedEnvironment(environment)
    action = np.zeros(state_and_action_size(environment)[1], np.float32)
    seen: list[np.ndarray] = []
    info: Any = {}
    start = time.perf_counter()
    while len(seen) < 2 and time.perf_counter() < start + SECONDS_FOR_CHECK:
        try:
            with warnings_unless_it_fails():
                state, _ = checked.reset(seed=1)
                next_state, reward, _, _, info = checked.step(action)
            seen.append(np.hstack([state, next_state, np.float64(reward)]))
        except RunStopped as error:
            if error.__cause__ is None or advice_on(error.__cause__):
                raise RequestError(f"the task cannot be used: {error}", "env") from None
            return False, {}  # the run itself will say what is wrong, and where its code is
    return len(seen) == 2 and not np.array_equal(seen[0], seen[1], equal_nan=True), info if type(info) is dict else {}
