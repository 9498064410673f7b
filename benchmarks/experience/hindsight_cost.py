"""What hindsight costs: an episode's rows stored again with four goals, in turn with the steps of that episode.

    python -m benchmarks.experience.hindsight_cost    # about a minute on two cores

An episode has 50 steps, each of which acts, remembers and updates, without an environment, with minibatches of 64. The
goals are those of a point in six dimensions, whose rewards come from one call. One thread is timed by its own clock, so
that other work on the machine matters little. It writes results/hindsight/table.csv.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.steps import ACTION_SIZE, agent_with, in_turn, step_of
from ddpg.command.tensorflow import import_tensorflow

STEPS, GOALS = 50, 4


def measure(rounds: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the milliseconds of a step and of what hindsight adds to it, a row for each and round."""
    from ddpg.command.tensorflow import paused_garbage_collector

    agent = agent_with(state_size=2 * ACTION_SIZE)
    step = step_of(agent)

    def steps() -> None:
        for _ in range(STEPS):
            step()

    calls = {"a step without hindsight": steps, "what hindsight adds": stored_again()}
    with paused_garbage_collector():
        for part, number, milliseconds in in_turn(calls, rounds, seconds, time.process_time):
            yield {"part": part, "round": number, "milliseconds": round(milliseconds / STEPS, 6)}


def stored_again() -> Callable[[], None]:
    """Return a call that does for an episode all that hindsight does."""
    from ddpg import make_environment
    from ddpg.experience.hindsight import Hindsight
    from examples.goals.point import Point

    environment = make_environment(Point(ACTION_SIZE))
    agent = agent_with(state_size=2 * ACTION_SIZE, hindsight_goals=GOALS)
    hindsight, action = Hindsight(environment, agent.config), np.ones(ACTION_SIZE, np.float32)
    state, _ = environment.reset(seed=0)
    next_state, _, terminated, _, info = environment.step(action)

    def store() -> None:
        for _ in range(STEPS):
            hindsight.see(state, action, next_state, terminated, info)
        hindsight.store(agent, 1)

    return store


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="turns of each part (default: 100)")
    parser.add_argument("--seconds", type=float, default=0.05, help="of a turn at least (default: 0.05)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    import_tensorflow()
    from ddpg.command.tensorflow import prepare_tensorflow

    prepare_tensorflow(threads=1)
    rows = list(measure(arguments.rounds, arguments.seconds))
    write_csv(arguments.out / "hindsight" / "table.csv", rows)
    for part in dict.fromkeys(row["part"] for row in rows):
        middle = np.median([row["milliseconds"] for row in rows if row["part"] == part])
        print(f"{part}: {middle:.4f} ms, median of {arguments.rounds} turns")


if __name__ == "__main__":
    main()
