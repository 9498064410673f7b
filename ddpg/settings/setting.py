"""Settings as the fields of a frozen dataclass: declared once, with help text and limits, and validated."""

import dataclasses
import functools
import json
import math
import typing
from typing import Any, TypeVar

from ddpg.errors import RequestError

T = TypeVar("T")


def setting(
    default: Any,
    help: str,
    within: str | None = None,
    choices: tuple[str, ...] | None = None,
    *,
    group: str = "",
    learns: bool = True,
    identifies: bool = False,
    cannot_vary: str = "",
    zero: str = "",
    may_change: bool = False,
    paths: str = "",
) -> Any:
    """Declare one field of a dataclass of settings, with everything that is known of it.

    Args:
        default: Its default; the class `dict` or `list` means a new empty one.
        help: One line for people: symbol, meaning, unit, source, and advice.
        within: The interval that a number must lie in, in mathematical notation: "(0, 1]".
        choices: The words allowed, for a string.
        group: The title of the group of flags that begins with this field.
        learns: False if it changes neither what is learned nor what is evaluated.
        identifies: It says which run it is, and not how it learns: its task, seed or length.
        cannot_vary: Why its value cannot vary in a sweep, and what to do instead.
        zero: The word for 0, where 0 stands for something else than a number.
        may_change: Whether a resumed run may have another value.
        paths: FILE or DIR, for a dictionary of such paths and their checksums, which the run that reads them fills in.
    """
    value = {"default_factory": default} if isinstance(default, type) else {"default": default}
    metadata: dict[str, Any] = {"help": help, "within": within, "choices": choices, "group": group}
    metadata["paths"] = paths
    metadata |= {"names_settings": learns and not identifies, "cannot_vary": cannot_vary}
    metadata |= {"zero": zero, "may_change": may_change}
    return dataclasses.field(metadata=metadata, **value)


def check_values(config: Any) -> None:
    """Raise `RequestError` unless every field of a dataclass has a value of its type and within its limits."""
    for field in dataclasses.fields(config):
        check_value(field, value_type(type(config), field), getattr(config, field.name))


def from_json(kind: type[T], settings: dict[str, Any]) -> T:
    """Make a dataclass of settings from JSON values.

    Raises:
        RequestError: A name is unknown or a value is not allowed.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = settings.keys() - fields.keys()
    if unknown:
        raise RequestError(f"unknown setting {sorted(unknown)[0]!r}; it may come from another version of this package")
    pairs = {name for name, field in fields.items() if is_pair(field)}
    lists = {name: tuple(value) for name, value in settings.items() if name in pairs and isinstance(value, list)}
    return kind(**(settings | lists))


@functools.cache  # resolving them is slow, and every `Config` needs them
def type_hints(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, by name."""
    return typing.get_type_hints(kind)


def value_type(kind: type, field: dataclasses.Field) -> type:
    """Return the plain type of a field's values: `float | None` is float, `tuple[int, int] | None` is int."""
    hint = type_hints(kind)[field.name]
    if typing.get_origin(hint) is dict:
        return dict
    while arguments := typing.get_args(hint):
        hint = arguments[0]
    return hint


def is_pair(field: dataclasses.Field) -> bool:
    """Return whether a field's values are pairs of numbers: `tuple[int, int]`, or that or None."""
    return any(typing.get_origin(hint) is tuple for hint in (field.type, *typing.get_args(field.type)))


def check_value(field: dataclasses.Field, kind: type, value: Any) -> None:
    """Raise `RequestError` unless `value` has the field's type and lies in its interval."""
    if value is None and field.default is None:
        return
    choices, within = field.metadata["choices"], field.metadata["within"]
    numbers = value if is_pair(field) else (value,)
    if not isinstance(numbers, tuple) or (is_pair(field) and len(numbers) != 2):
        raise RequestError(f"expected {expected(field, kind)}, got {value!r}", field.name)
    for number in numbers:
        accepted = (int, float) if kind is float else (kind,)
        if not isinstance(number, accepted) or (isinstance(number, bool) and kind is not bool):
            raise RequestError(f"expected {kind.__name__}, got {number!r}", field.name)
        if isinstance(number, int) and abs(number) > LARGEST:
            raise RequestError(f"{str(number)[:20]}... is more than any computation holds", field.name)
        if isinstance(number, str) and not number.isascii() and number != number.encode(errors="replace").decode():
            raise RequestError(f"{number!r} is no Unicode text", field.name)
        if choices and number not in choices:
            raise RequestError(f"{number!r} is not one of {', '.join(choices)}", field.name)
        if isinstance(number, (int, float)) and within and not inside(number, within):
            raise RequestError(f"{number} is outside {within}; the default is {field.default}", field.name)


LARGEST = 10**300  # of whole numbers, which Python does not limit: a float holds it


def inside(number: float, interval: str) -> bool:
    """Return whether a number lies in an interval such as "(0, 1]"; NaN and infinity lie in none."""
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    above = number > low if interval[0] == "(" else number >= low
    below = number < high if interval[-1] == ")" else number <= high
    return -math.inf < number < math.inf and above and below


def parse_value(text: str, field: dataclasses.Field, kind: type) -> Any:
    """Return the value of a setting from its text, which is the same everywhere.

    A number is "0.01", a switch "true" or "false", a pair "400x300", an object JSON, and no value "none".

    Raises:
        ValueError: The text is not of the setting's type; the message says what is.
    """
    text = text.strip()
    if field.default is None and text == "none":
        return None
    if kind is dict:
        return json_object(text)
    if text and text == field.metadata["zero"]:
        return 0
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        if is_pair(field):
            first, second = text.split("x")
            return kind(first), kind(second)
        return kind(text)
    except (KeyError, ValueError):
        raise ValueError(f"expected {expected(field, kind)}, got {text[:100]!r}") from None


def expected(field: dataclasses.Field, kind: type) -> str:
    """Return what a field takes, for messages."""
    if is_pair(field):
        return "two whole numbers such as 400x300" if kind is int else "two numbers such as -50x0"
    return {bool: "true or false", int: "a whole number", float: "a number"}[kind]


def json_object(text: str) -> dict[str, Any]:
    """Return a JSON object from its text.

    Raises:
        ValueError: It is not one.
    """
    example = "write it like '{\"g\": 9.81}'"
    try:
        value = json.loads(text, object_pairs_hook=each_once, parse_constant=not_nan)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({error}): {text[:200]!r}; {example}") from None
    if not isinstance(value, dict):
        raise ValueError(f"not a JSON object: {text[:200]!r}; {example}")
    return value


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; of a name that is there twice, Python would take the last."""
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{max(names, key=names.count)!r} is there twice")
    return value


def not_nan(text: str) -> float:
    """Return "Infinity" or "-Infinity", which some tasks take; NaN differs from itself in every comparison of runs."""
    if text == "NaN":
        raise ValueError("NaN is no value")
    return float(text)


def text_of(value: Any) -> str:
    """Return the text of a value, which `parse_value` reads back."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return json.dumps(value)
    return "x".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
