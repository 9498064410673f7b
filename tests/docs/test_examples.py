"""The examples of the pages run as they stand."""

import dataclasses
import importlib
import re
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from ddpg import Config, evaluate, make_environment
from ddpg.noise import NOISES, Noise
from ddpg.run.train import main
from ddpg.storage.csv_files import read_columns
from tests.docs.conftest import TINY
from tests.helpers.pages import Page

PAGE = Page("docs/custom-environments.md")
TASK, NOISE, CONTROL_LOOP, TRAINING_LOOP = PAGE.blocks("python")


@pytest.fixture
def tank(tmp_path, monkeypatch):
    """Write the page's task as the module `tank`, in a folder from which it can be imported, and go there."""
    (tmp_path / "tank.py").write_text(TASK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("tank")
    sys.modules.pop("tank")
    gymnasium.registry.pop("Tank-v0")


@pytest.mark.filterwarnings("ignore:.*we recommend using a symmetric and normalized space")
def test_the_task_passes_the_check_that_the_page_recommends(tank):
    check_env(gymnasium.make("Tank-v0").unwrapped)


@pytest.mark.slow
def test_the_task_trains_by_its_name_and_its_policy_runs_in_the_control_loop(tank, capsys):
    command = ["--env", "tank:Tank-v0", "--steps", "300", "--evaluation-episodes", "1", "--run-dir", "runs/tank"]
    assert main([*command, *TINY]) == 0
    names = {}
    exec(CONTROL_LOOP.replace("range(100)", "range(3)"), names)
    assert names["environment"].action_space.contains(names["action"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_task_is_learned_with_the_steps_that_the_page_gives(tank, capsys):
    (command,) = [line for line in PAGE.commands() if line.startswith("python train.py --env tank")]
    assert main([*command.split()[2:], "--no-progress"]) == 0
    untrained, *_, last = read_columns(Path("runs/tank/evaluations.csv"))["mean"]
    assert re.search(r"from about 65, .*to more than 95 of 100", " ".join(PAGE.prose.split()))
    assert untrained == pytest.approx(65, abs=5) and last > 95


def test_the_training_loop_is_one_that_updates(tank):
    names = {}
    exec(TRAINING_LOOP.replace("seed=1", "seed=1, batch_size=8, jit_compile=False"), names)
    assert names["agent"].updates > 0
    assert len(evaluate(names["agent"], make_environment("Tank-v0"), 1).returns) == 1


def test_the_noise_process_has_what_the_agent_needs():
    names = {"np": np}
    exec(NOISE, names)
    noise = names["UniformNoise"](2, 0.5, np.random.default_rng(0))
    samples = np.array([noise.sample() for _ in range(5_000)])
    assert samples.dtype == np.float32 and samples.shape == (5_000, 2)
    assert samples.std() == pytest.approx(0.5, rel=0.02)
    assert {name for name in vars(Noise) if not name.startswith("_")} <= set(dir(noise))
    noise.reset()


def test_a_noise_process_must_be_named_in_the_two_places_that_the_page_tells():
    (field,) = [field for field in dataclasses.fields(Config) if field.name == "noise"]
    assert set(field.metadata["choices"]) == set(NOISES)
    assert "the table `NOISES`" in PAGE.text and "choices of the field `noise`" in PAGE.text


def test_several_simulators_are_used_as_their_page_shows(capsys):
    (source,) = Page("docs/simulators.md").blocks("python")
    exec(source.replace("steps=20_000", "steps=800, learning_starts=800"), {})
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["1", "2", "3", "4"]
