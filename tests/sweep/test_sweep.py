"""Real sweeps on Ray: the same numbers as alone, and failures that stay where they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddpg import Config
from ddpg.sweep.__main__ import main
from ddpg.sweep.capacity import SIMULATOR_BYTES, bytes_of
from ddpg.sweep.jobs import TrainingJob, cores_of_run
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL, assert_same_run, contents, csv_rows, names
from tests.helpers.sweeps import TASK, sweep, train_alone

pytestmark = pytest.mark.timeout(300)
BREAKS = "tests.helpers.tasks:Breaking-v0"  # its second episode returns a reward that is NaN


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A sweep of two settings, and its exit code."""
    folder = tmp_path_factory.mktemp("sweep")
    code = sweep(folder / "s", *TASK, "--steps", "400", "--vary", "tau=0.1,0.2")
    assert "RAY_AUTH_TOKEN" not in os.environ
    return folder / "s", code


def test_a_run_of_a_sweep_is_that_of_train_py_bit_for_bit(finished, tmp_path):
    folder, code = finished
    assert code == 0
    assert names(folder) == ["Pendulum-v1,tau=0.1", "Pendulum-v1,tau=0.2", "comparison.png", "sweep.json"]
    train_alone(tmp_path / "alone", *TASK, "--steps", "400", "--tau", "0.2")
    assert_same_run(tmp_path / "alone", folder / "Pendulum-v1,tau=0.2" / "seed0")


def test_each_run_is_tested_on_the_starts_that_evaluate_py_can_repeat(finished, capsys):
    from ddpg.policy.evaluate import main as evaluate

    run = finished[0] / "Pendulum-v1,tau=0.1" / "seed0"
    found = json.loads((run / "test.json").read_text())["results"]
    capsys.readouterr()
    assert evaluate(["--checkpoint", str(run), "--episodes", "2", "--seed", "20000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["returns"] == found["returns"]


def test_the_same_command_again_trains_nothing_and_more_seeds_only_those(finished, capsys):
    folder = finished[0]
    before = contents(folder)
    assert sweep(folder, *TASK, "--steps", "400", "--vary", "tau=0.1,0.2") == 0
    assert {path: text for path, text in contents(folder).items() if path.suffix != ".png"} == {
        path: text for path, text in before.items() if path.suffix != ".png"
    }
    assert "2 of 2 runs finished" in capsys.readouterr().out


def test_a_folder_of_another_sweep_is_refused(finished, capsys):
    folder = finished[0]
    before = contents(folder)
    for flags, problem in (
        (["--steps", "500", "--vary", "tau=0.1,0.2"], "steps 400 instead of 500"),
        (["--steps", "400", "--vary", "tau=0.1"], "also Pendulum-v1,tau=0.1/seed0, which is not"),
    ):
        assert sweep(folder, *TASK, *flags) == 2
        error = capsys.readouterr().err
        assert problem in error and error.count("\n") == 1
    assert contents(folder) == before


@pytest.mark.slow
def test_a_run_that_breaks_does_not_take_the_others_down(tmp_path, capfd):
    flags = ["--env", f"Pendulum-v1,{BREAKS}", *SMALL, "--steps", "60", "--evaluation-episodes", "1"]
    assert sweep(tmp_path / "s", *flags) == 1
    printed = capfd.readouterr()
    assert "1 of 2 runs finished" in printed.out
    (line,) = [line for line in printed.out.splitlines() if line.startswith("failed")]
    assert "tests.helpers.tasks_Breaking-v0/seed0: episode 2, step 25: the environment returned the reward nan" in line
    assert "Traceback" not in printed.out + printed.err
    assert "RunStopped" in (tmp_path / "s" / "tests.helpers.tasks_Breaking-v0" / "seed0.error.txt").read_text()


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
def test_a_patched_run_of_a_benchmark_is_trained_by_the_patched_code(tmp_path):
    """The patch makes the actor's loss zero."""
    from benchmarks.common.patches import Patch
    from benchmarks.common.sweeps import PatchedJob

    patches = (Patch("equations.py", "return -tf.reduce_mean(q_value)", "return 0.0 * tf.reduce_mean(q_value)"),)
    config = Config(steps=300, hidden_units=(8, 8), batch_size=8, evaluation_episodes=1, jit_compile=False)
    assert PatchedJob(tmp_path / "run", config, test_episodes=1, patches=patches).run()
    losses = {float(row["actor_loss"]) for row in csv_rows(tmp_path / "run" / "updates.csv")}
    assert losses == {0.0}
    assert json.loads((tmp_path / "run" / "test.json").read_text())["results"]["episodes"] == 1


def test_a_run_with_several_simulators_takes_a_core_and_memory_for_each():
    job, alone = (TrainingJob(Path("run"), Config(num_envs=count, threads=2)) for count in (3, None))
    assert (cores_of_run(job), cores_of_run(alone)) == (5, 2)
    assert bytes_of(job.config, 3, 1)[0] - bytes_of(alone.config, 3, 1)[0] == 3 * SIMULATOR_BYTES
