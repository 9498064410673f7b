"""The task of a run as its checkpoints keep it, so that another task under the same name does not go unnoticed.

What can be told without running it is compared: the spaces of states and actions with their bounds, and the time limit;
the settings hold its name and arguments. Its dynamics and rewards are not: a changed module of the same spaces goes on.
"""

import hashlib
from typing import Any

import gymnasium
from gymnasium import spaces

from ddpg.config import Config
from ddpg.environment import TaskUnits
from ddpg.errors import RequestError
from ddpg.storage.checkpoint_format import SavedCheckpoint, read_kept
from ddpg.task.environments import time_limit


def record_of(environment: gymnasium.Env) -> dict[str, Any]:
    """Return what a checkpoint keeps of a task from `make_environment`, JSON-ready."""
    units = TaskUnits(environment)
    return {
        "states": text_of(units.state_space),
        "actions": text_of(units.action_space),
        "time limit": time_limit(environment),
    }


def text_of(space: spaces.Space) -> str:
    """Return a space as text; where that leaves numbers out, with a checksum of its bounds."""
    text = " ".join(str(space).split())
    if "..." not in text:
        return text
    flat = spaces.flatten_space(space)
    bounds = b"".join(bound.tobytes() for bound in (flat.low, flat.high)) if isinstance(flat, spaces.Box) else b""
    return f"{text} {hashlib.sha256(bounds).hexdigest()[:8]}"


def require_recorded(
    environment: gymnasium.Env, saved: SavedCheckpoint, config: Config, what: tuple[str, ...] = ()
) -> None:
    """Raise `RequestError` unless a task is as its checkpoint keeps it.

    Args:
        environment: The task, from `make_environment`.
        saved: The checkpoint.
        config: The settings that the task was made from.
        what: What must be the same, such as "actions"; by default everything.
    """
    kept, now = read_kept(saved).get("task", {}), record_of(environment)
    for name in what or now:
        if name in kept and kept[name] != now[name]:
            raise RequestError(
                f"{config.env} is another task than at the start: {name} {kept[name]}, now {now[name]}; "
                "use the version of the task that the run was trained on"
            )
