"""A running Ray cluster: joined, and left running."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ddpg.command.packages import require_package
from ddpg.command.tensorflow import silent_stderr
from ddpg.errors import RequestError

SECONDS_TO_CONNECT = 30


class Machine(NamedTuple):
    """A machine of the cluster."""

    address: str
    cores: int
    call: Callable[..., Any]  # runs a function on this machine, and returns its result


@contextmanager
def joined_ray(address: str) -> Iterator[list[Machine]]:
    """Join a running Ray cluster, and leave it running.

    Args:
        address: "auto" for the cluster that this machine belongs to, or HOST:PORT.

    Raises:
        RequestError: There is no cluster, or Ray is not installed.
    """
    require_package("ray", "needs Ray", "address")
    if address != "auto":
        require_answer(address)
    try:
        try:
            connect(address=address)
        except Exception as error:  # Ray raises many kinds
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise RequestError(f"no Ray cluster at {address} ({reason})", "address") from None
        import ray

        yield [
            Machine(node["NodeManagerAddress"], int(node["Resources"].get("CPU", 0)), caller_on(node["NodeID"]))
            for node in ray.nodes()
            if node["Alive"]
        ]
    finally:
        disconnect()


def require_answer(address: str) -> None:
    """Raise `RequestError` unless a cluster may be at HOST:PORT, within `SECONDS_TO_CONNECT`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise RequestError(f"expected auto or HOST:PORT, got {address!r}", "address")
    try:
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_CONNECT / 2).close()
        # What listens there may be something else, for whose answer Ray would wait for ever.
        status = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
        subprocess.run(status, capture_output=True, timeout=SECONDS_TO_CONNECT / 2)
    except OSError as error:
        raise RequestError(f"no Ray cluster at {address} ({error.strerror or error})", "address") from None
    except subprocess.TimeoutExpired:
        raise RequestError(f"no Ray cluster at {address} (what listens there does not answer)", "address") from None


def connect(**options: Any) -> None:
    """Call `ray.init` without its messages."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a run may use the machine's GPU
    with silent_stderr():
        import ray

        ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=False, **options)
        ray._private.worker._worker_logs_enabled = False  # dozens of lines for a machine that is lost, on stdout


def disconnect() -> None:
    """Leave the cluster; one that this process has started ends with this."""
    if "ray" in sys.modules:
        import ray

        ray.shutdown()


def caller_on(node_id: str) -> Callable[..., Any]:
    """Return a function that calls another function on one machine of the cluster."""

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        place = NodeAffinitySchedulingStrategy(node_id, soft=False)
        task = ray.remote(num_cpus=0, max_retries=1, max_calls=1)(function)
        try:
            return ray.get(task.options(scheduling_strategy=place).remote(*arguments))
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None

    return call
