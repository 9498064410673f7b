"""A Ray cluster of two nodes on this machine, in a process of its own; the second one can be lost."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.pages import ROOT

NODES = """
import sys
from ray.cluster_utils import Cluster
cores = int(sys.argv[1])
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": cores})
second = cluster.add_node(num_cpus=cores)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
for line in sys.stdin:
    cluster.remove_node(second, allow_graceful=False)
    print("removed", flush=True)
cluster.shutdown()
"""


class TwoNodes:
    """The cluster.

    Attributes:
        process: The one that holds both nodes.
        address: HOST:PORT.
    """

    def __init__(self, process: subprocess.Popen) -> None:
        self.process, self.address = process, process.stdout.readline().strip()

    def lose_second(self) -> None:
        """Take the second node away without grace."""
        self.process.stdin.write("remove\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "removed\n"


def cluster_environment(token: str) -> dict[str, str]:
    """Return the variables of a cluster that asks for a token and listens on the loopback address only."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def two_nodes(cores: int) -> Iterator[TwoNodes]:
    """Start a cluster of two nodes with so many cores each; the variables must be set."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", NODES, str(cores)], text=True, **pipes) as process:
        yield TwoNodes(process)
        process.stdin.close()
        process.wait(60)
