"""Real sweeps on Ray: the same numbers as alone, failures that stay where they are, and nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ddpg import Config
from ddpg.sweep.__main__ import main
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL, assert_same_run, contents, csv_rows, names

pytestmark = pytest.mark.timeout(300)
TASK = ("--env", "Pendulum-v1", *SMALL, "--evaluation-episodes", "1", "--evaluate-every", "200")
BREAKS = "tests.helpers.tasks:Breaking-v0"  # its second episode returns a reward that is NaN


def sweep(folder: Path, *flags: str) -> int:
    return main(["train", *flags, "--sweep-dir", str(folder), "--no-progress", "--test-episodes", "2"])


def train_alone(run_dir: Path, *flags: str) -> None:
    """Run `train.py` in a new process, because the threads of a process can be set only once."""
    where = ["--run-dir", str(run_dir), "--plot-dir", str(run_dir.parent), "--threads", "1", "--no-progress"]
    done = subprocess.run([sys.executable, ROOT / "train.py", *flags, *where], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A sweep of two settings and two seeds, and its exit code."""
    folder = tmp_path_factory.mktemp("sweep")
    code = sweep(folder / "s", *TASK, "--steps", "400", "--seeds", "2", "--vary", "tau=0.1,0.2")
    assert "RAY_AUTH_TOKEN" not in os.environ
    return folder / "s", code


def test_a_run_of_a_sweep_is_that_of_train_py_bit_for_bit(finished, tmp_path):
    folder, code = finished
    assert code == 0
    assert names(folder) == ["Pendulum-v1,tau=0.1", "Pendulum-v1,tau=0.2", "comparison.png", "sweep.json"]
    train_alone(tmp_path / "alone", *TASK, "--steps", "400", "--seed", "1", "--tau", "0.2")
    assert_same_run(tmp_path / "alone", folder / "Pendulum-v1,tau=0.2" / "seed1")


