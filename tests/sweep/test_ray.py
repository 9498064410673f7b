"""Ray and its addresses: a local one is closed to other machines, and a wrong address is said in one line."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.pages import ROOT
from tests.helpers.sweeps import TASK, sweep

pytestmark = pytest.mark.timeout(300)

LISTENERS = """
from ddpg.sweep.cluster import local_ray
from tests.sweep.test_ray import listening
with local_ray(1):
    print(*listening())
"""


def listening() -> set[str]:
    """Return the addresses and ports, in hexadecimal digits, at which any process of this machine listens."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return {fields[1] for fields in lines if fields[3] == "0A"}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux")
def test_ray_listens_to_nobody_else_and_is_gone_afterwards(tmp_path):
    before = listening()
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", LISTENERS], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    opened = set(done.stdout.split()) - before
    assert opened, "Ray should have listened somewhere"
    loopback = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
    assert {address.split(":")[0] for address in opened} <= loopback
    assert not (tmp_path / ".ray").exists()
    deadline = time.monotonic() + 20
    while listening() - before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not listening() - before


def test_no_cluster_at_an_address_is_said_within_30_seconds(tmp_path, capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    start = time.monotonic()
    for given, reason in ((address, "Connection refused"), ("nonsense", "expected auto or HOST:PORT")):
        assert sweep(tmp_path / "s", *TASK, "--address", given) == 2
        error = capsys.readouterr().err
        assert reason in error and error.count("\n") == 1
    assert time.monotonic() - start < 30
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_something_else_at_the_address_is_said_within_30_seconds(tmp_path, capsys):
    """Ray would wait for its answer for ever."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert sweep(tmp_path / "s", *TASK, "--address", address) == 2
    assert f"no Ray cluster at {address} (what listens there does not answer)" in capsys.readouterr().err
    assert time.monotonic() - start < 30
