"""A run survives kills and failing disks: what is on the disk is always complete."""

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from ddpg import RequestError, RunStopped
from ddpg.run.progress import Progress
from ddpg.run.start import resume_run, start_run
from ddpg.storage.checkpoints import all_checkpoints
from tests.helpers.lives import CONFIG
from tests.helpers.runs import assert_same_run, contents, finish, finished_run, raise_after, read_back

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(small, without_plots):
    return replace(small, env="Endless-v0", episodes=6, evaluate_every=30, evaluation_episodes=1, checkpoint_every=10)


@pytest.fixture
def untrained(config):
    """The same without updates, which take a second to compile; the replay buffer fills all the same."""
    return replace(config, learning_starts=10_000)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
def test_a_run_killed_at_random_moments_ends_where_the_uninterrupted_run_ends(tmp_path, monkeypatch, kills):
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "tests.helpers.lives", str(folder), str(kills), "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    reached = read_back(folder)[1]["episode"]["number"]
    assert reached > kills / 2  # most lives were killed while they trained
    raise_after(monkeypatch, reached + 3)
    finish(folder)
    finished_run(replace(CONFIG, checkpoint_every=10**6), tmp_path / "whole")
    assert_same_run(tmp_path / "whole", folder, settings=False)


HOLD = """
import sys, time
from pathlib import Path
from ddpg.storage.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_a_lock_keeps_a_second_run_out_until_its_process_is_gone(untrained, tmp_path):
    finished_run(untrained, tmp_path / "run")
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "held\n"
            with pytest.raises(RequestError, match=f"resume: another process is using {tmp_path / 'run'}; wait for it"):
                resume_run(tmp_path / "run", tmp_path, {"episodes": 7})
        finally:
            other.kill()
    assert finish(tmp_path / "run", episodes=7).episode.number == 7


@pytest.mark.slow
def test_a_disk_that_fails_at_any_moment_leaves_complete_checkpoints(untrained, tmp_path, monkeypatch):
    """Now one fsync fails and now another, as on a full disk; the run stops with a line that names the file."""
    finished_run(untrained, tmp_path / "whole")
    fsync, resumed = os.fsync, 0
    for failing in (0, 17, 26, 33, 39):
        calls = iter(range(10**6))

        def fail_once(descriptor, failing=failing, calls=calls):
            if next(calls) == failing:
                raise OSError(28, "No space left on device")
            fsync(descriptor)

        folder = tmp_path / f"run{failing}"
        run = start_run(untrained, folder, tmp_path)
        monkeypatch.setattr(os, "fsync", fail_once)
        message = (
            rf"^cannot write {folder}/.*: No space left on device; "
            rf"(the last complete checkpoint in {folder} is intact|nothing was saved yet)$"
        )
        with pytest.raises(RunStopped, match=message):
            run.train(show_progress=False)
        monkeypatch.setattr(os, "fsync", fsync)
        if folder.exists():  # it did not fail before the first checkpoint
            assert all_checkpoints(folder / "checkpoints")
            finish(folder)
            assert_same_run(tmp_path / "whole", folder)
            resumed += 1
    assert resumed >= 3


@pytest.mark.slow
def test_a_file_that_can_only_be_written_in_part_leaves_complete_checkpoints(untrained, tmp_path, monkeypatch):
    """A real failure: the system lets no file grow beyond a limit, which the variables reach."""
    finished_run(untrained, tmp_path / "whole")
    run = start_run(untrained, tmp_path / "run", tmp_path)
    show, (soft, hard) = Progress.show, resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit_files(self, episode):
        show(self, episode)
        if episode.number == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))

    try:
        with monkeypatch.context() as patch:
            patch.setattr(Progress, "show", limit_files)
            with pytest.raises(RunStopped, match=r"^cannot write .*variables\.npz: File too large; the last complete"):
                run.train(show_progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert finish(tmp_path / "run").episode.number == 6
    assert_same_run(tmp_path / "whole", tmp_path / "run")


@pytest.mark.slow
def test_a_read_only_folder_is_refused_in_one_line(untrained):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        finished_run(untrained, folder / "run")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        root = os.geteuid() == 0
        try:
            if root:  # whom no permission stops
                os.seteuid(65534)
            with pytest.raises(RequestError, match=r"episodes\.csv is not writable"):
                resume_run(folder / "run", Path("/tmp"), {"episodes": 8})
            with pytest.raises(RequestError, match=r"plot_dir: cannot write to .*plots: .* is not a writable folder"):
                start_run(untrained, Path("/tmp/never"), folder / "plots")
            with pytest.raises(RequestError, match=r"run_dir: cannot create .*another: Permission denied"):
                start_run(untrained, folder / "another", Path("/tmp"))
        finally:
            if root:
                os.seteuid(0)
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o755)


@pytest.mark.slow
def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_it_used_only_if_named(untrained, tmp_path):
    """The resumed run repeats what the damaged checkpoint held."""
    finished_run(untrained, tmp_path / "whole")
    finished_run(untrained, tmp_path / "run")
    older, newest = all_checkpoints(tmp_path / "run" / "checkpoints")
    damaged = newest / "variables.npz"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    before = contents(tmp_path / "run")
    with pytest.raises(RequestError) as caught:
        resume_run(tmp_path / "run", tmp_path, {})
    assert str(damaged) in str(caught.value)
    assert str(caught.value).endswith(f"; to resume from the checkpoint before it: --resume {older}")
    assert contents(tmp_path / "run") == before
    finish(older)
    assert_same_run(tmp_path / "whole", tmp_path / "run")
