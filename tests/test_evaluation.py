"""Evaluation: noise-free, from the same starts for every policy, with honest error bars."""

import numpy as np
import pytest

from ddpg import Evaluation, evaluate, make_environment


class Constant:
    """A policy that always does the same, and refuses to explore."""

    def __init__(self, action: float) -> None:
        self.action, self.states = np.float32([action]), []

    def act(self, state, explore=True):
        assert explore is False, "an evaluation must not explore"
        self.states.append(float(state[0]))
        return self.action


def test_returns_are_the_undiscounted_sums_of_rewards():
    evaluation = evaluate(Constant(0), make_environment("Endless-v0"), episodes=3)
    assert evaluation.returns == (10, 10, 10)


def test_the_policy_sees_every_state_in_turn():
    policy = Constant(0)
    evaluate(policy, make_environment("Reusing-v0", max_episode_steps=3), episodes=2)
    assert policy.states == [0, 1, 2, 0, 1, 2]


def test_an_episode_ends_when_the_task_terminates_or_is_truncated():
    assert evaluate(Constant(0), make_environment("Unlimited-v0", max_episode_steps=4), episodes=2).returns == (4, 4)
    matching = evaluate(Constant(0), make_environment("Matching-v0", max_episode_steps=4), episodes=20).returns
    assert min(matching) >= -0.64  # one step each


def test_episode_i_is_reset_with_seed_plus_i():
    environment = make_environment("Matching-v0")
    together = evaluate(Constant(0.3), environment, episodes=3, seed=7).returns
    starts = []
    for seed in (7, 8, 9):
        state, _ = environment.reset(seed=seed)
        starts.append(-float(np.sum((np.float32([0.3]) - state) ** 2)))
    assert list(together) == starts
    assert evaluate(Constant(0.3), environment, episodes=2, seed=8).returns == together[1:]
    assert len(set(together)) == 3


def test_the_defaults_are_10_episodes_from_seed_0():
    environment = make_environment("Matching-v0")
    assert evaluate(Constant(0.3), environment) == evaluate(Constant(0.3), environment, 10, 0)


def test_the_statistics_are_those_of_the_returns():
    evaluation = Evaluation((1.0, 2.0, 6.0))
    json = evaluation.as_json("Pendulum-v1")
    assert list(json) == ["env", "episodes", "mean", "std", "median", "min", "max", "returns"]
    assert (json["env"], json["episodes"], json["returns"]) == ("Pendulum-v1", 3, [1, 2, 6])
    assert (json["mean"], json["median"], json["min"], json["max"]) == (3, 2, 1, 6)
    assert evaluation.mean == 3
    assert json["std"] == evaluation.std == pytest.approx(np.sqrt(14 / 3))


@pytest.mark.parametrize(
    ("returns", "half_width"),
    [
        ((1.0, 2.0, 6.0), 4.303 * np.sqrt(7) / np.sqrt(3)),  # by hand: the table's t(2), sample deviation √7
        ((0.0, 1.0), 12.706 * np.sqrt(0.5) / np.sqrt(2)),
        (tuple(range(10)), 2.262 * np.sqrt(82.5 / 9) / np.sqrt(10)),
        ((5.0, 5.0), 0),
        ((1.0,), np.inf),
    ],
)
def test_the_confidence_interval_is_students_for_the_mean(returns, half_width):
    assert Evaluation(returns).half_width == pytest.approx(half_width, rel=1e-3)


def starts_below_zero(environment, episodes: int, seed: int) -> float:
    """Return the share of starts from which the action 0 is a success."""
    return np.mean([environment.reset(seed=seed + k)[0].item() < 0 for k in range(episodes)])


@pytest.mark.parametrize("kwargs", [{"name": "is_success"}, {"name": "success"}, {"only_at_success": True}])
def test_the_success_rate_is_that_of_the_last_steps(kwargs):
    environment = make_environment("Scoring-v0", kwargs)
    evaluation = evaluate(Constant(0), environment, episodes=8, seed=3)
    expected = starts_below_zero(environment, 8, 3)
    assert evaluation.success_rate == evaluation.as_json("Scoring-v0")["success_rate"] == expected
    assert 0 < expected < 1


def test_a_task_that_does_not_report_success_has_no_success_rate():
    evaluation = evaluate(Constant(0), make_environment("Scoring-v0", {"name": "done"}), episodes=2)
    assert evaluation.success_rate is None
    assert "success_rate" not in evaluation.as_json("Scoring-v0")
