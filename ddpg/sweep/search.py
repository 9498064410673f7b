"""The space that tuning searches: which settings, between which limits."""

from collections.abc import Iterable
from dataclasses import Field, dataclass, replace
from typing import Any

from ddpg.config import Config
from ddpg.errors import RequestError
from ddpg.settings.setting import is_pair, text_of, value_type
from ddpg.sweep.grid import assignments, parse_value, parse_values

DEFAULT_SEARCH = (  # what matters most; the network's size is left alone, for it changes the time of a step
    "actor_learning_rate=1e-5..1e-2:log",
    "critic_learning_rate=1e-4..1e-2:log",
    "tau=0.001..0.1:log",
    "gamma=0.95,0.98,0.99,0.995",
    "batch_size=32,64,128,256",
    "noise_sigma=0.0..0.5",
)


@dataclass(frozen=True)
class Range:
    """A setting that is searched between two limits, both included.

    Args:
        name: The setting.
        low, high: The limits.
        log: Whether to search evenly over its logarithm.
    """

    name: str
    low: float
    high: float
    log: bool = False

    def suggest(self, trial: Any) -> Any:
        """Return the value that Optuna proposes for a trial."""
        if isinstance(self.low, int):
            return trial.suggest_int(self.name, self.low, self.high, log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def extremes(self) -> tuple[Any, ...]:
        """Return values that are allowed only if all are."""
        return self.low, self.high

    def parameter(self, config: Config) -> dict[str, Any]:
        """Return the setting of a configuration as Optuna counts it; empty if it is outside of the limits."""
        value = getattr(config, self.name)
        return {self.name: value} if value is not None and self.low <= value <= self.high else {}


@dataclass(frozen=True)
class Choice:
    """A setting that is searched among some values.

    Args:
        name: The setting.
        values: The values.
    """

    name: str
    values: tuple[Any, ...]

    def suggest(self, trial: Any) -> Any:
        """Return the value that Optuna proposes for a trial."""
        texts = {text_of(value): value for value in self.values}  # Optuna's files take no tuples
        return texts[trial.suggest_categorical(self.name, list(texts))]

    def extremes(self) -> tuple[Any, ...]:
        """Return values that are allowed only if all are."""
        return self.values

    def parameter(self, config: Config) -> dict[str, Any]:
        """Return the setting of a configuration as Optuna counts it; empty if it is none of the values."""
        value = getattr(config, self.name)
        return {self.name: text_of(value)} if value in self.values else {}


def parse_search(texts: Iterable[str]) -> list[Range | Choice]:
    """Return the space from its text: "NAME=LOW..HIGH", "NAME=LOW..HIGH:log" or "NAME=A,B,C" each.

    Raises:
        RequestError: A setting does not exist, cannot vary or appears twice, or a limit is not a number or not allowed.
    """
    space: list[Range | Choice] = []
    for field, text in assignments(texts, Config, "search", "NAME=LOW..HIGH[:log] or NAME=A,B,C"):
        if ".." in text:
            space.append(parse_range(text, field))
        else:
            space.append(Choice(field.name, parse_values(text, field, Config, "search")))
    return space


def parse_range(text: str, field: Field) -> Range:
    """Return the limits of a setting from "LOW..HIGH" or "LOW..HIGH:log"."""
    shown = f"'{field.name}={text}'"
    limits, _, scale = text.partition(":")
    is_number = value_type(Config, field) in (int, float) and not is_pair(field)
    if not is_number or scale not in ("", "log"):
        raise RequestError(f"{shown}: only numbers have limits, LOW..HIGH or LOW..HIGH:log", "search")
    low, high = (parse_value(limit, field, Config, "search") for limit in limits.split("..", 1))
    if low is None or high is None or not low < high or (scale and low <= 0):
        raise RequestError(f"{shown}: LOW must be less than HIGH, and more than 0 with :log", "search")
    return Range(field.name, low, high, bool(scale))


def check_space(space: Iterable[Range | Choice], base: Config) -> None:
    """Raise `RequestError` if a value of the space is not allowed beside the settings to start from."""
    for part in space:
        for value in part.extremes():
            try:
                replace(base, **{part.name: value})
            except RequestError as error:
                raise RequestError(f"{part.name}={text_of(value)}: {error.message}", "search") from None
