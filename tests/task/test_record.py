"""Another task under the same name is noticed, and a file does not choose which module is imported."""

import json
from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import Config, RequestError, load_policy
from ddpg.export import export_policy
from ddpg.policy.evaluate import main as evaluate_command
from ddpg.policy.policy_file import FilePolicy
from ddpg.run.start import resume_run
from ddpg.storage.checkpoints import find_checkpoint
from ddpg.storage.files import checksum, write_json
from ddpg.task.record import text_of
from tests.helpers.runs import contents, finished_run
from tests.helpers.tasks import Task


class Plant(Task):
    """A task whose author changes it between two commands."""

    def __init__(self):
        self.observation_space = gymnasium.spaces.Box(-self.width, self.width, (1,), np.float32)
        self.action_space = gymnasium.spaces.Box(-self.torque, self.torque, (1,), np.float32)

    width, torque = 1.0, 2.0


@pytest.fixture
def plant_run(tmp_path, monkeypatch, without_plots):
    """A finished run of a task, and the task put back afterwards."""
    monkeypatch.setattr(Plant, "width", 1.0)
    monkeypatch.setattr(Plant, "torque", 2.0)
    register_plant(10)
    config = Config(env="RecordedPlant-v0", episodes=2, evaluation_episodes=1, hidden_units=(8, 8), jit_compile=False)
    return finished_run(config, tmp_path / "run").folder.path


def register_plant(limit: int) -> None:
    gymnasium.registry.pop("RecordedPlant-v0", None)
    gymnasium.register("RecordedPlant-v0", Plant, max_episode_steps=limit, disable_env_checker=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("width", r"states Box\(-1\.0, 1\.0, \(1,\), float32\), now Box\(-9\.0, 9\.0"),
        ("torque", r"actions Box\(-2\.0, 2\.0, \(1,\), float32\), now Box\(-9\.0, 9\.0"),
        ("limit", "time limit 10, now 20"),
    ],
)
def test_a_run_is_not_resumed_with_another_task_under_the_same_name(plant_run, tmp_path, monkeypatch, change, said):
    register_plant(20 if change == "limit" else 10)
    if change != "limit":
        monkeypatch.setattr(Plant, change, 9.0)
    before = contents(plant_run)
    with pytest.raises(RequestError, match=f"RecordedPlant-v0 is another task than at the start: {said}"):
        resume_run(plant_run, tmp_path, {"episodes": 3})
    assert contents(plant_run) == before


def test_a_policy_is_not_used_with_bounds_that_it_was_not_trained_for(plant_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Plant, "torque", 9.0)
    for use in (lambda: load_policy(plant_run), lambda: export_policy(plant_run, tmp_path / "p.onnx")):
        with pytest.raises(RequestError, match=r"another task than at the start: actions Box\(-2\.0, 2\.0"):
            use()
    assert evaluate_command(["--checkpoint", str(plant_run), "--episodes", "1"]) == 2
    assert "another task than at the start" in capsys.readouterr().err
    monkeypatch.setattr(Plant, "torque", 2.0)
    monkeypatch.setattr(Plant, "width", 9.0)  # the states may lie elsewhere: that is an experiment
    assert evaluate_command(["--checkpoint", str(plant_run), "--episodes", "1"]) == 0


def test_two_long_spaces_that_differ_in_one_bound_are_told_apart():
    low = -np.ones(2_000, np.float32)
    other = low.copy()
    other[1_000] = -2
    high = np.arange(2_000, dtype=np.float32)
    assert text_of(gymnasium.spaces.Box(low, high)) == text_of(gymnasium.spaces.Box(low, high))
    assert text_of(gymnasium.spaces.Box(low, high)) != text_of(gymnasium.spaces.Box(other, high))


def test_a_policy_file_imports_no_module_that_the_user_has_not_named(plant_run, tmp_path, monkeypatch, capsys):
    export_policy(plant_run, tmp_path / "p.onnx")
    (tmp_path / "elsewhere.py").write_text(
        "from pathlib import Path\nPath('imported').touch()\nimport tests.helpers.tasks\n"
    )
    monkeypatch.chdir(tmp_path)
    own = FilePolicy.task_config
    monkeypatch.setattr(FilePolicy, "task_config", lambda self: replace(own(self), env="elsewhere:RecordedPlant-v0"))
    flags = ["--policy", "p.onnx", "--episodes", "1"]
    assert evaluate_command(flags) == 2
    assert (
        "--policy: p.onnx names the task 'elsewhere:RecordedPlant-v0', whose module would be" in capsys.readouterr().err
    )
    assert not (tmp_path / "imported").exists()
    assert evaluate_command([*flags, "--env", "elsewhere:RecordedPlant-v0"]) == 0
    assert (tmp_path / "imported").exists()


@pytest.mark.parametrize("kept", [5, {"task": None}, {"untrained": 5}, {"best": [0, ["x"]]}, {"good_evaluations": []}])
def test_what_a_checkpoint_keeps_is_checked_before_it_is_used(plant_run, tmp_path, kept):
    checkpoint = find_checkpoint(plant_run)
    description = json.loads((checkpoint / "run.json").read_text())
    description["run"]["kept"] = kept
    write_json(checkpoint / "run.json", description)
    manifest = json.loads((checkpoint / "manifest.json").read_text())
    manifest["files"]["run.json"] = [(checkpoint / "run.json").stat().st_size, checksum(checkpoint / "run.json")]
    write_json(checkpoint / "manifest.json", manifest)
    with pytest.raises(RequestError, match=r"run\.json is corrupt or not a checkpoint"):
        resume_run(plant_run, tmp_path, {"episodes": 3})