def test_each_run_is_tested_on_the_starts_that_evaluate_py_can_repeat(finished, capsys):
    from ddpg.run.evaluate import main as evaluate

    run = finished[0] / "Pendulum-v1,tau=0.1" / "seed0"
    found = json.loads((run / "test.json").read_text())["results"]
    capsys.readouterr()
    assert evaluate(["--checkpoint", str(run), "--episodes", "2", "--seed", "20000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["returns"] == found["returns"]


def test_the_same_command_again_trains_nothing_and_more_seeds_only_those(finished, capsys):
    folder = finished[0]
    before = contents(folder)
    assert sweep(folder, *TASK, "--steps", "400", "--seeds", "2", "--vary", "tau=0.1,0.2") == 0
    assert {path: text for path, text in contents(folder).items() if path.suffix != ".png"} == {
        path: text for path, text in before.items() if path.suffix != ".png"
    }
    assert "4 of 4 runs finished" in capsys.readouterr().out


def test_a_folder_of_another_sweep_is_refused(finished, capsys):
    folder = finished[0]
    before = contents(folder)
    for flags, problem in (
        (["--steps", "500", "--seeds", "2", "--vary", "tau=0.1,0.2"], "steps 400 instead of 500"),
        (["--steps", "400", "--seeds", "1", "--vary", "tau=0.1,0.2"], "also Pendulum-v1,tau=0.1/seed1, which is not"),
    ):
        assert sweep(folder, *TASK, *flags) == 2
        error = capsys.readouterr().err
        assert problem in error and error.count("\n") == 1
    assert contents(folder) == before


def test_a_run_that_breaks_does_not_take_the_others_down(tmp_path, capfd):
    flags = ["--env", f"Pendulum-v1,{BREAKS}", *SMALL, "--steps", "60", "--evaluation-episodes", "1"]
    assert sweep(tmp_path / "s", *flags) == 1
    printed = capfd.readouterr()
    assert "1 of 2 runs finished" in printed.out
    (line,) = [line for line in printed.out.splitlines() if line.startswith("failed")]
    assert "tests.helpers.tasks_Breaking-v0/seed0: episode 2, step 25: the environment returned the reward nan" in line
    assert "Traceback" not in printed.out + printed.err
    assert "RunStopped" in (tmp_path / "s" / "tests.helpers.tasks_Breaking-v0" / "seed0.error.txt").read_text()


LISTENERS = """
from ddpg.sweep.cluster import local_ray
from tests.sweep.test_sweep import listening
with local_ray(1):
    print(*listening())
"""


def listening() -> set[str]:
    """Return the addresses and ports, in hexadecimal digits, at which any process of this machine listens."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return {fields[1] for fields in lines if fields[3] == "0A"}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux")
def test_ray_listens_to_nobody_else_and_is_gone_afterwards(tmp_path):
    before, folders = listening(), set(Path("/tmp").glob("ddpg-*"))
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", LISTENERS], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    opened = set(done.stdout.split()) - before
    assert opened, "Ray should have listened somewhere"
    loopback = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
    assert {address.split(":")[0] for address in opened} <= loopback
    assert not (tmp_path / ".ray").exists() and set(Path("/tmp").glob("ddpg-*")) <= folders
    deadline = time.monotonic() + 20
    while listening() - before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not listening() - before


def start(folder: Path, *flags: str) -> subprocess.Popen:
    """Start a sweep as a user does, in a process group of its own."""
    command = [sys.executable, "-m", "ddpg.sweep", "train", *flags, "--sweep-dir", str(folder), "--no-progress"]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def wait_for_rows(path: Path, rows: int, process: subprocess.Popen) -> None:
    """Return when a CSV file has so many rows."""
    deadline = time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) <= rows:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[1]
        time.sleep(0.05)


LONG = (*TASK, "--steps", "3000", "--checkpoint-every", "400", "--evaluate-every", "1000")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that the killed ones must equal."""
    folder = tmp_path_factory.mktemp("whole")
    train_alone(folder / "run", *LONG)
    return folder / "run"


def worker_of(folder: Path) -> int:
    """Return the process that trains the run in a folder: the one that holds its lock."""
    target = os.path.realpath(folder)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if any(os.path.realpath(link) == target for link in (entry / "fd").iterdir()):
                    return int(entry.name)
            except OSError:
                continue
    raise AssertionError(f"nobody trains {folder}")


@pytest.mark.slow
def test_a_killed_worker_begins_again_at_its_checkpoint(tmp_path, whole):
    run = tmp_path / "s" / "Pendulum-v1" / "seed0"
    with start(tmp_path / "s", *LONG) as process:
        for rows in (4, 9):
            wait_for_rows(run / "episodes.csv", rows, process)
            os.kill(worker_of(run), signal.SIGKILL)
            time.sleep(0.5)
        out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert_same_run(whole, run)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_was_killed_or_stopped_goes_on_with_the_same_command(tmp_path, whole, number):
    run = tmp_path / "s" / "Pendulum-v1" / "seed0"
    with start(tmp_path / "s", *LONG) as process:
        wait_for_rows(run / "episodes.csv", 5, process)
        os.killpg(process.pid, number) if number == signal.SIGINT else os.kill(process.pid, number)
        out, err = process.communicate(timeout=100)
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert err == f"python -m ddpg.sweep: stopped; continue with: python -m ddpg.sweep train {' '.join(LONG)} " \
            f"--sweep-dir {tmp_path / 's'} --no-progress\n"  # fmt: skip
    deadline = time.monotonic() + 60
    while any("raylet" in line or "ray::" in line for line in processes_with(str(tmp_path))):
        assert time.monotonic() < deadline, "Ray outlived its sweep"
        time.sleep(0.5)
    before = (run / "episodes.csv").read_text().splitlines()
    with start(tmp_path / "s", *LONG) as process:
        out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert_same_run(whole, run)
    seconds = [line.rsplit(",", 1)[1] for line in (run / "episodes.csv").read_text().splitlines()]
    assert seconds[1:3] == [line.rsplit(",", 1)[1] for line in before[1:3]]  # these episodes were not repeated


def processes_with(text: str) -> list[str]:
    """Return the command lines with a text in them."""
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if text in line and "pytest" not in line]


@pytest.mark.slow
def test_two_sweeps_into_one_folder_are_refused(tmp_path):
    endless = [*TASK, "--steps", "1000000"]
    with start(tmp_path / "s", *endless) as process:
        wait_for_rows(tmp_path / "s" / "Pendulum-v1" / "seed0" / "episodes.csv", 1, process)
        with start(tmp_path / "s", *endless) as second:
            _, err = second.communicate(timeout=100)
        assert second.returncode == 2
        assert "another process is using" in err and err.count("\n") == 1
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=100)
        assert "continue with" in err and process.returncode == 143


