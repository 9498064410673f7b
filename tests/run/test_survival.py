"""A run survives kills, failing disks, damaged and hostile files: what is on the disk is always whole."""

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from ddpg import RequestError, RunStopped
from ddpg.checkpoint import all_checkpoints, find_checkpoint
from ddpg.opening import resume_run, start_run
from ddpg.restore import load
from tests.test_checkpoint import assert_same_run

ROOT = Path(__file__).parent.parent


@pytest.fixture
def config(small):
    return replace(small, env="Endless-v0", episodes=6, evaluate_every=30, evaluation_episodes=1, checkpoint_every=10)


# Lives again and again in forks of a process that has imported TensorFlow but not used it, which saves 199 imports.
# Each life goes on with the run, drawing and checkpointing all the time, until it is killed.
LIVES = """
import os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ddpg.command_line import import_tensorflow
import_tensorflow()
import tests.tasks
from ddpg import Config, run
from ddpg.opening import resume_run, start_run

folder, kills, spread = Path(sys.argv[2]), int(sys.argv[3]), random.Random(int(sys.argv[4]))
config = Config(env="Endless-v0", episodes=10**6, evaluate_every=100, evaluation_episodes=1, checkpoint_every=10,
                hidden_units=(8, 8), batch_size=8, buffer_size=300, jit_compile=False)
run.SECONDS_BETWEEN_PICTURES = 0.2
for _ in range(kills):
    child = os.fork()
    if child == 0:
        whole = list(folder.glob("checkpoints/step-?????????"))
        life = resume_run(folder, folder.parent, {}) if whole else start_run(config, folder, folder.parent)
        (folder / "alive").touch()
        life.go(show_progress=False)
    began = time.monotonic()
    rows = rows_before = 0
    learn = spread.random() < 0.7  # most lives are killed while they learn, the others while they begin
    while not ((folder / "alive").exists() and (rows > rows_before or not learn)) and time.monotonic() < began + 60:
        if os.waitpid(child, os.WNOHANG)[0]:
            sys.exit("a life ended by itself")
        time.sleep(0.005)
        if (folder / "alive").exists():
            rows = len((folder / "episodes.csv").read_text().splitlines())
            rows_before = rows_before or rows
    time.sleep(spread.uniform(0, 1.5))
    os.kill(child, signal.SIGKILL)
    if os.waitpid(child, 0)[1] != signal.SIGKILL:
        sys.exit("a life ended by itself")
    (folder / "alive").unlink()
    if not list(folder.glob("checkpoints/step-?????????")):  # killed before the first one: nothing to go on from yet
        import shutil
        shutil.rmtree(folder)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_ends_where_the_uninterrupted_run_ends(tmp_path, kills):
    folder = tmp_path / "killed"
    lives = [sys.executable, "-c", LIVES, str(ROOT), str(folder), str(kills), "1"]
    done = subprocess.run(lives, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    reached = load(find_checkpoint(folder))[1]["episode"]["episode"]
    assert reached > kills / 2  # they were killed in the middle of learning
    resumed = resume_run(folder, tmp_path, {})
    resumed.config = resumed.agent.config = replace(resumed.config, episodes=reached + 3)
    resumed.go(show_progress=False)
    whole = start_run(replace(resumed.config, checkpoint_every=10**6), tmp_path / "whole", tmp_path)
    whole.go(show_progress=False)
    assert_same_run(tmp_path / "whole", folder, settings=False)


HOLD = """
import sys, time
from pathlib import Path
from ddpg.files import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_keeps_a_second_run_out_and_goes_with_its_process(config, tmp_path):
    start_run(config, tmp_path / "run", tmp_path).go(show_progress=False)
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RequestError, match="another process is running"):
            resume_run(tmp_path / "run", tmp_path, {"episodes": 7})
        other.kill()
    resume_run(tmp_path / "run", tmp_path, {"episodes": 7}).go(show_progress=False)


def test_a_disk_that_fails_at_any_moment_leaves_whole_checkpoints(config, tmp_path, monkeypatch):
    """Each fsync in turn fails, as it does where a disk is full; the run stops with a line that names the file."""
    start_run(config, tmp_path / "whole", tmp_path).go(show_progress=False)
    synchronise, resumed = os.fsync, 0
    for failing in range(0, 40, 13):
        calls = iter(range(10**6))

        def fsync(descriptor, failing=failing, calls=calls):
            if next(calls) == failing:
                raise OSError(28, "No space left on device")
            synchronise(descriptor)

        folder = tmp_path / f"run{failing}"
        run = start_run(config, folder, tmp_path)
        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(RunStopped, match=rf"cannot write {folder}/.*: No space left on device"):
            run.go(show_progress=False)
        monkeypatch.setattr(os, "fsync", synchronise)
        if all_checkpoints(folder / "checkpoints"):  # it did not fail before the first one
            resume_run(folder, tmp_path, {}).go(show_progress=False)
            assert_same_run(tmp_path / "whole", folder)
            resumed += 1
    assert resumed > 1


def test_a_write_that_fails_half_way_leaves_whole_checkpoints(config, tmp_path):
    """A real one: the system lets no file grow beyond a limit, which the variables reach."""
    start_run(config, tmp_path / "whole", tmp_path).go(show_progress=False)
    run = start_run(config, tmp_path / "run", tmp_path)
    consume, (soft, hard) = run._save, resource.getrlimit(resource.RLIMIT_FSIZE)

    def save() -> None:
        if run.last.episode == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
        consume()

    run._save = save
    try:
        with pytest.raises(RunStopped, match=r"cannot write .*variables.npz: File too large"):
            run.go(show_progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    resume_run(tmp_path / "run", tmp_path, {}).go(show_progress=False)
    assert_same_run(tmp_path / "whole", tmp_path / "run")


def test_a_folder_that_may_only_be_read_is_refused_in_one_line(config):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start_run(config, folder / "run", folder).go(show_progress=False)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        root = os.geteuid() == 0
        try:
            if root:  # whom no permission stops
                os.seteuid(65534)
            with pytest.raises(RequestError, match="cannot be written to"):
                resume_run(folder / "run", folder, {"episodes": 8})
            with pytest.raises(RequestError, match="plot_dir"):
                start_run(config, Path("/tmp/never"), folder / "plots")
            with pytest.raises(RequestError, match="run_dir: cannot make"):
                start_run(config, folder / "another", Path("/tmp"))
        finally:
            if root:
                os.seteuid(0)
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o755)


def test_the_best_networks_are_kept(config, tmp_path):
    returns = iter([5.0, 1.0, 7.0, 3.0])
    run = start_run(replace(config, episodes=12), tmp_path / "run", tmp_path)

    from ddpg.evaluation import Evaluation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ddpg.run.evaluate", lambda *_: Evaluation((next(returns, 0.0),)))
        run.go(show_progress=False)
    assert [place.name for place in (tmp_path / "run" / "checkpoints").glob("best-*")] == ["best-000000060"]


def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_it_is_used_when_asked_for(config, tmp_path):
    start_run(config, tmp_path / "whole", tmp_path).go(show_progress=False)
    start_run(config, tmp_path / "run", tmp_path).go(show_progress=False)
    before, newest = all_checkpoints(tmp_path / "run" / "checkpoints")
    damaged = newest / "variables.npz"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    content = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    with pytest.raises(RequestError) as caught:
        resume_run(tmp_path / "run", tmp_path, {})
    assert str(damaged) in str(caught.value)
    assert f"--resume {before}" in str(caught.value)
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == content
    resume_run(before, tmp_path, {}).go(show_progress=False)
    assert_same_run(tmp_path / "whole", tmp_path / "run")
