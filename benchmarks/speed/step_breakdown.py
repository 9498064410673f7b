"""Where the time of a training step goes: the milliseconds of each part of this project's loop.

    python -m benchmarks.speed.step_breakdown TASK BATCH_SIZE UPDATES

prints them as JSON, for a run that makes UPDATES updates after every UPDATES environment steps. `speed.py` uses it.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from benchmarks.common.loops import LEARNING_STARTS, our_loop
from benchmarks.common.numpy_baseline import use_default_kernel
from benchmarks.common.output import parser_for

PARTS = ("environment", "action", "storing", "sampling", "update", "the loop")


def timed(seconds: dict[str, float], part: str, function: Callable, inner: str | None = None) -> Callable:
    """Return the function with its time added to a part, minus what was added to an `inner` part meanwhile."""

    def call(*args: Any, **kwargs: Any) -> Any:
        before = seconds.get(inner or "", 0.0)
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds[part] += time.perf_counter() - start - (seconds.get(inner or "", 0.0) - before)

    return call


def step_breakdown(task: str, batch_size: int, updates: int, steps: int) -> dict[str, float]:
    """Return the milliseconds of each part in one environment step, and their sum, the `step`."""
    agent, environment, episodes = our_loop(task, batch_size, updates)
    seconds = dict.fromkeys(PARTS, 0.0)
    methods = (
        (environment, "step", "environment", None),
        (environment, "reset", "environment", None),
        (agent, "act", "action", None),
        (agent, "remember", "storing", None),
        (agent.replay_buffer, "sample", "sampling", None),
        (agent, "update", "update", "sampling"),
    )
    for owner, name, part, inner in methods:
        setattr(owner, name, timed(seconds, part, getattr(owner, name), inner))
    first = next(episode for episode in episodes if episode.steps >= 2 * LEARNING_STARTS)  # everything is compiled
    seconds.update(dict.fromkeys(PARTS, 0.0))
    start = time.perf_counter()
    last = next(episode for episode in episodes if episode.steps >= first.steps + steps)
    total = time.perf_counter() - start
    seconds["the loop"] = total - sum(seconds.values())
    per_step = 1e3 / (last.steps - first.steps)
    return {part: value * per_step for part, value in (seconds | {"step": total}).items()}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("task", help="Gymnasium id")
    parser.add_argument("batch_size", type=int, help="transitions in a minibatch")
    parser.add_argument("updates", type=int, help="updates after every so many environment steps")
    parser.add_argument("--steps", type=int, default=3_000, help="environment steps to time (default: 3000)")
    arguments = parser.parse_args()
    use_default_kernel()  # between updates the agent acts through NumPy
    print(json.dumps(step_breakdown(arguments.task, arguments.batch_size, arguments.updates, arguments.steps)))


if __name__ == "__main__":
    main()
