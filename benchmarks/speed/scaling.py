"""How costs grow: an update's with the sizes in it, a step's and the memory's with what is stored.

    python -m benchmarks.speed.scaling    # about six minutes on two cores

One size changes at a time, from networks of 400 and 300 units, minibatches of 64 and HalfCheetah's 17 + 6 numbers. The
sizes of an axis take turns for several rounds. It writes results/scaling/table.csv and its picture.
"""

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.processes import resident_mib
from benchmarks.common.speed_pictures import draw_scaling
from benchmarks.common.steps import ACTION_SIZE, STATE_SIZE, agent_with, fill, in_turn, step_of

if TYPE_CHECKING:
    pass


MINIBATCHES = (16, 64, 256, 1024, 4096)
WIDTHS = (64, 128, 256, 400, 800, 1600)
STATE_SIZES = (3, 17, 50, 100, 200, 400)
STORED = (10_000, 100_000, 1_000_000)


def row(axis: str, quantity: str, size: int, number: int, measured: float) -> dict:
    """Return a row of the CSV file."""
    return {"axis": axis, "size": size, "quantity": quantity, "round": number, "measured": round(measured, 4)}


def memory(stored: int) -> float:
    """Return by how many MiB resident memory grows when a buffer is made and filled."""
    from ddpg import ReplayBuffer

    before = resident_mib()
    buffer = ReplayBuffer(stored, STATE_SIZE, ACTION_SIZE)
    fill(buffer, stored)
    return resident_mib() - before


def measure(rounds: int, seconds: float) -> list[dict]:
    """Return the rows of the CSV file."""
    from ddpg.command.tensorflow import paused_garbage_collector

    rows = [row("transitions in the buffer", "MiB of the buffer", size, 0, memory(size)) for size in STORED]
    axes: tuple[tuple[str, tuple[int, ...], str], ...] = (
        ("minibatch", MINIBATCHES, "batch_size"),
        ("units of the first layer", WIDTHS, "width"),
        ("numbers in a state", STATE_SIZES, "state_size"),
    )
    for axis, sizes, name in axes:
        agents = {size: agent_with(**{name: size}) for size in sizes}
        with paused_garbage_collector():
            calls = {size: agent.update for size, agent in agents.items()}
            rows += [row(axis, "ms per update", *timed) for timed in in_turn(calls, rounds, seconds)]
    agents = {size: agent_with(stored=size) for size in STORED}
    with paused_garbage_collector():
        steps = {size: step_of(agent) for size, agent in agents.items()}
        rows += [row("transitions stored", "ms per step", *timed) for timed in in_turn(steps, rounds, seconds)]
    return rows


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each size is timed (default: 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each size in a round (default: 1)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    from ddpg.command.tensorflow import import_tensorflow

    import_tensorflow()
    rows = measure(arguments.rounds, arguments.seconds)
    for axis, size, quantity in dict.fromkeys((r["axis"], r["size"], r["quantity"]) for r in rows):
        cost = np.median([r["measured"] for r in rows if (r["axis"], r["size"]) == (axis, size)])
        print(f"{axis:27} {size:>9,} {cost:10.2f} {quantity}")
    study = arguments.out / "scaling"
    write_csv(study / "table.csv", rows)
    draw_scaling(study / "table.csv", study / "picture.png")


if __name__ == "__main__":
    main()
