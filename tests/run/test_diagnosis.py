"""A run that failed to learn is told so in one line at its end, and a good one is not bothered."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg.run.diagnosis import PAGE, max_abs_value, warnings_about
from ddpg.run.train import main
from ddpg.storage.csv_files import read_columns
from tests.helpers.pages import Page
from tests.helpers.runs import SMALL, finished_run
from tests.helpers.tasks import Rewardless, Task

pytestmark = pytest.mark.usefixtures("without_plots")


class Doubling(Task):
    """Its state doubles at each step: what the critic learns of one state, it overestimates for the next."""

    def step(self, action):
        _, *rest = super().step(action)
        return np.full(1, 2.0**self.clock, np.float32), *rest


class Once(Rewardless):
    """Pays in its first step, and never again."""

    paid = False

    def step(self, action):
        state, reward, *rest = super().step(action)
        reward, self.paid = (reward if self.paid else 5.0), True
        return state, reward, *rest


class Missing(Rewardless):
    """Pays -1 at each step: the goal is never reached."""

    def step(self, action):
        state, _, *rest = super().step(action)
        return state, -1.0, *rest


for task in (Doubling, Missing, Once):
    gymnasium.register(f"{task.__name__}-v0", task, max_episode_steps=10, disable_env_checker=True)


def warnings_of(config, run_dir) -> list[str]:
    run = finished_run(config, run_dir)
    return warnings_about(run)


@pytest.fixture
def config(small):
    return replace(small, evaluate_every=200, evaluation_episodes=5, checkpoint_every=10_000)


def test_actions_stuck_at_the_wrong_bound_are_reported(config, tmp_path):
    """One huge first step of the actor saturates tanh, whose gradient is then zero."""
    broken = replace(config, env="Matching-v0", steps=100, actor_learning_rate=50.0, evaluate_every=50)
    (warning,) = warnings_of(broken, tmp_path / "run")
    assert "100% of the policy's actions are at a bound" in warning
    assert "no better than those of the untrained policy" in warning
    assert warning.endswith(f"{PAGE}#saturated-actions")


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_policy_that_is_right_to_stay_at_a_bound_is_not_reported(config, tmp_path):
    """The best action of this task is the upper bound, so saturation alone is no fault."""
    run = finished_run(replace(config, env="Highest-v0", steps=600, actor_learning_rate=3e-3), tmp_path / "run")
    assert run.episode.metrics.action_saturation > 0.9
    assert warnings_about(run) == []


@pytest.mark.slow
@pytest.mark.parametrize("env", ["Matching-v0", "Pendulum-v1", "Endless-v0"])
def test_a_sound_run_is_not_reported(config, tmp_path, env):
    steps = 3_000 if env == "Pendulum-v1" else 600
    learning = replace(config, env=env, steps=steps, actor_learning_rate=3e-3, critic_learning_rate=3e-3)
    assert warnings_of(learning, tmp_path / "run") == []


def test_the_largest_value_is_the_sum_of_a_geometric_series():
    assert max_abs_value(np.array([1.0, -2.0]), 0.9) == pytest.approx(20)
    assert max_abs_value(np.array([1.0]), 1.0) == np.inf


def eager(config):
    """Return settings without target networks, whose critic takes large steps."""
    return replace(config, gamma=0.99, tau=1.0, critic_learning_rate=0.1)


def test_values_that_diverge_are_reported(config, tmp_path):
    """Each target is the critic's own extrapolation to a larger state."""
    run = finished_run(replace(eager(config), env="Doubling-v0", steps=400), tmp_path / "run")
    assert abs(run.episode.metrics.q_value) > 1e6
    warnings = warnings_about(run)
    (warning,) = [each for each in warnings if "#saturated-actions" not in each]  # the actor may follow
    assert warning.startswith("the critic's values reached ")
    message = "but rewards of at most 1 can add up to 100 only"
    assert warning.endswith(f", {message}; see {PAGE}#values-that-grow-without-bound")


def replace_column(path, name: str, value: float) -> None:
    """Replace a column of a CSV file of numbers."""
    columns = read_columns(path)
    columns[name][:] = value
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")


def test_values_around_the_sum_of_constant_rewards_are_not_reported(config, tmp_path):
    """As with a pole that is always balanced: the values scatter around the largest possible one."""
    run = finished_run(replace(eager(config), env="Endless-v0", steps=600), tmp_path / "run")
    assert run.episode.metrics.q_value == pytest.approx(100, abs=5)
    assert warnings_about(run) == []
    for q_value, expected in ((109.0, 0), (111.0, 1), (-109.0, 0), (-111.0, 1)):
        replace_column(run.folder.path / "updates.csv", "q_value", q_value)
        assert len(warnings_about(run)) == expected
    # Saturated actions are reported only where the last three evaluations are no better than the first one.
    replace_column(run.folder.path / "updates.csv", "q_value", 0.0)
    replace_column(run.folder.path / "updates.csv", "action_saturation", 0.95)
    for means, expected in (((1, 4, 4, -1), 0), ((1, 4, -1, -1, -1), 1), ((1, 4, 1, 1, 1), 1), ((1,), 0)):
        rows = [f"{steps},{mean},0,5" for steps, mean in enumerate(means)]
        (run.folder.path / "evaluations.csv").write_text("\n".join(["steps,mean,std,episodes", *rows]) + "\n")
        assert len(warnings_about(run)) == expected


def test_without_discounting_no_value_is_too_large(config, tmp_path):
    run = finished_run(replace(eager(config), env="Endless-v0", gamma=1.0, steps=200), tmp_path / "run")
    assert abs(run.episode.metrics.q_value) > 100
    assert not [each for each in warnings_about(run) if "the critic's values" in each]


def test_a_reward_that_the_buffer_has_lost_was_seen_all_the_same(config, tmp_path):
    run = finished_run(replace(config, env="Once-v0", steps=40, buffer_size=16), tmp_path / "run")
    assert not run.agent.replay_buffer.split(run.agent.replay_buffer.rows).reward.any()
    assert not [warning for warning in warnings_about(run) if "every reward" in warning]


def test_a_reward_that_never_changes_teaches_nothing_though_it_is_not_zero(config, tmp_path):
    """As the -1 of a sparse goal that is never reached; a constant +1 is a pole that never falls."""
    run = finished_run(replace(config, env="Missing-v0", steps=40), tmp_path / "run")
    (warning,) = warnings_about(run)
    assert warning.startswith("every reward so far was -1, so there was nothing to learn from")


def test_a_policy_that_became_worse_than_the_untrained_one_is_reported(config, tmp_path):
    run = finished_run(replace(config, env="Matching-v0", steps=40), tmp_path / "run")
    run.folder.kept["untrained"] = [0, [value + 1.0 for value in run.evaluation.returns]]
    (warning,) = warnings_about(run)
    assert warning.startswith("the last policy is not better than the untrained policy (")
    assert "evaluate.py --best" in warning


def test_a_warning_is_printed_after_the_results_and_leaves_the_exit_code_alone(tmp_path, capsys):
    flags = ["--env", "Rewardless-v0", "--steps", "30", "--evaluation-episodes", "1", "--no-progress", *SMALL]
    assert main([*flags, "--run-dir", str(tmp_path / "run"), "--plot-dir", str(tmp_path / "plots")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("train.py: warning: every reward so far was 0, ")


def test_every_warning_points_to_a_section_that_exists():
    anchors = Page(PAGE).anchors()
    assert {"saturated-actions", "values-that-grow-without-bound", "no-reward-ever-seen"} <= anchors
