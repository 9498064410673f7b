"""How costs grow: an update's with the sizes in it, a step's and the memory's with what is stored.

    python benchmarks/scaling.py        # about six minutes on two cores

One size changes at a time, from networks of 400 and 300 units, minibatches of 64 and HalfCheetah's 17 + 6 numbers. The
sizes of an axis take turns for several rounds. It writes plots/scaling.csv and its picture.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from memory import resident_mib
from output import add_output_flag, parser_for, write_csv
from pictures import draw_scaling

if TYPE_CHECKING:
    from ddpg import DDPG, ReplayBuffer

T = TypeVar("T")

STATE_SIZE, ACTION_SIZE = 17, 6
MINIBATCHES = (16, 64, 256, 1024, 4096)
WIDTHS = (64, 128, 256, 400, 800, 1600)
STATE_SIZES = (3, 17, 50, 100, 200, 400)
STORED = (10_000, 100_000, 1_000_000)


def agent_with(stored: int = 10_000, state_size: int = STATE_SIZE, width: int = 400, **settings: Any) -> "DDPG":
    """Return an agent whose replay buffer holds random transitions; its layers have `width` and 3/4 `width` units."""
    from ddpg import DDPG, Config

    config = Config(env="HalfCheetah-v5", hidden_units=(width, 3 * width // 4), **settings)
    agent = DDPG(state_size, ACTION_SIZE, config)
    fill(agent.replay_buffer, stored)
    agent.remember(*transition(agent), False)
    return agent


def fill(buffer: "ReplayBuffer", stored: int) -> None:
    """Add random transitions; only their sizes matter here."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(1_000, buffer.state_size)).astype(np.float32)
    action = np.zeros(buffer.action_size, np.float32)
    for k in range(stored):
        buffer.add(states[k % 1_000], action, 0.0, False, states[(k + 1) % 1_000])


def transition(agent: "DDPG") -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Return a state, an action, a reward and a next state of the agent's sizes."""
    state = np.ones(agent.state_size, np.float32)
    return state, np.zeros(agent.action_size, np.float32), 0.0, state


def step_of(agent: "DDPG") -> Callable[[], None]:
    """Return an environment step without an environment: act, remember, update."""
    state, action, reward, next_state = transition(agent)

    def step() -> None:
        agent.act(state)
        agent.remember(state, action, reward, next_state, False)
        agent.update()

    return step


def in_turn(calls: Mapping[T, Callable], rounds: int, seconds: float) -> Iterator[tuple[T, int, float]]:
    """Time the calls in turn; yield the key, the round and the milliseconds of one call."""
    for call in calls.values():
        call()  # compiles
    for number in range(rounds):
        for key, call in calls.items():
            count, start = 0, time.perf_counter()
            while time.perf_counter() < start + seconds:
                call()
                count += 1
            yield key, number, 1e3 * (time.perf_counter() - start) / count


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
    from ddpg.run.training_run import paused_garbage_collector

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
        calls = {size: step_of(agent) for size, agent in agents.items()}
        rows += [row("transitions stored", "ms per step", *timed) for timed in in_turn(calls, rounds, seconds)]
    return rows


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each size is timed (default: 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each size in a round (default: 1)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    from ddpg.run.command_line import import_tensorflow

    import_tensorflow()
    rows = measure(arguments.rounds, arguments.seconds)
    for axis, size, quantity in dict.fromkeys((r["axis"], r["size"], r["quantity"]) for r in rows):
        cost = np.median([r["measured"] for r in rows if (r["axis"], r["size"]) == (axis, size)])
        print(f"{axis:27} {size:>9,} {cost:10.2f} {quantity}")
    plots = arguments.out.plots
    write_csv(plots / "scaling.csv", rows)
    draw_scaling(plots / "scaling.csv", plots / "scaling.png")


if __name__ == "__main__":
    main()
