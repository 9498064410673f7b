"""How far an update is from what the processor could do, and where its time goes.

    python -m benchmarks.speed.floor    # two minutes, alone on the machine

The floor is what the best library here needs for the matrix products of an update, plus the time to move the bytes of
Adam and of the soft updates. Beside it stand an update of this project, in a call of its own and in a call of 50. All
take turns. Then TensorFlow's profiler shows the parts of the single call. It writes results/floor/table.csv.
"""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common.numpy_baseline import HIDDEN_UNITS, kernel_in_use, use_default_kernel
from benchmarks.common.output import add_output_flag, parser_for, write_csv

POOL = ThreadPoolExecutor(2)
FLOATS_PER_WEIGHT = 9  # Adam and the soft update read g, m, v, θ, θ' and write m, v, θ, θ'


class Product(NamedTuple):
    """A product `(rows, inner) @ (inner, columns)`, and whether an operand is stored transposed."""

    rows: int
    inner: int
    columns: int
    transposed: str = ""  # "left", "right" or ""


def products(state_size: int, action_size: int, batch_size: int) -> list[Product]:
    """Return the matrix products of an update, in the order of `DDPG.train_step`."""
    first, second = HIDDEN_UNITS

    def forward(inputs: int, outputs: int) -> list[Product]:
        widths = (inputs, first, second, outputs)
        return [Product(batch_size, widths[i], widths[i + 1]) for i in range(3)]

    def weights(inputs: int, outputs: int) -> list[Product]:
        widths = (inputs, first, second, outputs)
        return [Product(widths[i], batch_size, widths[i + 1], "left") for i in range(3)]

    def inputs_of(outputs: int) -> list[Product]:
        return [Product(batch_size, outputs, second, "right"), Product(batch_size, second, first, "right")]

    pair = state_size + action_size
    targets = forward(state_size, action_size) + forward(pair, 1)
    critic = forward(pair, 1) + weights(pair, 1) + inputs_of(1)
    through_critic = forward(pair, 1) + inputs_of(1) + [Product(batch_size, first, action_size, "right")]
    actor = forward(state_size, action_size) + weights(state_size, action_size) + inputs_of(action_size)
    return targets + critic + through_critic + actor


def libraries() -> dict[str, Callable[[np.ndarray, np.ndarray], Callable[[], object]]]:
    """Return the libraries for products that are installed: each makes a call that multiplies two matrices."""
    found = {"NumPy": lambda a, b: lambda: a @ b}
    try:
        import torch
    except ImportError:
        return found

    def torch_product(a: np.ndarray, b: np.ndarray) -> Callable[[], object]:
        left, right = torch.from_numpy(a), torch.from_numpy(b)
        return lambda: left @ right

    return found | {"torch": torch_product}


