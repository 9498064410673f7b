"""The settings of a sweep: every combination of the values that vary."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ddpg.errors import RequestError
from ddpg.settings import setting as settings_
from ddpg.settings.setting import text_of, value_type

C = TypeVar("C")


def parse_vary(texts: Iterable[str], settings: type) -> dict[str, tuple[Any, ...]]:
    """Return the values of each setting that varies.

    Args:
        texts: "NAME=V1,V2,..." each, as typed after `--vary`.
        settings: The dataclass of the settings.

    Raises:
        RequestError: A setting does not exist, cannot vary or appears twice, or a value is not of its type.
    """
    return {
        field.name: parse_values(values, field, settings, "vary")
        for field, values in assignments(texts, settings, "vary", "NAME=V1,V2,...")
    }


def assignments(
    texts: Iterable[str], settings: type, option: str, form: str
) -> Iterator[tuple[dataclasses.Field, str]]:
    """Yield the setting and the text after "=" of each assignment.

    Args:
        texts: "NAME=..." each.
        settings: The dataclass of the settings.
        option: The option that they were given to, for the messages.
        form: How an assignment is typed, for the messages.

    Raises:
        RequestError: A text has another form, or a setting does not exist, cannot vary or appears twice.
    """
    seen = set()
    for text in texts:
        name, _, value = text.partition("=")
        field = field_named(name, settings, option)
        if not value:
            raise RequestError(f"expected {form}, got {text!r}", option)
        if field.name in seen:
            raise RequestError(f"{name} appears twice; give all its values at once", option)
        seen.add(field.name)
        yield field, value


def field_named(name: str, settings: type, option: str) -> dataclasses.Field:
    """Return the setting that a user means by "batch-size" or "batch_size".

    Raises:
        RequestError: There is none, or it cannot vary; the message names `option`.
    """
    fields = {field.name: field for field in dataclasses.fields(settings)}
    key = name.strip().replace("-", "_")
    if key not in fields:
        raise RequestError(f"there is no setting {name!r}; choose from {', '.join(fields)}", option)
    if remedy := fields[key].metadata["cannot_vary"]:
        raise RequestError(f"{name} cannot vary; {remedy}", option)
    return fields[key]


def parse_values(text: str, field: dataclasses.Field, settings: type, option: str) -> tuple[Any, ...]:
    """Return the different values in a text with commas, each as `parse_value` reads it."""
    return tuple(dict.fromkeys(parse_value(value, field, settings, option) for value in text.split(",")))


def parse_value(text: str, field: dataclasses.Field, settings: type, option: str) -> Any:
    """Return the value of a setting from its text.

    Raises:
        RequestError: The text is not of the setting's type; the message names `option`.
    """
    try:
        return settings_.parse_value(text, field, value_type(settings, field))
    except ValueError as error:
        raise RequestError(f"{field.name}: {error}", option) from None


def combinations(
    choices: Mapping[str, Sequence[Any]], make_config: Callable[[dict[str, Any]], C]
) -> Iterator[tuple[str, C]]:
    """Yield the name and the settings of each combination.

    Args:
        choices: The values of each thing that varies; one that has a single value has no place in the names.
        make_config: Returns the settings from one value of each.

    Raises:
        RequestError: A combination is not allowed; the message names it.
    """
    for values in itertools.product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        name = name_of({key: value for key, value in chosen.items() if len(choices[key]) > 1 or key == "env"})
        try:
            config = make_config(chosen)
        except RequestError as error:
            if name and len(set(map(len, choices.values()))) > 1:
                raise RequestError(f"{error.message} (in {name})", error.setting) from None
            raise
        yield name or "runs", config


def seeded(folder: Path, config: C, count: int) -> Iterator[tuple[Path, C]]:
    """Yield the run folder and the settings of so many seeds, from the one in `config` on."""
    first: int = config.seed  # type: ignore[attr-defined]
    for seed in range(first, first + count):
        yield folder / f"seed{seed}", dataclasses.replace(config, seed=seed)  # type: ignore[type-var]


def name_of(chosen: Mapping[str, Any]) -> str:
    """Return the name of a combination, such as "Pendulum-v1,tau=0.01"; it is also its folder's name."""
    parts = [text_of(value) if key == "env" else f"{key}={text_of(value)}" for key, value in chosen.items()]
    return ",".join(parts).replace("/", "_").replace(":", "_")
