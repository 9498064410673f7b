"""Before a run learns, it says what its states will make hard: images, and numbers of very different size."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from ddpg import Config, make_environment
from ddpg.policy.record import Recorder
from ddpg.run.start import start_run
from ddpg.task.states import notes_on_images, state_names
from tests.helpers.tasks import Task

pytestmark = pytest.mark.usefixtures("without_plots")

CONFIG = Config(
    episodes=1, evaluation_episodes=1, hidden_units=(8, 8), jit_compile=False, batch_size=8, buffer_size=1_000
)


class Plant(Task):
    """A task whose second number is large, and whose numbers have names if `named`."""

    observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float32)

    def __init__(self, size=500.0, named=False):
        self.size = size
        if named:
            self.state_names = ["level", "flow", "pressure"]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.array([0.5, self.size, 1], np.float32), {}

    def step(self, action):
        self.clock += 1
        return np.array([0.5, -self.size, 1], np.float32), 1.0, False, self.clock == 5, {}


gymnasium.register("LargePlant-v0", Plant, disable_env_checker=True)


def said(config, tmp_path, capsys) -> str:
    run = start_run(config, tmp_path / "run", tmp_path)
    run.train(show_progress=False)
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "note: some numbers of the states are large: state[1] to 500; networks want numbers near 1"),
        ({"env_kwargs": {"named": True}}, "note: some numbers of the states are large: flow to 500;"),
        ({"env_kwargs": {"size": 99.0}}, None),
        ({"normalize_observations": True}, None),
        ({"batch_normalization": True}, None),
    ],
)
def test_large_numbers_in_the_states_of_the_first_evaluation_are_noted_once(tmp_path, capsys, changes, expected):
    err = said(replace(CONFIG, env="LargePlant-v0", episodes=3, **changes), tmp_path, capsys)
    assert (expected in err) if expected else "numbers of the states" not in err
    assert err.count("numbers of the states") == (1 if expected else 0)


@pytest.mark.parametrize("env", ["Pendulum-v1", "MountainCarContinuous-v0"])
def test_ordinary_tasks_are_not_noted(tmp_path, capsys, env):
    assert "states" not in said(replace(CONFIG, env=env, max_episode_steps=20), tmp_path, capsys)


def test_an_image_is_named_with_what_to_do_about_it():
    space = spaces.Dict(camera=spaces.Box(0, 255, (64, 48, 3), np.uint8), speed=spaces.Box(-1, 1, (2,), np.float32))
    (note,) = notes_on_images(space)
    assert note.startswith('state["camera"] is an image (64 x 48 x 3 numbers from 0 to 255)')
    assert "no convolutions" in note and "wrap the task" in note
    assert notes_on_images(spaces.Box(0, 255, (9,), np.uint8)) == []


def test_a_run_on_images_says_so_at_its_start(tmp_path):
    run = start_run(replace(CONFIG, env="States-v0", env_kwargs={"kind": "image"}), tmp_path / "run", tmp_path)
    assert any(note.startswith("state is an image (4 x 5 x 3 numbers") for note in run.notes)
    run.folder.close()


def test_a_task_names_the_numbers_of_its_states():
    environment = make_environment("LargePlant-v0", {"named": True})
    assert state_names(environment) == ["level", "flow", "pressure"] == Recorder(environment).state_names
    assert state_names(make_environment("LargePlant-v0")) == ["state[0]", "state[1]", "state[2]"]
