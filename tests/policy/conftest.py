"""Runs whose policies the tests of this folder export, and tasks of awkward spaces."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from ddpg import Config, Evaluation
from ddpg.policy import export
from ddpg.run import simulation
from ddpg.run.train import main as train
from tests.helpers.runs import finished_run
from tests.helpers.tasks import Task


class Awkward(Task):
    """A Dict state with numbers, an image and a choice, and a (2, 2) action with bounds that are not symmetric."""

    observation_space = spaces.Dict(
        speed=spaces.Box(-np.inf, np.inf, (2,), np.float64),
        camera=spaces.Box(0, 255, (2, 2), np.uint8),
        gear=spaces.Discrete(3, start=-1),
        pair=spaces.Tuple((spaces.MultiBinary(2), spaces.Box(-1, 1, (), np.float32))),
    )
    action_space = spaces.Box(np.array([[-2, 0], [5, -1]], np.float32), np.array([[2, 10], [6, 3]], np.float32))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        self.clock += 1
        return self.observation_space.sample(), -float(np.square(action).sum()), False, self.clock == 20, {}


gymnasium.register("Awkward-v0", Awkward, disable_env_checker=True)


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory):
    """Return a function that trains for some steps and returns the run folder; the same request trains once."""
    runs = {}

    def run_dir(env="Pendulum-v1", preset="blog", steps=200, flags=("--hidden-units", "16", "12")):
        request = (env, preset, steps, flags)
        if request not in runs:
            folder = tmp_path_factory.mktemp("runs")
            words = ["--env", env, "--preset", preset, "--steps", str(steps), "--no-progress", "--no-jit-compile"]
            words += ["--buffer-size", "2000", "--evaluation-episodes", "1", *flags]
            assert train([*words, "--run-dir", str(folder / "run"), "--plot-dir", str(folder)]) == 0
            runs[request] = folder / "run"
        return runs[request]

    return run_dir


@pytest.fixture(scope="session")
def best_run(tmp_path_factory):
    """A run whose best checkpoint is at step 200, and its newest at step 400."""
    config = Config(
        env="Pendulum-v1", episodes=2, hidden_units=(8, 8), batch_size=8, buffer_size=500, jit_compile=False,
        evaluate_every=200, evaluation_episodes=1, checkpoint_every=200,
    )  # fmt: skip
    means = iter([-9.0, -5.0, -7.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "evaluate", lambda *_: Evaluation((next(means),)))
        return finished_run(config, tmp_path_factory.mktemp("best") / "run").folder.path


@pytest.fixture
def few_states(monkeypatch):
    """Files are compared with their agent in 100 states of each kind: enough here, and sooner done."""
    monkeypatch.setattr(export, "STATES", 100)
