"""Compiled code is kept between processes; whatever happens to its files, a run trains the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddpg.run import compile_cache
from ddpg.run.compile_cache import cache_folder, seal_compiled_code, seal_of, use_compile_cache
from tests.helpers.pages import ROOT
from tests.helpers.runs import assert_same_run

JOB = [
    *("--env", "Endless-v0", "--steps", "40", "--hidden-units", "16", "16", "--batch-size", "16"),
    *("--buffer-size", "1000", "--evaluation-episodes", "1", "--no-progress"),
]
RUN = "import sys, tests.helpers.tasks; from ddpg.run.train import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of compiled code, which does not exist yet."""
    monkeypatch.setenv("DDPG_COMPILE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TF_XLA_FLAGS", raising=False)
    found = cache_folder()
    assert found is not None and found.parent == tmp_path / "cache"
    return found


def start(run_dir: Path) -> subprocess.Popen:
    """Start a run in a process of its own."""
    command = [sys.executable, "-c", RUN, *JOB, "--run-dir", str(run_dir), "--plot-dir", str(run_dir.parent)]
    return subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True)


def train(run_dir: Path) -> None:
    """Train in a process of its own."""
    process = start(run_dir)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def files(folder: Path) -> dict[str, float]:
    """Return the compiled files and when each was written."""
    return {file.name: file.stat().st_mtime for file in folder.glob("*.pb")}


def entry(folder: Path, name: str, content: bytes = b"code", time: float = 0.0) -> Path:
    """Write a file as TensorFlow would."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.pb"
    file.write_bytes(content)
    os.utime(file, (time, time))
    return file


def test_a_second_run_uses_the_code_of_the_first_and_has_the_same_bits(tmp_path, folder):
    train(tmp_path / "first")
    compiled = files(folder)
    assert len(compiled) == 2  # the update, and the policy
    train(tmp_path / "second")
    assert files(folder) == compiled
    assert_same_run(tmp_path / "first", tmp_path / "second")


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "without a checksum", "with another's checksum"])
def test_damaged_code_is_compiled_again(tmp_path, folder, damage):
    train(tmp_path / "first")
    for file in folder.glob("*.pb"):
        content = file.read_bytes()
        if damage == "truncated":
            file.write_bytes(content[: len(content) // 2])
        elif damage == "flipped":
            file.write_bytes(content[:-1000] + bytes([content[-1000] ^ 1]) + content[-999:])
        elif damage == "empty":
            file.write_bytes(b"")
        elif damage == "without a checksum":
            seal_of(file).unlink()
        else:
            seal_of(file).write_text("0" * 64, "ascii")
    before = files(folder)
    train(tmp_path / "second")
    assert_same_run(tmp_path / "first", tmp_path / "second")
    after = files(folder)
    assert after.keys() == before.keys() and all(after[name] > before[name] for name in after)


@pytest.mark.slow
def test_processes_that_start_at_once_do_not_disturb_each_other(tmp_path, folder):
    processes = [start(tmp_path / f"run{number}" / "run") for number in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    for number in (1, 2):
        assert_same_run(tmp_path / "run0" / "run", tmp_path / f"run{number}" / "run")
    assert len(files(folder)) == 2


def test_only_files_whose_checksum_fits_stay(folder):
    good, damaged, unsealed = (entry(folder, name) for name in ("good", "damaged", "unsealed"))
    seal_compiled_code()
    damaged.write_bytes(b"other code")
    seal_of(unsealed).unlink()
    use_compile_cache()
    assert sorted(folder.iterdir()) == [good, seal_of(good)]


def test_the_oldest_files_go_first(folder, monkeypatch):
    monkeypatch.setattr(compile_cache, "MAX_FILES", 2)
    made = [entry(folder, str(age), time=100.0 - age) for age in range(4)]
    seal_compiled_code()
    use_compile_cache()
    assert sorted(folder.glob("*.pb")) == made[:2]


def test_it_is_off_where_the_user_says_so_or_has_another_one(tmp_path, folder, monkeypatch):
    assert use_compile_cache() == folder
    assert use_compile_cache() == folder  # a second run in the same process
    assert os.environ["TF_XLA_FLAGS"].count("persistent_cache_directory") == 1
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_persistent_cache_directory=/elsewhere")
    assert use_compile_cache() is None
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_max_cluster_size=7")
    monkeypatch.setenv("DDPG_COMPILE_CACHE", "off")
    assert use_compile_cache() is None
    assert os.environ["TF_XLA_FLAGS"] == "--tf_xla_max_cluster_size=7"


def test_a_folder_that_cannot_be_written_turns_it_off(tmp_path, folder):
    (tmp_path / "cache").write_text("a file")
    assert use_compile_cache() is None
    assert "TF_XLA_FLAGS" not in os.environ
    seal_compiled_code()


def test_a_user_without_a_home_has_none(monkeypatch):
    for name in ("DDPG_COMPILE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() is not None  # the home of the password database
    monkeypatch.setattr(Path, "home", raise_no_home)
    assert cache_folder() is None
    assert use_compile_cache() is None
    seal_compiled_code()


def raise_no_home():
    raise RuntimeError("Could not determine home directory.")


def test_another_version_processor_or_compiler_flag_has_another_folder(folder, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX2")
    found = {folder, cache_folder()}
    monkeypatch.setattr(compile_cache.tf, "__version__", "1.0")
    found.add(cache_folder())
    monkeypatch.setattr(compile_cache, "processor", lambda: "another")
    found.add(cache_folder())
    assert len(found) == 4
