"""Training on a GPU against the CPU of the same machine: whether the numbers agree, and which is faster.

    python -m benchmarks.speed.gpu    # about fifteen minutes on a machine with an NVIDIA GPU

First, the same updates are made once on the CPU and four times on the GPU, and the weights are compared. Then both
train in turn, and the GPU trains in turn with XLA's deterministic operations and without. At the end, several runs
train at a time, on the GPU or with one thread of the CPU each. It writes results/gpu.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.workers import ENVIRONMENT, Worker

GPU = ENVIRONMENT | {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}  # as a run sets it: several share the memory
DETERMINISTIC = GPU | {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true".strip()}
CPU = ENVIRONMENT | {"CUDA_VISIBLE_DEVICES": "-1"}
ONE_THREAD = CPU | {"TF_NUM_INTRAOP_THREADS": "1"}

UPDATES = (1, 10, 100, 300)  # after which the weights are compared


def save_weights(path: Path) -> None:
    """Train a new agent on random transitions; save the weights of its networks after each number of `UPDATES`."""
    import tensorflow as tf

    from benchmarks.common.steps import agent_with, step_of

    agent = agent_with()
    saved: dict[str, Any] = {}
    step = step_of(agent)
    for update in range(1, UPDATES[-1] + 1):
        step()
        if update in UPDATES:
            variables = [*agent.actor.variables, *agent.critic.variables]
            saved[str(update)] = np.concatenate([variable.numpy().ravel() for variable in variables])
    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu)["device_name"] for gpu in gpus]
    np.savez(path, device=agent.actor.variables[0].value.device, gpu=", ".join(names), **saved)


def weights(environment: dict[str, str]) -> dict[str, np.ndarray]:
    """Return what `save_weights` saves in a process with these environment variables."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.npz")
        subprocess.run([sys.executable, __file__, "--save-weights", path], env=environment, check=True)
        with np.load(path) as file:
            return dict(file)


def agreement() -> Iterator[dict]:
    """Yield the largest difference of a weight from the CPU's, and between two runs on the GPU."""
    on_gpu, again = weights(GPU), weights(GPU)
    gpu = str(on_gpu["gpu"])
    if not gpu:
        raise SystemExit("TensorFlow sees no GPU here: see https://www.tensorflow.org/install/pip")
    print(f"{gpu}: the actor's first weights are on {on_gpu['device']}")
    on_cpu, deterministic, deterministic_again = weights(CPU), weights(DETERMINISTIC), weights(DETERMINISTIC)
    for update in map(str, UPDATES):
        yield {
            "gpu": gpu,
            "updates": update,
            "from_cpu": difference(on_gpu[update], on_cpu[update]),
            "from_second_run": difference(on_gpu[update], again[update]),
            "from_second_deterministic_run": difference(deterministic[update], deterministic_again[update]),
        }


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest absolute difference."""
    return float(np.abs(one - other).max())


def speeds(
    tasks: list[str], batch_sizes: list[int], rounds: int, processors: dict[str, dict[str, str]]
) -> Iterator[dict]:
    """Train on the processors in turn, each with its environment variables; yield a row per setting and round."""
    settings = [(task, size, updates) for task in tasks for size in batch_sizes for updates in (1, 50)]
    for task, batch_size, updates in settings:
        workers = {
            processor: Worker("ours", task, batch_size, updates, environment=environment)
            for processor, environment in processors.items()
        }
        warm_up(workers.values(), max(1_000, batch_size) + 300)
        for number in range(rounds):
            for processor, worker in workers.items():
                time.sleep(0.1)  # the threads of the others go to sleep
                speed = worker.steps_per_second(200)
                setting = {"task": task, "batch_size": batch_size, "updates": updates}
                yield setting | {"round": number, "processor": processor, "steps_per_second": round(speed, 2)}
        for worker in workers.values():
            worker.close()


def runs_at_a_time(counts: list[int], rounds: int) -> Iterator[dict]:
    """Train several runs at a time; yield the steps per second of all of them together."""
    for count in counts:
        for processor, environment in (("GPU", GPU), ("CPU", ONE_THREAD)):
            workers = [Worker("ours", "HalfCheetah-v5", 64, 50, environment=environment) for _ in range(count)]
            warm_up(workers, 1_300)
            for number in range(rounds):
                for worker in workers:
                    worker.start(1_000)
                total = sum(worker.finish() for worker in workers)
                yield {"runs": count, "round": number, "processor": processor, "steps_per_second": round(total, 2)}
            for worker in workers:
                worker.close()


def warm_up(workers: Iterable[Worker], steps: int) -> None:
    """Let all workers go past the random actions at the beginning and the compilation, at the same time."""
    for worker in workers:
        worker.start(steps)
    for worker in workers:
        worker.finish()


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = parser_for(__doc__)
    parser.add_argument("--tasks", nargs="+", default=["Pendulum-v1", "HalfCheetah-v5", "Humanoid-v5"])
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[64, 256, 1024, 4096])
    parser.add_argument("--runs", nargs="+", type=int, default=[1, 4, 8], help="runs at a time")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default: 5)")
    parser.add_argument("--save-weights", type=Path, metavar="FILE", help="make the updates in this process, no more")
    add_output_flag(parser)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if arguments.save_weights:
        return save_weights(arguments.save_weights)
    modes = {"GPU": GPU, "deterministic GPU": DETERMINISTIC}
    parts = {
        "agreement": agreement(),
        "speed": speeds(arguments.tasks, arguments.batch_sizes, arguments.rounds, {"GPU": GPU, "CPU": CPU}),
        "deterministic": speeds(["HalfCheetah-v5"], [64], arguments.rounds, modes),
        "runs": runs_at_a_time(arguments.runs, arguments.rounds),
    }
    for name, measured in parts.items():
        rows = []
        for row in measured:  # written each time, so that an interrupted benchmark keeps what it measured
            print(*row.values(), flush=True)
            rows.append(row)
            write_csv(arguments.out / "gpu" / f"{name}.csv", rows)


if __name__ == "__main__":
    main()
