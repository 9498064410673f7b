"""A sweep on a running Ray cluster of two nodes: one is lost in the middle, and what its machines lack is said."""

import os
import secrets

import pytest

from tests.helpers.cluster import cluster_environment, two_nodes
from tests.helpers.runs import assert_same_run
from tests.helpers.sweeps import LONG, start, train_alone, wait_for_rows, worker_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LONGER = (*LONG, "--steps", "12000")  # on a busy machine, the first run must not end before the second one begins


@pytest.fixture
def cluster(monkeypatch):
    """A cluster that asks for a token, of two nodes of one core each."""
    for name, value in cluster_environment(secrets.token_hex(32)).items():
        monkeypatch.setenv(name, value)
    with two_nodes(cores=1) as nodes:
        yield nodes


def node_of(process: int) -> str:
    """Return the command line of the raylet that started a worker, with its node in it."""
    with open(f"/proc/{process}/stat") as file:
        parent = file.read().rsplit(")", 1)[1].split()[1]
    with open(f"/proc/{parent}/cmdline") as file:
        return file.read()


def test_a_run_whose_node_is_lost_goes_on_elsewhere_with_the_same_bits(tmp_path, cluster):
    runs = [tmp_path / "s" / "Pendulum-v1" / f"seed{seed}" for seed in (0, 1)]
    with start(tmp_path / "s", *LONGER, "--seeds", "2", "--address", cluster.address) as process:
        for run in runs:  # both go at once, each on its own node
            wait_for_rows(run / "episodes.csv", 4, process)
        assert node_of(worker_of(runs[0])) != node_of(worker_of(runs[1]))
        cluster.lose_second()
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert "2 of 2 runs finished" in out
    for seed, run in enumerate(runs):
        train_alone(tmp_path / f"alone{seed}", *LONGER, "--seed", str(seed))
        assert_same_run(tmp_path / f"alone{seed}", run)
    assert cluster.process.poll() is None  # the cluster was joined, so it is left running


def test_a_cluster_refuses_those_without_its_token(tmp_path, cluster):
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    with start(tmp_path / "s", *LONG, "--address", cluster.address) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 2, out + err
    assert f"no Ray cluster at {cluster.address}" in err and err.count("\n") == 1
    assert not (tmp_path / "s").exists()
