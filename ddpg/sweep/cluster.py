"""Ray on this machine alone, started for a sweep and private to it."""

import functools
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ddpg.command.ray import Machine, connect, disconnect

SECONDS_TO_END = 5  # for Ray's processes, before their folder goes
# Variables that lead `ray.init` to another cluster, or its jobs elsewhere, where this machine alone is meant.
LEADING_ELSEWHERE = ("RAY_ADDRESS", "RAY_NAMESPACE", "RAY_JOB_CONFIG_JSON_ENV_VAR", "RAY_OVERRIDE_RESOURCES")
OBJECT_STORE_BYTES = 80 * 1024**2  # jobs and their outcomes are small; Ray asks for 75 MiB or more


@contextmanager
def local_ray(cores: int) -> Iterator[list[Machine]]:
    """Start Ray on this machine, closed to all others, and remove every trace of it afterwards.

    It listens on the loopback address only, asks for a token that only this process knows, sends no usage statistics,
    and keeps its files in a temporary folder.

    Args:
        cores: How many cores its tasks may take together.
    """
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
