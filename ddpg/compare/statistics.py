"""The statistics of a few runs, by SciPy: interquartile means, bootstrap intervals, probability of improvement.

As Agarwal et al. (2021, arXiv 2108.13264) recommend: with few seeds, show intervals and robust means, not best runs.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

RESAMPLES = 2_000
CONFIDENCE = 0.95


def interquartile_mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the mean of the middle half of the values: a quarter, rounded down, is cut at either end.

    Of three values or fewer nothing is cut, so theirs is the mean.
    """
    return stats.trim_mean(values, 0.25, axis=axis)


def bootstrap_interval(strata: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the 95 % interval of the interquartile mean over runs, by the stratified percentile bootstrap.

    Args:
        strata: One array per task, `(seeds,)` or `(seeds, points)`: runs are drawn anew within each, and a run is drawn
            as a whole.

    Returns:
        The lower and the upper ends, each `()` or `(points,)`; None if a stratum has a single run, of which nothing can
        be said.
    """
    if any(len(runs) < 2 for runs in strata):
        return None

    def statistic(*samples: np.ndarray, axis: int) -> np.ndarray:
        return interquartile_mean(np.concatenate(samples, axis=axis), axis=axis)

    found = stats.bootstrap(
        tuple(strata),
        statistic,
        axis=0,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(0),  # the same runs give the same figures
    ).confidence_interval
    return found.low, found.high


def probability_of_improvement(better: np.ndarray, worse: np.ndarray) -> float:
    """Return the probability that a run of one setting scores higher than a run of another; a tie counts half.

    It is Mann and Whitney's U, divided by the number of pairs.

    Args:
        better: The scores of one setting, `(seeds,)`.
        worse: Those of the other.
    """
    return float(stats.mannwhitneyu(better, worse).statistic / (len(better) * len(worse)))


def improvement_interval(better: np.ndarray, worse: np.ndarray) -> tuple[float, float] | None:
    """Return the 95 % bootstrap interval of `probability_of_improvement`; None if either has a single run."""
    if min(len(better), len(worse)) < 2:
        return None

    def statistic(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
        first, second = np.moveaxis(first, axis, -1)[..., :, None], np.moveaxis(second, axis, -1)[..., None, :]
        return np.mean((first > second) + 0.5 * (first == second), axis=(-2, -1))

    found = stats.bootstrap(
        (better, worse),
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)