def seconds(call: Callable[[], object], repeats: int = 50) -> float:
    """Return the seconds of a call, the mean of some after a few that are not timed."""
    for _ in range(1 + repeats // 10):
        call()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def seconds_of_products(needed: list[Product], library: Callable[..., Callable[[], object]]) -> Callable[[], float]:
    """Return a function that times each product by a library, and returns the seconds of all that an update needs."""
    rng = np.random.default_rng(0)
    calls = []
    for product, count in Counter(needed).items():
        left = rng.normal(size=(product.rows, product.inner)).astype(np.float32)
        right = rng.normal(size=(product.inner, product.columns)).astype(np.float32)
        left = np.ascontiguousarray(left.T).T if product.transposed == "left" else left
        right = np.ascontiguousarray(right.T).T if product.transposed == "right" else right
        calls.append((count, library(left, right)))
    return lambda: sum(count * seconds(call) for count, call in calls)


def seconds_of_bytes(size: int) -> Callable[[], float]:
    """Return a function that times two threads adding arrays, and returns the seconds for so many bytes."""
    parts = [np.ones((3, size // 24), np.float32) for _ in range(2)]

    def add_all() -> None:
        list(POOL.map(lambda part: [np.add(part[0], part[1], out=part[2]) for _ in range(20)], parts))

    return lambda: seconds(add_all, 5) / 20


def agent_of(task: str, batch_size: int, updates: int):
    """Return an agent with enough transitions, whose update is compiled."""
    from ddpg import DDPG, Config, make_environment, state_and_action_size

    environment = make_environment(task)
    sizes = state_and_action_size(environment)
    agent = DDPG(*sizes, Config(env=task, batch_size=batch_size, train_frequency=updates, gradient_steps=updates))
    rng = np.random.default_rng(0)
    for _ in range(50 * -(-batch_size // 50)):
        state, next_state = rng.normal(size=(2, sizes[0]))
        agent.remember(state, rng.uniform(-1, 1, sizes[1]), rng.normal(), next_state, False)
    for _ in range(5):
        agent.update()
    return agent


def profile(agent, updates: int = 200) -> dict[str, float]:
    """Return the milliseconds of the parts of an update, from TensorFlow's profiler; two threads run at a time."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    folder = Path(tempfile.mkdtemp())
    try:
        options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=3, python_tracer_level=0)
        tf.profiler.experimental.start(str(folder), options=options)
        for _ in range(updates):
            agent.update()
        tf.profiler.experimental.stop()
        (file,) = folder.rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    finally:
        shutil.rmtree(folder)
    (plane,) = [plane for plane in space.planes if plane.name == "/host:CPU"]
    names = {key: entry.name for key, entry in plane.event_metadata.items()}
    total: dict[str, float] = {}
    for event in (event for line in plane.lines for event in line.events):
        name = names[event.metadata_id]
        total[name] = total.get(name, 0.0) + event.duration_ps / 1e9 / updates
    return parts_of(total)


def parts_of(total: dict[str, float]) -> dict[str, float]:
    """Sort the profiler's events into the parts of an update."""
    call, program = total["TFE_Py_ExecuteCancelable"], total["CpuExecutable::ExecuteAsyncOnStream"]
    parts = {"call": call - program, "program": program}
    parts |= dict.fromkeys(("matrix products", "Adam and soft updates", "copies of weights", "everything else"), 0.0)
    for name, milliseconds in total.items():
        operation = name.split(".")[0]
        if "fusion" in operation:
            adam = operation in ("divide_subtract_fusion", "multiply_add_fusion")
            parts["Adam and soft updates" if adam else "everything else"] += milliseconds
        elif operation in ("MatMul", "MatMul_1", "dot"):
            parts["matrix products"] += milliseconds
        elif operation == "copy":
            parts["copies of weights"] += milliseconds
        elif operation.startswith(("wrapped_", "bitcast")):
            parts["everything else"] += milliseconds
    if not all(parts.values()):
        raise SystemExit(f"error: this version of TensorFlow names its operations otherwise: {sorted(total)}")
    return parts


def in_turn(timers: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds that each timer reports, round by round."""
    taken: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            time.sleep(0.2)  # until the threads of the timer before stop spinning
            taken[name].append(1e3 * timer())
    return taken


def measure(task: str, rounds: int) -> list[dict[str, Any]]:
    """Time the floor and the updates in turn, and return their medians and the median ratios to the floor."""
    single, many = (agent_of(task, 64, updates) for updates in (1, 50))
    needed = products(single.state_size, single.action_size, 64)
    weights = sum(int(np.prod(v.shape)) for net in (single.actor, single.critic) for v in net.trainable_variables)
    moved = 4 * FLOATS_PER_WEIGHT * weights
    operations = sum(2 * p.rows * p.inner * p.columns for p in needed)
    print(f"{task}: {operations / 1e6:.0f} MFLOP and {moved / 2**20:.1f} MiB an update; {kernel_in_use()}")

    by_library = {f"products by {name}": seconds_of_products(needed, make) for name, make in libraries().items()}
    others = {
        "bytes": seconds_of_bytes(moved),
        "update of 50": lambda: seconds(many.update, 1) / 50,
        "update alone": lambda: seconds(single.update),
    }
    taken = in_turn(by_library | others, rounds)
    best = min(by_library, key=lambda name: float(np.median(taken[name])))
    taken["floor"] = [sum(pair) for pair in zip(taken[best], taken["bytes"], strict=True)]
    rows = [
        {"part": name, "ms": np.median(values), "over_floor": np.median(np.divide(values, taken["floor"]))}
        for name, values in taken.items()
    ]
    return rows + [{"part": f"profile: {name}", "ms": value} for name, value in profile(single).items()]


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--tasks", nargs="+", default=["Pendulum-v1", "HalfCheetah-v5"])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (default: 15)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    use_default_kernel()
    rows = []
    for task in arguments.tasks:
        for row in measure(task, arguments.rounds):
            ratio = f"{row['over_floor']:.4f}" if "over_floor" in row else ""
            print(f"{row['part']:32} {row['ms']:7.3f} ms  {ratio}")
            rows.append({"task": task, "part": row["part"], "ms": round(row["ms"], 4), "over_floor": ratio})
    write_csv(arguments.out / "floor" / "table.csv", rows)


if __name__ == "__main__":
    main()
