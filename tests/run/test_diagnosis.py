"""A run that failed to learn is told so in one line at its end, and a good one is not bothered."""

from dataclasses import replace

import pytest

from ddpg.run.diagnosis import PAGE, max_abs_value, warnings_about
from tests.helpers.pages import Page
from tests.helpers.runs import finished_run

pytestmark = pytest.mark.usefixtures("without_plots")


def warnings_of(config, run_dir) -> list[str]:
    run = finished_run(config, run_dir)
    return warnings_about(run.folder.path, run.agent)


@pytest.fixture
def config(small):
    return replace(small, evaluate_every=200, evaluation_episodes=5, checkpoint_every=10_000)


def test_actions_stuck_at_the_wrong_bound_are_reported(config, tmp_path):
    """One huge first step of the actor saturates tanh, whose gradient is then zero."""
    broken = replace(config, env="Matching-v0", steps=600, actor_learning_rate=50.0)
    (warning,) = warnings_of(broken, tmp_path / "run")
    assert "100% of the policy's actions are at a bound" in warning
    assert "no better than the untrained policy's" in warning
    assert warning.endswith(f"{PAGE}#saturated-actions")


def test_values_beyond_what_the_rewards_can_add_up_to_are_reported(config, tmp_path):
    """A critic that overshoots on large states settles at values that no reward explains."""
    broken = replace(config, env="Scales-v0", steps=400, gamma=0.0, critic_learning_rate=3.0)
    warnings = warnings_of(broken, tmp_path / "run")
    (warning,) = [warning for warning in warnings if "critic's values" in warning]
    assert warning.endswith(f"{PAGE}#values-that-grow-without-bound")


def test_a_task_that_never_rewards_is_reported(config, tmp_path):
    (warning,) = warnings_of(replace(config, env="Rewardless-v0", steps=100), tmp_path / "run")
    assert warning == f"every reward so far was 0, so there was nothing to learn from; see {PAGE}#no-reward-ever-seen"


def test_a_run_without_an_update_is_reported(config, tmp_path):
    (warning,) = warnings_of(replace(config, env="Endless-v0", episodes=1), tmp_path / "run")
    assert warning.startswith("no update was made")


def test_a_policy_that_is_right_to_stay_at_a_bound_is_not_reported(config, tmp_path):
    """The best action of this task is the upper bound, so saturation alone is no fault."""
    run = finished_run(replace(config, env="Highest-v0", steps=600, actor_learning_rate=3e-3), tmp_path / "run")
    assert run.episode.metrics.action_saturation > 0.9
    assert warnings_about(run.folder.path, run.agent) == []


@pytest.mark.parametrize("env", ["Matching-v0", "Pendulum-v1", "Endless-v0"])
def test_a_sound_run_is_not_reported(config, tmp_path, env):
    learning = replace(config, env=env, steps=600, actor_learning_rate=3e-3, critic_learning_rate=3e-3)
    assert warnings_of(learning, tmp_path / "run") == []


def test_the_largest_value_is_the_sum_of_a_geometric_series():
    import numpy as np

    assert max_abs_value(np.array([1.0, -2.0]), 0.9) == pytest.approx(20)
    assert max_abs_value(np.array([1.0]), 1.0) == np.inf


def test_every_warning_points_to_a_section_that_exists():
    anchors = Page(PAGE).anchors()
    assert {"saturated-actions", "values-that-grow-without-bound", "no-reward-ever-seen"} <= anchors
