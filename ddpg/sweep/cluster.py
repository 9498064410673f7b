"""The machines of a sweep: Ray on this machine alone, started for the sweep and private to it, or a running cluster."""

import functools
import logging
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ddpg.command.packages import require_package
from ddpg.command.tensorflow import silent_stderr
from ddpg.errors import RequestError

SECONDS_TO_CONNECT = 30
SECONDS_TO_END = 5  # for Ray's processes, before their folder goes
# Variables that lead `ray.init` to another cluster, or its jobs elsewhere, where this machine alone is meant.
LEADING_ELSEWHERE = ("RAY_ADDRESS", "RAY_NAMESPACE", "RAY_JOB_CONFIG_JSON_ENV_VAR", "RAY_OVERRIDE_RESOURCES")
OBJECT_STORE_BYTES = 80 * 1024**2  # jobs and their outcomes are small; Ray asks for 75 MiB or more


class Machine(NamedTuple):
    """A machine of the cluster."""

    address: str
    cores: int
    call: Callable[..., Any]  # runs a function on this machine, and returns its result


@contextmanager
def local_ray(cores: int) -> Iterator[list[Machine]]:
    """Start Ray on this machine, closed to all others, and remove every trace of it afterwards.

    It listens on the loopback address only, asks for a token that only this process knows, sends no usage statistics,
    and keeps its files in a temporary folder.

    Args:
        cores: How many cores its tasks may take together.
    """
    require_ray()
    private: dict[str, str | None] = {
        **dict.fromkeys(LEADING_ELSEWHERE),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token(),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # Ray then keeps to the loopback address on every system
    }
    # Ray makes sockets in its folder, and the path of a socket has at most 107 bytes, on macOS 104.
    folder = tempfile.mkdtemp(prefix="ddpg-", dir="/tmp" if os.path.isdir("/tmp") else None)
    with environment_variables(private):
        try:
            connect(
                address="local",
                num_cpus=cores,
                num_gpus=0,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1",
                _temp_dir=os.path.join(folder, "r"),  # which Ray opens to everybody: the folder around it stays closed
            )
            yield [Machine("127.0.0.1", cores, lambda function, *arguments: function(*arguments))]
        finally:
            try:
                disconnect()
            finally:
                remove_folder(folder)


@contextmanager
def joined_ray(address: str) -> Iterator[list[Machine]]:
    """Join a running Ray cluster, and leave it running.

    Args:
        address: "auto" for the cluster that this machine belongs to, or HOST:PORT.

    Raises:
        RequestError: There is no cluster.
    """
    require_ray()
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


def remove_folder(folder: str) -> None:
    """Remove Ray's folder, into which its processes may write until they have ended."""
    deadline = time.monotonic() + SECONDS_TO_END
    while os.path.exists(folder) and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)


@functools.cache
def token() -> str:
    """Return the token of this process; Ray reads it once and keeps it."""
    return secrets.token_hex(32)


def require_ray() -> None:
    """Raise `RequestError` if Ray is not installed."""
    require_package("ray", "sweeps need Ray")


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


def disconnect() -> None:
    """Leave the cluster; one that was started for the sweep ends with this."""
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


@contextmanager
def environment_variables(values: dict[str, str | None]) -> Iterator[None]:
    """Set environment variables, or remove them for None, and put them back as they were."""
    before = {name: os.environ.get(name) for name in values}
    put_environment(values)
    try:
        yield
    finally:
        put_environment(before)


def put_environment(values: dict[str, str | None]) -> None:
    """Set environment variables, or remove them for None."""
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
