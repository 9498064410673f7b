"""Refuse an agent that does not fit into memory: the system would start the run and kill it later."""

import os
from pathlib import Path

from ddpg.config import Config
from ddpg.errors import RequestError
from ddpg.replay_buffer import row_size

GIB = 1024**3
COPIES = 4  # of a network's weights: online, target, and Adam's two moments


def require_memory(config: Config, state_size: int, action_size: int) -> None:
    """Raise `RequestError` unless the networks and the replay buffer of an agent fit into the free memory."""
    free, networks = available_memory(), network_bytes(config, state_size, action_size)
    first, second = config.hidden_units
    if networks > free:
        raise RequestError(
            f"networks of {first} and {second} units take {networks / GIB:.2f} GiB with their optimizers, "
            f"but only {free / GIB:.2f} GiB is free; use fewer units",
            "hidden_units",
        )
    row_bytes = transition_bytes(state_size, action_size)
    buffer, rows = config.buffer_size * row_bytes, rows_of_run(config)
    if rows * row_bytes <= free - networks and buffer <= total_memory():  # more no system grants, filled or not
        return
    raise RequestError(
        f"{config.buffer_size} transitions of {row_bytes} bytes take {buffer / GIB:.2f} GiB, "
        f"but only {free / GIB:.2f} GiB is free; use at most {min(rows, int((free - networks) // row_bytes))}",
        "buffer_size",
    )


def rows_of_run(config: Config) -> int:
    """Return how many transitions a run can store: what is never filled takes no memory."""
    if not config.steps or config.data:
        return config.buffer_size
    at_most = int(1.1 * config.steps) + 1_000  # the last episode is completed
    return min(config.buffer_size, at_most * (1 + config.hindsight_goals))


def network_bytes(config: Config, state_size: int, action_size: int) -> int:
    """Return the bytes of both networks, their targets and their optimizers, and of the average of the actor."""
    first, second = config.hidden_units
    actor = (state_size + 1) * first + (first + 1) * second + (second + 1) * action_size
    critic = (state_size + action_size + 1) * first + (first + action_size + 1) * second + second + 1
    return 4 * (COPIES * (actor + critic) + config.averages_actor * actor)


def transition_bytes(state_size: int, action_size: int) -> int:
    """Return the bytes of a transition in the replay buffer."""
    return 4 * row_size(state_size, action_size)


def available_memory() -> float:
    """Return the bytes of memory that this process may still take: the machine's or its container's, the smaller."""
    limits = [float("inf")]
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        limits.append(int(fields["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError, ValueError):
        # Not Linux: all of the machine's memory is the best bound that Python knows.
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    limits += cgroup_limits()
    return max(0, min(limits))


def total_memory() -> float:
    """Return the bytes of memory that this machine has."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return float("inf")


def cgroup_limits(root: Path = Path("/sys/fs/cgroup"), groups: Path = Path("/proc/self/cgroup")) -> list[float]:
    """Return the bytes left of each limit that a container or a batch system has set, from this process's group up.

    Args:
        root: Where control groups are mounted, of version 2 or 1.
        groups: The groups of this process.
    """
    try:
        lines = [line.split(":", 2) for line in groups.read_text("utf-8").splitlines() if line.count(":") > 1]
    except (OSError, ValueError):
        lines = []
    places = [(root, Path(path.strip("/")), "memory.max", "memory.current") for _, kind, path in lines if not kind]
    places += [
        (root / "memory", Path(path.strip("/")), "memory.limit_in_bytes", "memory.usage_in_bytes")
        for _, kind, path in lines
        if "memory" in kind.split(",")
    ]
    limits = []
    for top, path, most, used in [*places, (root, Path(), "memory.max", "memory.current")]:
        for folder in (path, *path.parents):
            try:
                limit, taken = ((top / folder / name).read_text("ascii") for name in (most, used))
                limits.append(float(int(limit) - int(taken)))
            except (OSError, ValueError):  # no such group, or one without a limit ("max")
                continue
    return limits
