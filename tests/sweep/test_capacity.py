"""What runs take, counted by hand, and the smallest memory and disk that hold them."""

from types import SimpleNamespace

import pytest

from ddpg import Config, RequestError
from ddpg.molgan.config import MolGANConfig
from ddpg.run.memory import GIB
from ddpg.sweep import capacity
from ddpg.sweep.capacity import bytes_of, check_capacity, require_free
from ddpg.sweep.cluster import Machine
from ddpg.sweep.jobs import MolGANJob, TrainingJob

ROW, MIB = 36, 1024**2  # bytes of a transition of Pendulum
NETWORKS = capacity.network_bytes(Config(), 3, 1)


def test_a_run_takes_its_process_its_networks_and_the_transitions_that_it_will_store():
    memory, disk = bytes_of(Config(steps=1_000), 3, 1)
    assert memory == pytest.approx(0.8 * GIB + NETWORKS + 1_000 * ROW, abs=1)
    assert disk == pytest.approx(4 * MIB + 1_000 * ROW + 4 * NETWORKS, abs=1)
    small = bytes_of(Config(steps=1_000, buffer_size=200), 3, 1)
    assert memory - small[0] == pytest.approx(800 * ROW)  # the ring holds no more
    assert bytes_of(Config(steps=1_000, num_envs=3), 3, 1)[0] - memory == pytest.approx(0.3 * GIB)


@pytest.mark.parametrize(("needed", "runs"), [([GIB], "1 run together"), ([GIB, GIB / 2], "2 runs together")])
def test_what_just_fits_is_taken_and_one_byte_less_is_refused(needed, runs):
    require_free(needed, sum(needed), "of memory", "use less")
    with pytest.raises(RequestError, match=rf"^{runs} take up to 1\.[05] GiB of memory, but only 1\.[05] GiB is free"):
        require_free(needed, sum(needed) - 1, "of memory", "use less")


@pytest.mark.parametrize(("cores", "max_jobs", "count", "at_once"), [(4, 9, 9, 4), (9, 2, 9, 2), (9, 9, 3, 3)])
def test_as_many_runs_go_at_once_as_cores_jobs_and_runs_allow(tmp_path, monkeypatch, cores, max_jobs, count, at_once):
    """The largest of them: nobody knows in which order they will meet."""
    asked = []
    monkeypatch.setattr(capacity, "require_free", lambda needed, *_: asked.append(list(needed)))
    jobs = [TrainingJob(tmp_path / str(k), Config(steps=1_000 * (k + 1), env="Endless-v0")) for k in range(count)]
    machine = Machine("here", cores, lambda function, *arguments: function(*arguments))
    check_capacity(jobs, [machine], max_jobs, tmp_path)
    memory, disk = asked
    assert len(memory) == at_once and memory == sorted(memory, reverse=True) and len(disk) == count
    assert memory[0] == bytes_of(jobs[-1].config, 1, 1)[0]


def test_a_disk_counts_with_what_is_free_on_it(tmp_path, monkeypatch):
    monkeypatch.setattr(capacity.shutil, "disk_usage", lambda folder: SimpleNamespace(total=1e15, used=1e15, free=GIB))
    machine = Machine("here", 4, lambda function, *arguments: 1e15)
    jobs = [MolGANJob(tmp_path, MolGANConfig(), None, 10)] * 32
    check_capacity(jobs, [machine], 4, tmp_path)
    with pytest.raises(RequestError, match=r"on the disk of .*, but only 1\.0 GiB is free"):
        check_capacity([*jobs, jobs[0]], [machine], 4, tmp_path)


def test_the_machine_is_named_only_where_there_are_several(tmp_path):
    def call(function, *arguments):
        raise RequestError("there is no module 'mine'", "env")

    with pytest.raises(RequestError, match=r"^env: there is no module 'mine'$"):
        check_capacity([TrainingJob(tmp_path, Config())], [Machine("here", 1, call)], 1, tmp_path)


def test_a_run_of_molgan_takes_its_own_measure(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(capacity, "require_free", lambda needed, *_: asked.append(list(needed)))
    machine = Machine("here", 4, lambda function, *arguments: function(*arguments))
    check_capacity([MolGANJob(tmp_path, MolGANConfig(), None, 10)], [machine], 4, tmp_path)
    assert asked == [[pytest.approx(1.2 * GIB)], [32 * MIB]]


def test_a_folder_that_cannot_be_written_is_the_fault_of_its_flag(tmp_path, monkeypatch):
    def full(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(capacity.tempfile, "NamedTemporaryFile", full)
    machines = [Machine(name, 1, lambda function, *arguments: function(*arguments)) for name in ("a", "b")]
    with pytest.raises(RequestError, match=r"cannot write to .*: Read-only file system") as caught:
        check_capacity([TrainingJob(tmp_path / "r", Config())], machines, 1, tmp_path)
    assert caught.value.setting == "sweep_dir"
