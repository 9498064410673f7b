"""Simulators on a Ray cluster: speed against processes of this machine, the driver's share, and what a lost node costs.

    python -m benchmarks.experience.cluster    # about five minutes on two cores

It starts a cluster of two nodes on this machine, so what it shows is the cost of Ray and not that of a network. The
slow simulators sleep, so two cores are enough. Both kinds take turns. It needs `pip install -r requirements-sweep.txt`,
and prints its figures.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.output import parser_for
from benchmarks.common.slow_task import SLOW_TASK, config_of, until

SIMULATORS, MILLISECONDS, TRAIN_FREQUENCY = 8, 20, 8
NODES = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 32})
second = cluster.add_node(num_cpus=32)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
for line in sys.stdin:
    cluster.remove_node(second, allow_graceful=False)
cluster.shutdown()
"""


@contextmanager
def two_nodes() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the address of a cluster of two nodes, and what takes the second one away without grace."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", NODES], text=True, bufsize=1, **pipes) as process:
        assert process.stdin and process.stdout
        yield process.stdout.readline().strip(), lambda: print("remove", file=process.stdin)
        process.stdin.close()


def loopback_bytes() -> int:
    """Return the bytes that this machine has sent to itself so far."""
    (line,) = [line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:")]
    return int(line.split(":")[1].split()[0])


def rounds_of(make: Any, config: Any, stack: ExitStack) -> Any:
    """Return the rounds of a new agent with N simulators, past the random actions and the compilation."""
    from ddpg.agent import DDPG
    from ddpg.experience.parallel import Rounds

    rounds = Rounds(DDPG(3, 1, config), stack.enter_context(make(config, SIMULATORS, sizes=(3, 1))))
    while rounds.agent.updates < 20:
        rounds.next()
    return rounds


def speed_of(rounds: Any, seconds: float) -> float:
    """Return the environment steps per second in about so many seconds."""
    steps, start = rounds.steps, time.perf_counter()
    while time.perf_counter() < start + seconds:
        rounds.next()
    return (rounds.steps - steps) / (time.perf_counter() - start)


def show_driver(make: Any, count: int, seconds: float) -> None:
    """Print what a round of fast simulators costs the process that trains, and what goes over the network."""
    with make(config_of("Pendulum-v1", 0, 1), count, sizes=(3, 1)) as simulators:
        simulators.reset(seed=list(range(count)), options={"reset_mask": np.ones(count, bool)})
        actions = np.zeros((count, 1), np.float32)
        simulators.step(actions)
        start, used, sent = time.perf_counter(), time.process_time(), loopback_bytes()
        rounds = until(seconds, lambda: bool(simulators.step(actions)))
        wall, used, sent = time.perf_counter() - start, time.process_time() - used, loopback_bytes() - sent
        print(
            f"{make.__name__:18} N = {count:2}: a round takes {1e3 * wall / rounds:6.2f} ms, the driver computes for "
            f"{1e3 * used / rounds:6.2f} ms of it; {sent / rounds / count:5.0f} bytes for a step",
            flush=True,
        )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each kind (default: 5)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a turn (default: 5)")
    arguments = parser.parse_args()
    from ddpg.command.ray import joined_ray
    from ddpg.experience.cluster_simulators import ClusterSimulators
    from ddpg.experience.simulators import Simulators
    from ddpg.sweep.cluster import environment_variables, token

    with ExitStack() as stack:
        closed: dict[str, str | None] = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": token(),
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        }
        stack.enter_context(environment_variables(closed))
        address, lose_second = stack.enter_context(two_nodes())
        stack.enter_context(joined_ray(address))
        for count in (1, 8, 32):
            for make in (Simulators, ClusterSimulators):
                show_driver(make, count, arguments.seconds)

        config = config_of(SLOW_TASK, MILLISECONDS, TRAIN_FREQUENCY)
        each = {make.__name__: rounds_of(make, config, stack) for make in (Simulators, ClusterSimulators)}
        speeds: dict[str, list[float]] = {name: [] for name in each}
        for _ in range(arguments.rounds):
            for name, rounds in each.items():
                speeds[name].append(speed_of(rounds, arguments.seconds))
        for name, values in speeds.items():
            ratio = np.median(np.divide(values, speeds["Simulators"]))
            print(f"{name:18} {np.median(values):7.1f} steps/s, {ratio:.2f} of Simulators", flush=True)

        rounds = each["ClusterSimulators"]
        lost: list[int] = []
        longest: list[float] = []
        rounds.environments.tell = lost.append
        lose_second()
        while not lost or len(longest) < 200:
            start = time.perf_counter()
            rounds.next()
            longest.append(time.perf_counter() - start)
        waits = [f"{wait:.1f}" for wait in longest if wait > 1]
        print(
            f"a lost node: {sum(lost)} of {SIMULATORS} simulators; rounds that took over a second: {', '.join(waits)} s"
        )


if __name__ == "__main__":
    main()
