"""Slow proofs: every format, both presets, four tasks; and files that run without TensorFlow or this package."""

import subprocess
import sys
import sysconfig
from importlib.metadata import files
from pathlib import Path

import numpy as np
import pytest

from ddpg.evaluation import evaluate
from ddpg.export import export_policy
from ddpg.policy.policy_file import FilePolicy
from ddpg.run.agent_state import load_for_acting
from ddpg.storage.checkpoints import find_checkpoint
from ddpg.task.environments import open_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ENDINGS = {"onnx": ".onnx", "litert": ".tflite", "saved_model": "", "keras": ".keras"}
CHAOTIC = "HalfCheetah-v5", "LunarLanderContinuous-v3"  # rounding grows until episodes part: compare their beginnings


@pytest.mark.parametrize("preset", ["blog", "paper"])
@pytest.mark.parametrize("env", ["Pendulum-v1", "HalfCheetah-v5", "LunarLanderContinuous-v3", "Awkward-v0"])
def test_every_format_acts_and_returns_as_its_checkpoint(trained_run, tmp_path, env, preset):
    run_dir = trained_run(env, preset, steps=1_000, flags=("--learning-starts", "100"))
    agent = load_for_acting(find_checkpoint(run_dir))
    for name, ending in ENDINGS.items():
        out = tmp_path / f"policy{ending}"
        assert export_policy(run_dir, out, name).difference <= 1e-5
        policy = FilePolicy(out)
        with open_environment(agent.config) as environment:
            if env in CHAOTIC:
                np.testing.assert_allclose(
                    first_actions(policy, environment), first_actions(agent, environment), atol=1e-3
                )
            else:
                expected, actual = (evaluate(one, environment, 20).mean for one in (agent, policy))
                assert actual == pytest.approx(expected, rel=0.01)


def first_actions(agent, environment, count: int = 50) -> np.ndarray:
    """The first actions of an episode, one after another."""
    state, _ = environment.reset(seed=3)
    actions = []
    for _ in range(count):
        actions.append(agent.act(state, explore=False))
        state, *_ = environment.step(actions[-1])
    return np.array(actions)


RUN = {
    "onnx": """
import onnxruntime
session = onnxruntime.InferenceSession(path)
action = session.run(["action"], {"state": states})[0]
""",
    "litert": """
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=path)
run = interpreter.get_signature_runner()
action = run(state=states)["action"]
""",
}
ALONE = {
    "onnx": ["onnxruntime", "numpy", "flatbuffers", "protobuf", "packaging"],
    "litert": ["ai-edge-litert", "numpy", "flatbuffers", "protobuf", "tqdm", "typing-extensions", "backports.strenum",
               "ml_dtypes"],
}  # fmt: skip


@pytest.mark.parametrize("name", RUN)
def test_a_file_runs_where_neither_tensorflow_nor_this_package_is_installed(trained_run, tmp_path, name):
    """In a folder of packages that holds the runtime and what it needs, linked from this environment, and no more."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for distribution in ALONE[name]:
        for top in {file.parts[0] for file in files(distribution) if not file.parts[0].startswith("..")}:
            source = Path(sysconfig.get_path("purelib"), top)
            if source.exists() and not (packages / top).exists():
                (packages / top).symlink_to(source)
    export_policy(trained_run(), tmp_path / f"policy{ENDINGS[name]}")
    code = f"""
import sys
sys.path.append({str(packages)!r})
import numpy as np
path = {str(tmp_path / f"policy{ENDINGS[name]}")!r}
states = np.ones((4, 3), np.float32)
{RUN[name]}
assert not {{"tensorflow", "keras", "ddpg"}} & set(sys.modules)
print(action.ravel().tolist())
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = FilePolicy(tmp_path / f"policy{ENDINGS[name]}").run(np.ones((4, 3), np.float32))
    np.testing.assert_allclose(eval(done.stdout.splitlines()[-1]), expected.ravel(), atol=1e-6)
