"""How much memory is free: of the machine, of its container, of each group above this process."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ddpg import Config, RequestError
from ddpg.run import memory
from ddpg.run.memory import GIB, available_memory, cgroup_limits, network_bytes, require_memory, rows_of_run

MEMINFO = "MemTotal:       8000000 kB\nMemFree:        1000 kB\nMemAvailable:   2000 kB\n"


@pytest.fixture
def machine(monkeypatch):
    """A machine of which a test says what /proc/meminfo and the groups of this process hold."""
    texts = {"/proc/meminfo": MEMINFO}

    def read_text(path, *_):
        if str(path) not in texts:
            raise FileNotFoundError(path)
        return texts[str(path)]

    monkeypatch.setattr(Path, "read_text", read_text)
    return texts


def test_what_counts_is_the_memory_that_is_free_not_what_there_is(machine):
    assert available_memory() == 2000 * 1024


@pytest.mark.parametrize("text", ["MemTotal: 8000 kB\n", "", "nonsense", "MemAvailable: much\n"])
def test_elsewhere_than_on_linux_it_is_all_of_the_machines_memory(machine, monkeypatch, text):
    machine["/proc/meminfo"] = text
    monkeypatch.setattr(os, "sysconf_names", {"SC_PHYS_PAGES": 1, "SC_PAGE_SIZE": 2}, raising=False)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 100, "SC_PAGE_SIZE": 4096}.get, raising=False)
    assert available_memory() == memory.total_memory() == 100 * 4096
    monkeypatch.setattr(os, "sysconf_names", {})
    assert available_memory() == memory.total_memory() == float("inf")  # unknown: nothing is refused


def test_the_smaller_of_the_machine_and_its_container_counts_and_less_than_nothing_is_nothing(machine):
    root = "/sys/fs/cgroup"
    machine |= {f"{root}/memory.max": "900000\n", f"{root}/memory.current": "100000\n"}
    assert available_memory() == 800_000
    machine[f"{root}/memory.max"] = "90000000"
    assert available_memory() == 2000 * 1024
    machine[f"{root}/memory.max"] = "90000"
    assert available_memory() == 0


def group(folder: Path, most: object, used: object, names=("memory.max", "memory.current")) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in zip(names, (most, used), strict=True):
        (folder / name).write_text(f"{value}\n")


def test_each_group_from_this_process_up_may_set_a_limit(tmp_path):
    (tmp_path / "own").write_text("0::/batch/job/step\n")
    group(tmp_path / "batch" / "job" / "step", "max", 10)
    group(tmp_path / "batch" / "job", 900, 300)
    group(tmp_path / "batch", 5000, 1000)
    group(tmp_path / "another", 1, 0)
    assert sorted(set(cgroup_limits(tmp_path, tmp_path / "own"))) == [600, 4000]


def test_groups_of_the_first_version_are_read_too(tmp_path):
    """There each controller has a tree of its own, and a process a line for each; others than memory say nothing."""
    (tmp_path / "own").write_text("7:cpu,memory:/job:1\n3:cpuset:/tight\n1:name=systemd:/x\n")
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    group(tmp_path / "memory" / "job:1", 700, 300, names)
    group(tmp_path / "memory", 9000, 1000, names)
    group(tmp_path / "memory" / "tight", 1, 0, names)
    assert cgroup_limits(tmp_path, tmp_path / "own") == [400, 8000]


@pytest.mark.parametrize("lines", [None, "nonsense\n", ""])
def test_without_groups_the_root_is_asked_all_the_same(tmp_path, lines):
    if lines is not None:
        (tmp_path / "own").write_text(lines)
    assert cgroup_limits(tmp_path, tmp_path / "own") == []
    group(tmp_path, 50, 20)
    assert cgroup_limits(tmp_path, tmp_path / "own") == [30]


def test_a_run_stores_its_steps_a_last_episode_and_its_goals_and_never_more_than_the_ring_holds():
    assert rows_of_run(Config(steps=10_000)) == 12_000  # a tenth and 1,000 for the last episode
    assert rows_of_run(Config(steps=10_000, buffer_size=5_000)) == 5_000
    assert rows_of_run(Config(steps=None, episodes=3)) == Config().buffer_size
    assert rows_of_run(replace(Config(steps=1_000), hindsight_goals=4)) == 5 * 2_100
    assert rows_of_run(replace(Config(steps=1_000), data={"log.npz": "1a"})) == Config().buffer_size


def test_networks_are_counted_with_each_weight_four_times():
    """Two inputs, one action, three and five units, by hand; the action enters the critic once, at the larger place."""
    actor, critic = 3 * 3 + 4 * 5 + 6, 4 * 3 + 5 * 5 + 6
    assert network_bytes(Config(hidden_units=(3, 5)), 2, 1) == 4 * 4 * (actor + critic)


@pytest.mark.parametrize("short", [0, 1])
def test_networks_and_buffer_must_fit_together_to_the_byte(monkeypatch, short):
    config = Config(buffer_size=100, batch_size=8)
    needed = network_bytes(config, 3, 1) + 100 * 36
    monkeypatch.setattr(memory, "available_memory", lambda: needed - short)
    monkeypatch.setattr(memory, "total_memory", lambda: 64 * GIB)
    if not short:
        require_memory(config, 3, 1)
    else:
        with pytest.raises(RequestError, match=r"use at most 99$"):
            require_memory(config, 3, 1)


def test_a_buffer_beyond_the_machines_memory_is_refused_though_it_is_never_filled(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 2.0 * GIB)
    monkeypatch.setattr(memory, "total_memory", lambda: 36 * 10_000)
    require_memory(Config(buffer_size=10_000, steps=100), 3, 1)
    with pytest.raises(RequestError, match=r"use at most 1110$"):
        require_memory(Config(buffer_size=10_001, steps=100), 3, 1)
