"""The noise N of the exploration policy β(s) = μ(s) + N (first post, equation 6; second post, its section on noise).

Both processes live in the units of the tanh action: 1 is half the width of the task's own action range.
A new process needs `sample` and `reset` as here, a line in `NOISES`, and its name in the choices of `Config.noise`.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np


class Noise(Protocol):
    """What the agent needs of a noise process.

    Only the random stream is saved in a checkpoint, and training resumes between episodes: all other state must be
    cleared by `reset`.
    """

    def sample(self) -> np.ndarray:
        """Return the noise of the next step, `(size,)` float32."""

    def reset(self) -> None:
        """Begin an episode."""


class GaussianNoise:
    """Independent normal noise, N(0, σ²) at each step and in each dimension: the second post's choice.

    Args:
        size: Dimensions of an action.
        sigma: σ, the standard deviation.
        rng: The random stream to draw from.
    """

    def __init__(self, size: int, sigma: float, rng: np.random.Generator) -> None:
        self.size = size
        self.sigma = sigma
        self.rng = rng

    def sample(self) -> np.ndarray:
        """Return the noise of the next step, `(size,)` float32."""
        return self.rng.standard_normal(self.size, dtype=np.float32) * np.float32(self.sigma)

    def reset(self) -> None:
        """Begin an episode; independent noise has no state to clear."""


class OrnsteinUhlenbeckNoise:
    """Noise that is correlated in time and drifts back to zero: the paper's choice (sections 3 and 7).

    The Euler-Maruyama step of dx = -θ x dt + σ dW with dt = 1 environment step and x₀ = 0 at each episode's start. Its
    stationary deviation is σ / sqrt(1 - (1 - θ)²) = 0.380, its correlation time 1 / -ln(1 - θ) = 6.2 steps.

    Args:
        size: Dimensions of an action.
        sigma: σ, the deviation of each step's shock (paper: 0.2).
        rng: The random stream to draw from.
        theta: θ, the pull towards zero (paper: 0.15).
    """

    def __init__(self, size: int, sigma: float, rng: np.random.Generator, theta: float = 0.15) -> None:
        self.shock = GaussianNoise(size, sigma, rng)
        self.theta = np.float32(theta)
        self.value = np.zeros(size, np.float32)

    def sample(self) -> np.ndarray:
        """Move on by one step and return the noise, `(size,)` float32."""
        self.value = (1 - self.theta) * self.value + self.shock.sample()
        return self.value

    def reset(self) -> None:
        """Begin an episode at zero."""
        self.value = np.zeros_like(self.value)


NOISES: dict[str, Callable[[int, float, np.random.Generator], Noise]] = {
    "gaussian": GaussianNoise,
    "ou": OrnsteinUhlenbeckNoise,
}


def make_noise(kind: str, size: int, sigma: float, rng: np.random.Generator) -> Noise:
    """Return the noise process that `Config.noise` names, one of `NOISES`."""
    return NOISES[kind](size, sigma, rng)
