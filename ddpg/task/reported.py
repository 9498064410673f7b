"""What a task reports beside its rewards, in `info`: success, and numbers of the user's choice."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np

from ddpg.checked_environment import reported_success
from ddpg.config import Config
from ddpg.errors import RequestError, WrongValue, array_of, shown_value
from ddpg.task.environments import for_evaluation


def reported_columns(config: Config, reports_success: bool) -> tuple[str, ...]:
    """Return the further columns of the logs: the success rate, and the settings' numbers."""
    return (*(["success_rate"] if reports_success else []), *logged_names(config))


def logged_names(config: Config) -> list[str]:
    """Return the names of the numbers in `info` that the settings ask for."""
    return [name.strip() for name in (config.log_info or "").split(",") if name.strip()]


def check_reported(config: Config, info: dict[str, Any]) -> list[str]:
    """Check what a run expects of the info of a step against the first one; return notes.

    Raises:
        RequestError: A value is not a number, or no success is reported where the run waits for it.
    """
    if config.stop_at_success is not None and reported_success(info) is None:
        raise RequestError(
            f"{config.env} does not report success: its info has neither 'is_success' nor 'success'; use --stop-at",
            "stop_at_success",
        )
    notes = []
    for name in logged_names(config):
        if name not in info:
            known = ", ".join(map(repr, info)) or "nothing"
            notes.append(f"the info of {config.env}'s first step has no {name!r} (--log-info); it has {known}")
        elif number_of(info[name]) is None:
            raise RequestError(
                f"{name!r} in the info of {config.env} is no number: {shown_value(info[name])}", "log_info"
            )
    return notes


def number_of(value: Any) -> float | None:
    """Return the number that a task reports, or None if it is none."""
    try:
        array = array_of(value)
    except WrongValue:
        return None
    return float(array.item()) if array.size == 1 and array.dtype.kind in "biuf" else None


def is_good(config: Config, mean: float, success_rate: float | None) -> bool:
    """Return whether an evaluation reaches the return or the share of successes at which a run ends."""
    if config.stop_at is not None and mean >= config.stop_at:
        return True
    return config.stop_at_success is not None and success_rate is not None and success_rate >= config.stop_at_success


def as_in_a_run(task: gymnasium.Env, use: str, config: Config, columns: Sequence[str]) -> gymnasium.Env:
    """Return a task as a run uses it, for "training" or "evaluation", in a simulator's own process."""
    return ReportedInfo(for_evaluation(task, config) if use == "evaluation" else task, columns)


class ReportedInfo(gymnasium.Wrapper):
    """Collects what a task reports in `info`: numbers as means over each episode, success at its last step.

    Args:
        environment: The task.
        columns: What to collect: "success_rate", and names in `info`.
    """

    def __init__(self, environment: gymnasium.Env, columns: Sequence[str]) -> None:
        super().__init__(environment)
        self.columns, self.episodes = columns, dict[str, list[float]]()
        self.values: dict[str, list[float]] = {}

    def reset(self, **kwargs) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        self.values = {name: [] for name in self.columns}
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one step."""
        state, reward, terminated, truncated, info = self.env.step(action)
        for name, values in self.values.items():
            if name in info:
                number = number_of(info[name])
                values.append(np.nan if number is None else number)
        if self.values and (terminated or truncated):
            success = reported_success(info)
            if success is not None and "success_rate" in self.values:
                self.values["success_rate"] = [float(success)]
            for name, values in self.values.items():
                self.episodes.setdefault(name, []).append(float(np.mean(values)) if values else np.nan)
        return state, reward, terminated, truncated, info

    def take(self) -> dict[str, float]:
        """Return the means over the episodes that have ended since the last call; NaN where nothing was reported."""
        episodes, self.episodes = self.episodes, {}
        return {name: float(np.mean(episodes.get(name, np.nan))) for name in self.columns}
