"""What docs/troubleshooting.md says of failing runs happens, and the code's warnings lead to it."""

import re

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.classic_control.pendulum import PendulumEnv

from ddpg import Config
from ddpg.run import diagnosis
from ddpg.run.start import start_run
from ddpg.storage.csv_files import read_columns
from tests.helpers.pages import ROOT, Page, number

PAGE = Page("docs/troubleshooting.md")


class ScaledPendulum(PendulumEnv):
    """Pendulum with its speed, as the agent sees it, and its rewards multiplied."""

    def __init__(self, speed=1.0, reward=1.0):
        super().__init__()
        self.scale, self.reward = np.array([1.0, 1.0, speed], np.float32), reward
        self.observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float32)

    def reset(self, **kwargs):
        state, info = super().reset(**kwargs)
        return state * self.scale, info

    def step(self, action):
        state, reward, *rest = super().step(action)
        return state * self.scale, float(reward) * self.reward, *rest


gymnasium.register("ScaledPendulum-v0", ScaledPendulum, max_episode_steps=200, disable_env_checker=True)


def test_every_warning_of_the_code_leads_to_a_section_that_exists():
    source = (ROOT / "ddpg" / "run" / "diagnosis.py").read_text(encoding="utf-8")
    assert PAGE.name == diagnosis.PAGE
    anchors = set(re.findall(r"\{PAGE\}#([\w-]+)", source))
    assert {"saturated-actions", "values-that-grow-without-bound"} <= anchors <= PAGE.anchors()


def test_the_page_gives_the_limits_that_the_warnings_have():
    rows = " ".join(row["it warns if"] for row in PAGE.table("it warns if", "section"))
    assert f"at least {diagnosis.SATURATED} over the last {diagnosis.RECENT} episodes" in rows
    assert f"the last {diagnosis.RECENT_EVALUATIONS} evaluations" in rows
    assert f"above {diagnosis.MARGIN} times max" in rows


def examples() -> list[dict[str, str]]:
    return PAGE.table("task", "change", "steps", "saturation", "q_value", "evaluation at step 0", "last evaluation")


def log_of(config: Config, tmp_path) -> tuple[dict[str, float], np.ndarray, list[str]]:
    """Return the last row of a run's updates.csv, its evaluations, and the warnings about it."""
    run = start_run(config, tmp_path / "run", tmp_path / "plots")
    run.train(show_progress=False)
    updates = read_columns(tmp_path / "run" / "updates.csv")
    evaluations = read_columns(tmp_path / "run" / "evaluations.csv")["mean"]
    last = {name: values[-1] for name, values in updates.items()}
    return last, evaluations, diagnosis.warnings_about(run)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("example", "env_kwargs"), [(0, {"speed": 1000.0}), (1, {"reward": 0.0001}), (2, None)])
def test_a_failing_run_looks_as_the_page_says(example, env_kwargs, tmp_path):
    """Of other lengths on other machines: the sign is compared, and the numbers in their order of magnitude."""
    shown = examples()[example]
    scaled = {"env": "ScaledPendulum-v0", "env_kwargs": env_kwargs} if env_kwargs else {"env": shown["task"]}
    steps = int(number(shown["steps"]))
    last, evaluations, warnings = log_of(Config(**scaled, steps=steps, evaluate_every=2500), tmp_path)
    assert last["action_saturation"] == pytest.approx(number(shown["saturation"]), abs=0.1)
    assert last["q_value"] == pytest.approx(number(shown["q_value"]), rel=0.6, abs=0.01)
    assert evaluations[0] == pytest.approx(number(shown["evaluation at step 0"]), rel=0.01, abs=0.01)
    assert evaluations[-1] == pytest.approx(number(shown["last evaluation"]), rel=0.2, abs=0.01)
    if example == 1:
        signs = {warning.rpartition("#")[2] for warning in warnings}
        assert signs == {"saturated-actions", "values-that-grow-without-bound"}
