"""What settings are called: the preset that they are closest to, and how they differ from it and from each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from ddpg.command.presets import as_json, closest_preset
from ddpg.settings.setting import text_of


def label(config: dict[str, Any], presets: Mapping[str, Any]) -> str:
    """Return the name of a run's settings: the preset that they are closest to, and how they differ from it."""
    closest, different = closest_preset(config, presets)
    return ", ".join([closest, *(named_value(name, value) for name, value in different.items())])


def named_value(name: str, value: Any) -> str:
    """Return a setting with its value, with four digits: "tau=0.01"."""
    return f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={text_of(value)}"


def told_apart(names: Sequence[str], presets: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Shorten names by what all of them share, and give each its own value of what varies.

    Args:
        names: Names such as "blog, hidden_units=64x64, tau=0.01".
        presets: The preset that each begins with, or None if that is not known.

    Returns:
        The short names, such as "blog, tau=0.01" and "blog, tau=0.005", and what all share, which they leave out.
    """
    if len(set(names)) == 1:
        return list(names), []
    parts = [name.split(", ") for name in names]
    shared = [part for part in parts[0][1:] if all(part in others[1:] for others in parts)]
    varied = dict.fromkeys(
        part.partition("=")[0] for _, *own in parts for part in own if "=" in part and part not in shared
    )
    short = []
    for (first, *own), preset in zip(parts, presets, strict=True):
        values = {} if preset is None else as_json(preset)
        usual = {name: named_value(name, values[name]) for name in varied if name in values}
        given = {part.partition("=")[0]: part for part in own if part not in shared}
        short.append(", ".join([first, *(usual | given).values()]))
    return short, shared
