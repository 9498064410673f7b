"""Exact resuming across processes, with full-sized networks and XLA, for both presets on real tasks."""

import subprocess
import sys
from pathlib import Path

import pytest

from ddpg.config import PRESETS
from tests.test_checkpoint import assert_same_run

ROOT = Path(__file__).parent.parent


def train(folder: Path, *flags: str) -> None:
    command = [sys.executable, ROOT / "train.py", "--no-progress", "--plot-dir", folder, *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("env", ["Pendulum-v1", "InvertedPendulum-v5", "LunarLanderContinuous-v3", "HalfCheetah-v5"])
def test_half_a_run_and_the_other_half_in_a_new_process_are_the_whole_run(tmp_path, preset, env):
    new = ["--env", env, "--preset", preset, "--evaluation-episodes", "1", "--evaluate-every", "700"]
    train(tmp_path, *new, "--steps", "3000", "--run-dir", f"{tmp_path}/whole")
    train(tmp_path, *new, "--steps", "1500", "--run-dir", f"{tmp_path}/parts")
    train(tmp_path, "--resume", f"{tmp_path}/parts", "--steps", "3000")
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
