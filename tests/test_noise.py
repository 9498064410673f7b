"""The exploration noise: its moments, its correlation in time, and a fresh start at each episode."""

import numpy as np

from ddpg import GaussianNoise, OrnsteinUhlenbeckNoise


def series(noise, length: int = 200_000) -> np.ndarray:
    return np.array([noise.sample()[0] for _ in range(length)])


def test_gaussian_noise_has_the_stated_deviation_and_no_memory():
    x = series(GaussianNoise(1, 0.1, np.random.default_rng(0)))
    assert abs(x.mean()) < 0.001
    assert abs(x.std() - 0.1) < 0.001
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.01


def test_ornstein_uhlenbeck_noise_has_the_stationary_moments_of_theta_and_sigma():
    """Noise from uniform numbers, or without a state, fails both moments."""
    x = series(OrnsteinUhlenbeckNoise(1, 0.2, np.random.default_rng(0)))
    assert abs(x.mean()) < 0.01  # two-sided
    assert abs(x.std() - 0.2 / np.sqrt(1 - 0.85**2)) < 0.005
    assert abs(np.corrcoef(x[:-6], x[6:])[0, 1] - 0.85**6) < 0.02  # 0.377: one correlation time


def test_ornstein_uhlenbeck_noise_forgets_at_each_episode():
    noise = OrnsteinUhlenbeckNoise(2, 0.2, np.random.default_rng(0))
    for _ in range(50):
        noise.sample()
    noise.reset()
    first = np.array([(noise.reset(), noise.sample())[1] for _ in range(20_000)])
    assert first.shape == (20_000, 2)
    assert np.abs(first.std(axis=0) - 0.2).max() < 0.005  # one shock, no drift left over


def test_noise_is_float32_and_differs_between_dimensions():
    for kind in (GaussianNoise, OrnsteinUhlenbeckNoise):
        sample = kind(3, 0.1, np.random.default_rng(0)).sample()
        assert sample.dtype == np.float32
        assert len(set(sample)) == 3
