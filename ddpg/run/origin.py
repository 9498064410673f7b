"""Where a run began, in words: with nothing, or with logged data."""

from pathlib import Path
from typing import Any

from ddpg.config import Config

UNTRAINED = "untrained", "the untrained policy"
FROM_DATA = "from data", "the policy from the data"


def first_policy(config: Config) -> tuple[str, str]:
    """Return what the policy before a run's first step is called: in a table, and in a sentence."""
    return FROM_DATA if config.data_updates else UNTRAINED


def origin(config: dict[str, Any]) -> str:
    """Return where a run began, for its picture; nothing for a run that began with nothing.

    Args:
        config: The settings of the run, as JSON; those of an earlier version lack some.
    """
    if not config.get("data"):
        return ""
    names, updates = ", ".join(Path(path).name for path in config["data"]), config["data_updates"]
    return f"after {updates} updates on {names}" if updates else f"with the data of {names}"
