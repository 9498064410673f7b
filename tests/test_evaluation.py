"""Evaluation: noise-free, on starts of its own, with honest error bars."""

import numpy as np
import pytest

from ddpg import evaluate, make_environment
from ddpg.evaluation import Evaluation
from ddpg.statistics import student_t


class Constant:
    """A policy that always does the same, and refuses to explore."""

    def __init__(self, action: float) -> None:
        self.action = np.float32([action])

    def act(self, state, explore=True):
        assert explore is False, "an evaluation must not explore"
        return self.action


def test_returns_are_the_undiscounted_sums_of_rewards():
    evaluation = evaluate(Constant(0), make_environment("Endless-v0"), episodes=3)
    assert evaluation.returns == (10, 10, 10)


def test_episode_i_is_reset_with_seed_plus_i():
    environment = make_environment("Pendulum-v1")
    together = evaluate(Constant(0.3), environment, episodes=3, seed=7).returns
    apart = [evaluate(Constant(0.3), environment, episodes=1, seed=seed).returns[0] for seed in (7, 8, 9)]
    assert list(together) == apart
    assert len(set(apart)) == 3


def test_the_figures_are_those_of_the_returns():
    evaluation = Evaluation((1.0, 2.0, 6.0))
    figures = evaluation.as_json("Pendulum-v1")
    assert list(figures) == ["env", "episodes", "mean", "std", "median", "min", "max", "returns"]
    assert (figures["mean"], figures["median"], figures["min"], figures["max"]) == (3, 2, 1, 6)
    assert figures["std"] == pytest.approx(np.sqrt(14 / 3))
    # By hand: sample deviation √7, t(2) = 4.303.
    assert evaluation.half_width == pytest.approx(4.303 * np.sqrt(7) / np.sqrt(3))
    assert Evaluation((1.0,)).half_width == np.inf


@pytest.mark.parametrize(
    ("degrees", "exact"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (99, 1.984), (999, 1.962)]
)
def test_students_t_against_the_table(degrees, exact):
    assert student_t(degrees) == pytest.approx(exact, rel=0.01)
