"""`train.py --num-envs N --address`: runs on a cluster that loses a node, and what is refused."""

import importlib.util
import json
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from ddpg import RequestError
from ddpg.command import packages
from ddpg.command.ray import Machine
from ddpg.run.simulation import require_room
from ddpg.run.train import main as train_command
from ddpg.sweep.cluster import token
from tests.helpers.cluster import cluster_environment, two_nodes
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL, csv_rows, read_back
from tests.helpers.sweeps import wait_for_rows

WALK = (*SMALL, "--env", "tests.helpers.tasks:Walking-v0", "--num-envs", "3", "--evaluation-episodes", "3")
WALK = (*WALK, "--evaluate-every", "300", "--checkpoint-every", "900")


def refusal(capsys, folder, *flags):
    """Return the one line with which a run is refused; nothing is written."""
    assert train_command([*flags, "--run-dir", str(folder / "run"), "--plot-dir", str(folder), "--no-progress"]) == 2
    assert not list(folder.iterdir())
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_an_address_without_a_cluster_is_refused_and_nothing_is_written(tmp_path, capsys):
    line = refusal(capsys, tmp_path, *WALK, "--address", "127.0.0.1:1")
    assert line.endswith("error: --address: no Ray cluster at 127.0.0.1:1 (Connection refused)")


def test_an_address_without_ray_is_refused(tmp_path, capsys, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None if name == "ray" else find_spec(name))
    line = refusal(capsys, tmp_path, *WALK, "--address", "auto")
    assert "error: --address: needs Ray; install it with: " in line and line.endswith("pip install ray")


def test_simulators_that_have_no_room_or_take_turns_with_the_updates_are_refused(small, monkeypatch):
    machines = [Machine("10.0.0.1", 2, None), Machine("10.0.0.2", 1, None)]
    require_room(replace(small, num_envs=3), machines)
    require_room(replace(small, num_envs=4), [])
    with pytest.raises(RequestError, match=r"num_envs: 4 simulators take about 0.1 GiB each; the memory left is for 3"):
        monkeypatch.setattr("ddpg.run.simulation.available_memory", lambda: 3 * 100 * 2**20)
        require_room(replace(small, num_envs=4), [])
    with pytest.raises(RequestError, match="num_envs: 4 simulators take a core each; the cluster has 3"):
        require_room(replace(small, num_envs=4), machines)
    with pytest.raises(RequestError, match="address: needs --num-envs"):
        require_room(small, machines)


@pytest.fixture
def cluster(monkeypatch):
    for name, value in cluster_environment(token()).items():
        monkeypatch.setenv(name, value)
    with two_nodes(cores=3) as nodes:
        yield nodes


def start(folder, *flags):
    """Start `train.py` as a user does."""
    words = [sys.executable, ROOT / "train.py", "--plot-dir", folder.parent, "--no-progress", *flags]
    return subprocess.Popen(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end(process):
    """Wait for a process; return its exit code and what it wrote on stdout and stderr."""
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_that_loses_a_node_goes_on_says_so_and_keeps_it_in_its_record(tmp_path, cluster):
    run = tmp_path / "run"
    slow = ["--env-kwargs", '{"slow": 0, "seconds": 0.01}', "--run-dir", str(run), "--address", cluster.address]
    process = start(run, *WALK, *slow, "--steps", "3000")
    wait_for_rows(run / "episodes.csv", 20, process)
    cluster.lose_second()
    code, out, err = end(process)
    assert code == 0, err
    lines = [line for line in err.splitlines() if "lost" in line]  # two where both simulators of the node end apart
    assert "raylet" not in out + err

    losses = json.loads((run / "config.json").read_text())["lost_simulators"]
    assert 1 <= sum(loss["simulators"] for loss in losses) <= 2
    for loss, line in zip(losses, lines, strict=True):
        assert line.startswith("note: ") and f"lost after step {loss['after_step']};" in line
    assert read_back(run)[1]["run"]["kept"]["lost_simulators"] == losses

    rows = csv_rows(run / "episodes.csv")
    numbers, steps = ([int(row[name]) for row in rows] for name in ("episode", "steps"))
    assert len(set(numbers)) == len(numbers)
    assert all(before <= after for before, after in pairwise(steps)) and steps[-1] <= 3003
    for number, before in zip(numbers, steps, strict=True):
        assert number <= before  # no number is given out without a step
    assert read_back(run)[0].replay_buffer.added == read_back(run)[1]["episode"]["steps"] >= 3000

    code, _, err = end(start(run, "--resume", str(run), "--steps", "3300"))  # on this machine
    assert code == 0, err
    assert json.loads((run / "config.json").read_text())["lost_simulators"] == losses


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_on_a_cluster_that_is_stopped_goes_on_there_with_the_command_that_it_prints(tmp_path, cluster):
    """Ray's own handler of SIGTERM would end it without a checkpoint."""
    run = tmp_path / "run"
    process = start(run, *WALK, "--run-dir", str(run), "--address", cluster.address, "--steps", "100000")
    wait_for_rows(run / "episodes.csv", 200, process)
    process.send_signal(signal.SIGTERM)
    code, _, err = end(process)
    assert code == 143, err
    assert "stopping; the run saves first" in err
    command = err.splitlines()[-1].split("resume with: ")[1]
    assert command.endswith(f"--address {cluster.address}")
    steps = read_back(run)[1]["episode"]["steps"]
    further = ["--no-progress", "--plot-dir", str(tmp_path)]
    process = subprocess.Popen([*shlex.split(command), *further], cwd=ROOT, text=True, stderr=subprocess.PIPE)
    wait_for_rows(run / "episodes.csv", len(csv_rows(run / "episodes.csv")) + 100, process)
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == 143
    assert read_back(run)[1]["episode"]["steps"] > steps
