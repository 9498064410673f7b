"""The modules of docs/other-tasks.md make tasks that train, from packages that only look like others'."""

import importlib
import sys
import types

import gymnasium
import numpy as np
import pytest

from ddpg.run.train import main
from tests.docs.conftest import TINY
from tests.helpers.pages import Page
from tests.helpers.tasks import Task

PAGE = Page("docs/other-tasks.md")
PLANT, WEIGHTED, OLDER, CONTROL = PAGE.blocks("python")


class Plant(Task):
    """A class of a package that registers nothing; with `several`, its rewards are two."""

    def __init__(self, gain=1.0, several=False):
        self.gain, self.several = gain, several

    def step(self, action):
        state, _, *rest = super().step(action)
        return state, np.array([self.gain, 2.0]) if self.several else self.gain, *rest


class OldPlant:
    """A class by the rules of the old gym."""

    observation_space, action_space = Task.observation_space, Task.action_space
    seeds: list = []  # noqa: RUF012

    def seed(self, seed):
        self.seeds.append(seed)

    def reset(self):
        self.clock = 0
        return np.ones(1, np.float32)

    def step(self, action):
        self.clock += 1
        done = self.clock == 20
        return np.ones(1, np.float32), 1.0, done, {"TimeLimit.truncated": True} if done else {}


@pytest.mark.parametrize(
    ("name", "text", "env"),
    [("plant", PLANT, "Plant-v0"), ("weighted", WEIGHTED, "Weighted-v0"), ("older", OLDER, "Older-v0")],
)
def test_each_module_makes_a_task_that_trains(tmp_path, monkeypatch, capsys, name, text, env):
    several = name == "weighted"
    package = types.ModuleType("somebodys_package")
    package.Plant, package.OldPlant = (lambda **kwargs: Plant(several=several, **kwargs)), OldPlant
    monkeypatch.setitem(sys.modules, "somebodys_package", package)
    (tmp_path / f"{name}.py").write_text(text.replace("max_episode_steps=500", "max_episode_steps=20"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        command = ["--env", f"{name}:{env}", "--episodes", "2", "--evaluation-episodes", "1", "--run-dir", "run"]
        assert main([*command, *TINY]) == 0
        returns = [float(line.split(",")[1]) for line in (tmp_path / "run/evaluations.csv").read_text().split()[1:]]
        assert returns == pytest.approx([20 * (0.8 if several else 1.0)] * len(returns))
    finally:
        sys.modules.pop(name, None)
        gymnasium.registry.pop(env, None)
        importlib.invalidate_caches()
    assert name != "older" or OldPlant.seeds


def test_the_module_for_deepmind_control_takes_each_action_twice_and_sums_the_rewards(tmp_path, monkeypatch):
    """It wraps any task that is registered as dm_control/NAME-v0, which Shimmy does for the real ones."""
    monkeypatch.setitem(sys.modules, "shimmy", types.ModuleType("shimmy"))
    (tmp_path / "control.py").write_text(CONTROL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    gymnasium.register("dm_control/walker-run-v0", Plant, max_episode_steps=7)
    try:
        settings = ["--env", "control:Control-v0", "--env-kwargs", '{"name": "walker-run", "gain": 0.5}']
        assert main([*settings, "--episodes", "1", "--evaluation-episodes", "1", "--run-dir", "run", *TINY]) == 0
    finally:
        sys.modules.pop("control", None)
        for name in ("Control-v0", "dm_control/walker-run-v0"):
            gymnasium.registry.pop(name, None)
    _, steps, length, total, *_ = (tmp_path / "run/episodes.csv").read_text().split()[1].split(",")
    assert (steps, length, float(total)) == ("4", "4", 3.5), "seven steps of the task in four decisions"
