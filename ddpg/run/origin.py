"""Where a run began, in words: with nothing, with logged data, or with the networks of another run."""

from pathlib import Path
from typing import Any

from ddpg.config import Config

UNTRAINED = "untrained", "the untrained policy"
FROM_DATA = "from data", "the policy from the data"
STARTED = "at start", "the policy that it started with"


def first_policy(config: Config) -> tuple[str, str]:
    """Return what the policy before a run's first step is called: in a table, and in a sentence."""
    return FROM_DATA if config.data_updates else STARTED if config.start_from else UNTRAINED


def origin(config: dict[str, Any]) -> str:
    """Return where a run began, for its picture; nothing for a run that began with nothing.

    Args:
        config: The settings of the run, as JSON; those of an earlier version lack some.
    """
    parts = []
    for path, sha256 in config.get("start_from", {}).items():
        phase, _, number = Path(path).name.partition("-")
        parts.append(f"from {phase} {int(number)} of {Path(path).parents[1].name} ({sha256[:8]})")
    if config.get("data"):
        names, updates = ", ".join(Path(path).name for path in config["data"]), config["data_updates"]
        parts.append(f"after {updates} updates on {names}" if updates else f"with the data of {names}")
    return ", ".join(parts)