@pytest.mark.slow
def test_a_run_of_molgan_is_that_of_its_own_command(tmp_path):
    from tests.helpers.molgan import FLAGS, SMILES
    from tests.helpers.molgan import assert_same_run as assert_same_molgan_run

    molecules = tmp_path / "molecules.smi"
    molecules.write_text("\n".join(SMILES))
    own = [*FLAGS, "--data", str(molecules), "--epochs", "2", "--no-progress"]
    flags = ["--seeds", "2", "--vary", "rl-weight=0.25,0.5", "--test-samples", "20", "--sweep-dir", str(tmp_path / "s")]
    assert main(["molgan", *own, *flags]) == 0
    assert names(tmp_path / "s") == ["comparison.png", "rl_weight=0.25", "rl_weight=0.5", "sweep.json"]
    where = ["--run-dir", str(tmp_path / "alone"), "--plot-dir", str(tmp_path), "--threads", "1"]
    command = [sys.executable, "-m", "ddpg.molgan", "train", *own, "--rl-weight", "0.5", "--seed", "1", *where]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    run = tmp_path / "s" / "rl_weight=0.5" / "seed1"
    assert_same_molgan_run(tmp_path / "alone", run)
    assert set(json.loads((run / "test.json").read_text())["results"]) == {"best", "last"}
    before = contents(tmp_path / "s" / "rl_weight=0.5")
    assert main(["molgan", *own, *flags]) == 0
    assert contents(tmp_path / "s" / "rl_weight=0.5") == before
    molecules.write_text("\n".join(SMILES[:-1]))  # other data are another sweep
    assert main(["molgan", *own, *flags]) == 2


@pytest.mark.slow
def test_a_patched_run_of_a_benchmark_is_trained_by_the_patched_code(tmp_path, monkeypatch):
    """The patch makes the actor's loss zero."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from patches import Patch
    from sweeps import PatchedJob

    patches = (Patch("equations.py", "return -tf.reduce_mean(q_value)", "return 0.0 * tf.reduce_mean(q_value)"),)
    config = Config(steps=300, hidden_units=(8, 8), batch_size=8, evaluation_episodes=1, jit_compile=False)
    assert PatchedJob(tmp_path / "run", config, test_episodes=1, patches=patches).run()
    losses = {float(row["actor_loss"]) for row in csv_rows(tmp_path / "run" / "updates.csv")}
    assert losses == {0.0}
    assert json.loads((tmp_path / "run" / "test.json").read_text())["results"]["episodes"] == 1


def test_no_cluster_at_an_address_is_said_within_30_seconds(tmp_path, capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    start = time.monotonic()
    for given, reason in ((address, "Connection refused"), ("nonsense", "expected auto or HOST:PORT")):
        assert sweep(tmp_path / "s", *TASK, "--address", given) == 2
        error = capsys.readouterr().err
        assert reason in error and error.count("\n") == 1
    assert time.monotonic() - start < 30
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_something_else_at_the_address_is_said_within_30_seconds(tmp_path, capsys):
    """Ray would wait for its answer for ever."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert sweep(tmp_path / "s", *TASK, "--address", address) == 2
    assert f"no Ray cluster at {address} (what listens there does not answer)" in capsys.readouterr().err
    assert time.monotonic() - start < 30
