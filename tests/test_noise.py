"""The exploration noise: its moments, its correlation in time, and a fresh start at each episode."""

import numpy as np
import pytest

from ddpg import GaussianNoise, OrnsteinUhlenbeckNoise
from ddpg.noise import NOISES, make_noise


def series(noise, length: int = 200_000) -> np.ndarray:
    return np.array([noise.sample()[0] for _ in range(length)])


def test_gaussian_noise_has_the_given_deviation_and_no_memory():
    x = series(GaussianNoise(1, 0.1, np.random.default_rng(0)))
    assert abs(x.mean()) < 0.001
    assert abs(x.std() - 0.1) < 0.001
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.01
    assert abs((np.abs(x) > 0.2).mean() - 0.0455) < 0.002  # as much beyond 2 σ as a normal distribution has


def test_ornstein_uhlenbeck_noise_has_the_stationary_moments_of_theta_and_sigma():
    """Noise from uniform numbers, or without a state, fails both moments."""
    x = series(OrnsteinUhlenbeckNoise(1, 0.2, np.random.default_rng(0)))
    assert abs(x.mean()) < 0.01  # two-sided
    assert abs(x.std() - 0.2 / np.sqrt(1 - 0.85**2)) < 0.005  # 0.380
    assert abs(np.corrcoef(x[:-6], x[6:])[0, 1] - 0.85**6) < 0.02  # 0.377: one correlation time


def test_another_theta_forgets_at_another_rate():
    x = series(OrnsteinUhlenbeckNoise(1, 0.2, np.random.default_rng(0), theta=0.5), 50_000)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1] - 0.5) < 0.02


def test_ornstein_uhlenbeck_noise_forgets_the_last_episode():
    noise = OrnsteinUhlenbeckNoise(2, 0.2, np.random.default_rng(0))
    for _ in range(50):
        noise.sample()
    first = np.array([(noise.reset(), noise.sample())[1] for _ in range(20_000)])
    assert first.shape == (20_000, 2)
    assert np.abs(first.mean(axis=0)).max() < 0.005
    assert np.abs(first.std(axis=0) - 0.2).max() < 0.005  # one shock, no drift left over


@pytest.mark.parametrize("kind", NOISES)
def test_noise_is_float32_and_differs_between_dimensions_and_steps(kind):
    noise = make_noise(kind, 3, 0.1, np.random.default_rng(0))
    first = noise.sample()
    kept = first.copy()
    second = noise.sample()
    assert (first.shape, first.dtype) == ((3,), np.float32)
    assert len({*first, *second}) == 6
    np.testing.assert_array_equal(first, kept)  # a sample is not overwritten by the next one


@pytest.mark.parametrize("kind", NOISES)
def test_noise_comes_from_the_given_stream_and_scales_with_sigma(kind):
    def samples(sigma: float, seed: int) -> np.ndarray:
        noise = make_noise(kind, 2, sigma, np.random.default_rng(seed))
        return np.array([noise.sample() for _ in range(5)])

    np.testing.assert_array_equal(samples(0.1, 4), samples(0.1, 4))
    np.testing.assert_allclose(samples(0.3, 4), 3 * samples(0.1, 4), rtol=1e-5)
    assert not np.array_equal(samples(0.1, 4), samples(0.1, 5))


def test_noise_of_sigma_0_is_zero():
    assert not make_noise("ou", 2, 0.0, np.random.default_rng(0)).sample().any()
