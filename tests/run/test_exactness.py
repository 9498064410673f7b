"""Exact resuming in a new process, with full-sized networks, for both presets; the longer runs with XLA."""

import subprocess
import sys
from pathlib import Path

import pytest

import train
from ddpg.config import PRESETS
from tests.test_checkpoint import assert_same_run

ROOT = Path(__file__).parent.parent
# Halves that end between two updates, with actions worked out through NumPy.
BETWEEN = ["--train-frequency", "7", "--gradient-steps", "7"]
SLOW = [
    pytest.param(env, 3_000, ["--jit-compile", *rhythm], marks=pytest.mark.slow)
    for env, rhythm in (
        ("Pendulum-v1", []),
        ("InvertedPendulum-v5", []),
        ("LunarLanderContinuous-v3", []),
        ("HalfCheetah-v5", []),
        ("HalfCheetah-v5", BETWEEN),
    )
]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("env", "steps", "options"), [("Pendulum-v1", 400, ["--no-jit-compile"]), *SLOW])
def test_half_a_run_and_the_other_half_in_a_new_process_are_the_whole_run(tmp_path, env, steps, options, preset):
    where = ["--no-progress", "--plot-dir", str(tmp_path)]
    new = ["--env", env, "--preset", preset, *options, "--evaluation-episodes", "1", "--evaluate-every", "300", *where]
    assert train.main([*new, "--steps", str(steps), "--run-dir", f"{tmp_path}/whole"]) == 0
    assert train.main([*new, "--steps", str(steps // 2), "--run-dir", f"{tmp_path}/parts"]) == 0
    rest = ["--resume", f"{tmp_path}/parts", "--steps", str(steps), *where]
    done = subprocess.run([sys.executable, ROOT / "train.py", *rest], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
