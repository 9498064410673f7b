"""Exact resuming in a new process, with full-sized networks and XLA, for both presets."""

import subprocess
import sys

import pytest

from ddpg.run.train import main as train
from tests.helpers.pages import ROOT
from tests.helpers.runs import assert_same_run

# Halves that end between two updates, with actions computed by NumPy.
BETWEEN = ["--train-frequency", "7", "--gradient-steps", "7"]
STEPS = 3_000
CASES = (
    ("Pendulum-v1", []),
    ("InvertedPendulum-v5", []),
    ("LunarLanderContinuous-v3", []),
    ("HalfCheetah-v5", []),
    ("HalfCheetah-v5", BETWEEN),
    ("HalfCheetah-v5", ["--normalize-observations"]),
    ("HalfCheetah-v5", ["--normalize-observations", *BETWEEN]),
    ("HalfCheetah-v5", ["--learning-rate-decay-steps", "2500"]),
    ("HalfCheetah-v5", ["--evaluation-tau", "0.01"]),
)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("preset", ["blog", "paper"])
@pytest.mark.parametrize(("env", "flags"), CASES)
def test_half_a_run_and_the_other_half_in_a_new_process_are_the_whole_run(tmp_path, env, flags, preset):
    common = ["--no-progress", "--plot-dir", str(tmp_path)]
    new = ["--env", env, "--preset", preset, *flags, "--evaluation-episodes", "1", "--evaluate-every", "300", *common]
    assert train([*new, "--steps", str(STEPS), "--run-dir", f"{tmp_path}/whole"]) == 0
    assert train([*new, "--steps", str(STEPS // 2), "--run-dir", f"{tmp_path}/parts"]) == 0
    rest = ["--resume", f"{tmp_path}/parts", "--steps", str(STEPS), *common]
    done = subprocess.run([sys.executable, ROOT / "train.py", *rest], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
