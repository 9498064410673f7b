"""The policy in C: generated from the ONNX file, compiled, and run in a controller's loop."""

import shutil
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from ddpg import load_policy
from ddpg.export import export_policy

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "c" / "pendulum.c"
GENERATOR = Path(sys.executable).with_name("emx-onnx-cgen")


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
@pytest.mark.skipif(not GENERATOR.exists(), reason="needs emx-onnx-cgen")
@pytest.mark.parametrize("normalization", ["none", "both"])
def test_the_controller_in_c_does_what_the_policy_does_in_python(trained_run, tmp_path, normalization):
    run_dir = trained_run(flags=("--hidden-units", "16", "12", "--layer-normalization", normalization))
    export_policy(run_dir, tmp_path / "policy.onnx")
    generate = [
        GENERATOR,
        "compile",
        "--large-weight-threshold",
        "0",
        "--model-name",
        "policy",
        "policy.onnx",
        "policy.c",
    ]
    compile_ = ["cc", "-O2", "-Wall", "-Werror", "-o", "pendulum", str(EXAMPLE), "policy.c", "-lm"]
    for command in (generate, compile_):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run([tmp_path / "pendulum", "3.0", "0.5"], check=True, capture_output=True, text=True)
    torques, total = np.array(done.stdout.split(), float), float(done.stderr.split()[1])

    policy, task, rewards, expected = load_policy(run_dir), gymnasium.make("Pendulum-v1"), 0.0, []
    task.reset(seed=0)
    task.unwrapped.state = np.array([3.0, 0.5])
    state = task.unwrapped._get_obs()
    for _ in range(200):
        action = policy(state)
        state, reward, *_ = task.step(action)
        expected.append(action[0])
        rewards += float(reward)
    np.testing.assert_allclose(torques, expected, atol=1e-3)
    assert total == pytest.approx(rewards, rel=1e-4)
