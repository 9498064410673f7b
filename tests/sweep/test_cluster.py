"""A sweep on a running Ray cluster of two nodes: one is lost in the middle, and what its machines lack is said."""

import os
import secrets
import subprocess
import sys

import pytest

from tests.helpers.pages import ROOT
from tests.helpers.runs import assert_same_run
from tests.helpers.sweeps import LONG, start, train_alone, wait_for_rows, worker_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LONGER = (*LONG, "--steps", "12000")  # on a busy machine, the first run must not end before the second one begins

# Two nodes of one core each, in a process of their own. "remove" takes the second one away without grace.
NODES = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
second = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
for line in sys.stdin:
    cluster.remove_node(second, allow_graceful=False)
    print("removed", flush=True)
cluster.shutdown()
"""


@pytest.fixture
def cluster(monkeypatch):
    """A cluster that asks for a token; its process, after printing the address."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # the loopback address only
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-c", NODES]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        yield process
        process.stdin.close()
        process.wait(60)


def node_of(process: int) -> str:
    """Return the command line of the raylet that started a worker, with its node in it."""
    with open(f"/proc/{process}/stat") as file:
        parent = file.read().rsplit(")", 1)[1].split()[1]
    with open(f"/proc/{parent}/cmdline") as file:
        return file.read()


def test_a_run_whose_node_is_lost_goes_on_elsewhere_with_the_same_bits(tmp_path, cluster):
    address = cluster.stdout.readline().strip()
    runs = [tmp_path / "s" / "Pendulum-v1" / f"seed{seed}" for seed in (0, 1)]
    with start(tmp_path / "s", *LONGER, "--seeds", "2", "--address", address) as process:
        for run in runs:  # both go at once, each on its own node
            wait_for_rows(run / "episodes.csv", 4, process)
        assert node_of(worker_of(runs[0])) != node_of(worker_of(runs[1]))
        cluster.stdin.write("remove\n")
        cluster.stdin.flush()
        assert cluster.stdout.readline() == "removed\n"
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert "2 of 2 runs finished" in out
    for seed, run in enumerate(runs):
        train_alone(tmp_path / f"alone{seed}", *LONGER, "--seed", str(seed))
        assert_same_run(tmp_path / f"alone{seed}", run)
    assert cluster.poll() is None  # the cluster was joined, so it is left running


def test_a_cluster_refuses_those_without_its_token(tmp_path, cluster):
    address = cluster.stdout.readline().strip()
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    with start(tmp_path / "s", *LONG, "--address", address) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 2, out + err
    assert f"no Ray cluster at {address}" in err and err.count("\n") == 1
    assert not (tmp_path / "s").exists()
