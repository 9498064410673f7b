"""Compiled code is kept between processes; whatever happens to its files, a run trains the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddpg.run import compile_cache
from ddpg.run.compile_cache import cache_folder, publish_compiled_code, use_compile_cache
from ddpg.run.files import checksum
from tests.helpers.pages import ROOT
from tests.helpers.runs import assert_same_run

JOB = [
    *("--env", "Endless-v0", "--steps", "40", "--hidden-units", "16", "16", "--batch-size", "16"),
    *("--buffer-size", "1000", "--evaluation-episodes", "1", "--no-progress"),
]
RUN = "import sys, tests.helpers.tasks; from ddpg.run.train import main; sys.exit(main(sys.argv[1:]))"
LOG = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "device_executable_persistor=1"}
LOADED = "Loading cached entry for"  # what TensorFlow logs when it reads compiled code


@pytest.fixture
def shared(tmp_path, monkeypatch) -> Path:
    """The folder of compiled code, which does not exist yet; this process has no private folder."""
    monkeypatch.setenv("DDPG_COMPILE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TF_XLA_FLAGS", "")  # set first, so that it is as before afterwards
    monkeypatch.setattr(compile_cache, "private", None)
    found = cache_folder()
    assert found is not None and found.parent == tmp_path / "cache"
    return found


def start(run_dir: Path) -> subprocess.Popen:
    """Start a run in a process of its own."""
    command = [sys.executable, "-c", RUN, *JOB, "--run-dir", str(run_dir), "--plot-dir", str(run_dir.parent)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | LOG, stderr=subprocess.PIPE, text=True)


def loaded(process: subprocess.Popen) -> int:
    """Wait for a run; return how many files of compiled code it has read."""
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    return errors.count(LOADED)


def entry(shared: Path, name: str, content: bytes = b"code", time: float = 0.0) -> Path:
    """Put a file into the cache."""
    shared.mkdir(parents=True, exist_ok=True)
    file = shared / name
    file.write_bytes(content)
    file = file.rename(shared / f"{name}.{checksum(file)}")
    os.utime(file, (time, time))
    return file


def test_a_second_run_uses_the_code_of_the_first_and_has_the_same_bits(tmp_path, shared):
    assert loaded(start(tmp_path / "first")) == 0
    assert len(list(shared.iterdir())) == 2  # the update, and the policy
    assert loaded(start(tmp_path / "second")) == 2
    assert len(list(shared.iterdir())) == 2
    assert_same_run(tmp_path / "first", tmp_path / "second")


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_damaged_code_is_compiled_again(tmp_path, shared, damage):
    assert loaded(start(tmp_path / "first")) == 0
    for file in shared.iterdir():
        content = file.read_bytes()
        if damage == "truncated":
            file.write_bytes(content[: len(content) // 2])
        elif damage == "flipped":
            file.write_bytes(content[:-1000] + bytes([content[-1000] ^ 1]) + content[-999:])
        else:
            file.write_bytes(b"")
    assert loaded(start(tmp_path / "second")) == 0
    assert_same_run(tmp_path / "first", tmp_path / "second")
    assert loaded(start(tmp_path / "third")) == 2


@pytest.mark.slow
def test_processes_that_start_at_once_do_not_disturb_each_other(tmp_path, shared):
    processes = [start(tmp_path / f"run{number}" / "run") for number in range(3)]
    for process in processes:
        loaded(process)
    for number in (1, 2):
        assert_same_run(tmp_path / "run0" / "run", tmp_path / f"run{number}" / "run")
    assert loaded(start(tmp_path / "after")) == 2


@pytest.mark.slow
def test_another_number_of_threads_does_not_read_the_code(tmp_path, shared):
    JOB.append("--threads=1")
    try:
        assert loaded(start(tmp_path / "one thread")) == 0
    finally:
        JOB.remove("--threads=1")
    assert loaded(start(tmp_path / "all threads")) == 0


def test_only_files_whose_checksum_fits_are_used_and_stay(shared):
    good, damaged = entry(shared, "good.pb"), entry(shared, "damaged.pb")
    damaged.write_bytes(b"other code")
    (shared / "partial-123").write_bytes(b"half of")
    private = use_compile_cache()
    assert private is not None
    assert [file.name for file in private.iterdir()] == ["good.pb"]
    assert list(shared.iterdir()) == [good]


def test_new_files_are_published_once(shared):
    old = entry(shared, "old.pb")
    private = use_compile_cache()
    assert private is not None
    (private / "new.pb").write_bytes(b"new code")
    (private / "new.pb.tmp").write_bytes(b"half of")
    for _ in range(2):
        publish_compiled_code()
        assert sorted(compile_cache.name_of(file) for file in shared.iterdir()) == ["new.pb", "old.pb"]
    assert old.exists()


def test_the_oldest_files_go_first(shared, monkeypatch):
    monkeypatch.setattr(compile_cache, "MAX_FILES", 2)
    made = [entry(shared, f"{age}.pb", time=100.0 - age) for age in range(4)]
    use_compile_cache()
    assert sorted(shared.iterdir()) == made[:2]


def test_a_folder_that_others_can_write_is_not_used(shared):
    file = entry(shared, "code.pb")
    shared.chmod(0o777)
    private = use_compile_cache()
    assert private is not None and not list(private.iterdir())
    assert file.exists()


@pytest.mark.parametrize("flags", ["--tf_xla_persistent_cache_directory=/elsewhere", "/a/file/of/flags"])
def test_flags_of_the_user_that_leave_no_room_for_it_stay(shared, monkeypatch, flags):
    monkeypatch.setenv("TF_XLA_FLAGS", flags)
    assert use_compile_cache() is None
    assert os.environ["TF_XLA_FLAGS"] == flags


def test_other_flags_of_the_user_stay_and_those_of_a_parent_process_go(shared, monkeypatch):
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_max_cluster_size=7")
    private = use_compile_cache()
    assert use_compile_cache() == private  # a second run in the same process
    assert os.environ["TF_XLA_FLAGS"].startswith("--tf_xla_max_cluster_size=7 ")
    monkeypatch.setattr(compile_cache, "private", None)  # as in a process that this one starts
    assert use_compile_cache() not in (None, private)
    assert os.environ["TF_XLA_FLAGS"].count("persistent_cache_directory") == 1


def test_it_is_off_where_the_user_says_so(shared, monkeypatch):
    monkeypatch.setenv("DDPG_COMPILE_CACHE", "off")
    assert use_compile_cache() is None
    assert os.environ["TF_XLA_FLAGS"] == ""


def test_without_a_folder_that_can_be_written_nothing_is_kept(tmp_path, shared):
    (tmp_path / "cache").write_text("a file")
    private = use_compile_cache()
    assert private is not None
    (private / "new.pb").write_bytes(b"new code")
    publish_compiled_code()


def test_without_room_for_it_it_is_off(shared, monkeypatch):
    monkeypatch.setattr(compile_cache, "FREE_BYTES", 1 << 62)
    assert use_compile_cache() is None


def test_a_user_without_a_home_has_none(shared, monkeypatch):
    for name in ("DDPG_COMPILE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() is not None  # the home of the password database
    monkeypatch.setattr(Path, "home", raise_no_home)
    assert cache_folder() is None
    assert use_compile_cache() is None


def raise_no_home():
    raise RuntimeError("Could not determine home directory.")


def test_another_version_processor_or_compiler_flag_has_another_folder(shared, monkeypatch):
    import tensorflow as tf

    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX2")
    found = {shared, cache_folder()}
    monkeypatch.setattr(tf, "__version__", "1.0")
    found.add(cache_folder())
    monkeypatch.setattr(compile_cache, "processor", lambda: "another")
    found.add(cache_folder())
    assert len(found) == 4
