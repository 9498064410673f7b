"""Where the time of a training step goes: the milliseconds of each part of this project's loop.

    python benchmarks/anatomy.py TASK BATCH_SIZE UPDATES [STEPS]

prints them as JSON, for a run that updates its networks UPDATES times after every UPDATES steps; `speed.py` asks.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from contenders import LEARNING_STARTS, our_loop

PARTS = ("environment", "action", "storing", "sampling", "update", "the loop")


def timed(times: dict[str, float], part: str, function: Callable, inner: str | None = None) -> Callable:
    """Return the function with its time added to a part, less what was added to an `inner` part meanwhile."""

    def call(*args: Any, **kwargs: Any) -> Any:
        before = times.get(inner or "", 0.0)
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            times[part] += time.perf_counter() - began - (times.get(inner or "", 0.0) - before)

    return call


def anatomy(task: str, batch_size: int, updates: int, steps: int) -> dict[str, float]:
    """Return the milliseconds of each part in one environment step, and their sum, the `step`."""
    agent, environment, episodes = our_loop(task, batch_size, updates)
    times = dict.fromkeys(PARTS, 0.0)
    places = (
        (environment, "step", "environment", None),
        (environment, "reset", "environment", None),
        (agent, "act", "action", None),
        (agent, "remember", "storing", None),
        (agent.replay_buffer, "sample", "sampling", None),
        (agent, "update", "update", "sampling"),
    )
    for thing, name, part, inner in places:
        setattr(thing, name, timed(times, part, getattr(thing, name), inner))
    warm = next(episode for episode in episodes if episode.steps >= 2 * LEARNING_STARTS)  # compiled by now
    times.update(dict.fromkeys(PARTS, 0.0))
    began = time.perf_counter()
    done = next(episode for episode in episodes if episode.steps >= warm.steps + steps)
    total = time.perf_counter() - began
    times["the loop"] = total - sum(times.values())
    per_step = 1e3 / (done.steps - warm.steps)
    return {part: seconds * per_step for part, seconds in (times | {"step": total}).items()}


if __name__ == "__main__":
    task, *numbers = sys.argv[1:]
    batch_size, updates, *steps = map(int, numbers)
    print(json.dumps(anatomy(task, batch_size, updates, *(steps or [3_000]))))
