"""The statistics, against hand-worked cases and against SciPy."""

import numpy as np
import pytest
from scipy import stats

from ddpg.compare.statistics import (
    bootstrap_interval,
    improvement_interval,
    interquartile_mean,
    probability_of_improvement,
)


def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end():
    assert interquartile_mean(np.array([-1000.0, 1, 2, 3, 4, 5, 6, 1000])) == pytest.approx((2 + 3 + 4 + 5) / 4)


def test_the_interquartile_mean_of_three_runs_is_their_mean():
    assert interquartile_mean(np.array([0.0, 0, 3])) == pytest.approx(1)


def test_the_interval_of_a_curve_is_that_of_each_of_its_points():
    runs = np.random.default_rng(1).normal(size=(8, 3))
    low, high = bootstrap_interval([runs])
    for point in range(3):
        alone = bootstrap_interval([runs[:, point]])
        assert (low[point], high[point]) == pytest.approx(alone)
    assert (low < interquartile_mean(runs)).all() and (interquartile_mean(runs) < high).all()


def test_the_interval_is_that_of_scipys_bootstrap():
    runs = np.random.default_rng(2).exponential(size=10)
    wanted = stats.bootstrap(
        (runs,), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis), n_resamples=50_000, method="percentile",
        rng=np.random.default_rng(3),
    ).confidence_interval  # fmt: skip
    assert bootstrap_interval([runs]) == pytest.approx((wanted.low, wanted.high), rel=0.05)


def test_runs_are_drawn_anew_within_each_stratum():
    """Two tasks of constant but different scores: drawn together, their mix would vary; drawn apart it cannot."""
    apart = bootstrap_interval([np.full(4, 0.0), np.full(4, 8.0)])
    together = bootstrap_interval([np.repeat([0.0, 8.0], 4)])
    assert apart == pytest.approx((4, 4))
    assert together[0] < 3 and together[1] > 5


def test_a_single_run_has_no_interval():
    assert bootstrap_interval([np.array([1.0])]) is None
    assert bootstrap_interval([np.array([1.0, 2.0]), np.array([1.0])]) is None
    assert improvement_interval(np.array([1.0]), np.array([1.0, 2.0])) is None


def test_the_same_runs_always_have_the_same_interval():
    runs = np.random.default_rng(4).normal(size=30)  # of few runs, other draws may have the same interval by chance
    assert bootstrap_interval([runs]) == bootstrap_interval([runs.copy()])


def test_the_probability_of_improvement_counts_pairs_and_half_of_the_ties():
    better, worse = np.array([1.0, 3.0]), np.array([0.0, 3.0])
    assert probability_of_improvement(better, worse) == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    assert probability_of_improvement(np.array([5.0, 6.0]), np.array([1.0, 2.0, 3.0])) == 1


def test_the_probability_of_improvement_lies_in_its_interval():
    rng = np.random.default_rng(5)
    better, worse = rng.normal(0.5, size=10), rng.normal(size=10)
    low, high = improvement_interval(better, worse)
    assert 0 <= low < probability_of_improvement(better, worse) < high <= 1
    assert improvement_interval(better + 100, worse) == (1, 1)


def test_ties_count_half_in_the_interval_too():
    """Where all runs reach the same score, as with a goal that is always reached, nothing is better."""
    same = np.full(5, 200.0)
    assert probability_of_improvement(same, same) == 0.5
    assert improvement_interval(same, same) == (0.5, 0.5)
