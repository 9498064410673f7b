"""The noise N of the exploration policy μ'(s) = μ(s) + N (first post, equation 6; second post, moving part 4).

Both processes live in the units of the tanh action: 1 is half the width of the task's own action range.
"""

import numpy as np


class GaussianNoise:
    """Independent normal noise, N(0, σ²) at each step and in each dimension: the second post's choice.

    Args:
        size: Dimensions of an action.
        scale: σ, the standard deviation.
        generator: The random stream to draw from.
    """

    def __init__(self, size: int, scale: float, generator: np.random.Generator) -> None:
        self.size = size
        self.scale = scale
        self.generator = generator

    def sample(self) -> np.ndarray:
        """Return the next noise, `(size,)` float32."""
        return self.generator.standard_normal(self.size, dtype=np.float32) * np.float32(self.scale)

    def reset(self) -> None:
        """Begin an episode; independent noise has nothing to forget."""


class OrnsteinUhlenbeckNoise:
    """Noise that drifts back to zero, correlated in time: the paper's choice (its section 3 and appendix 7).

    The Euler-Maruyama step of dx = -θ x dt + σ dW with dt = 1 environment step, x₀ = 0 at each episode's start.  Its
    stationary deviation is σ / sqrt(1 - (1 - θ)²) = 0.380, its correlation time 1 / -ln(1 - θ) = 6.2 steps.

    Args:
        size: Dimensions of an action.
        scale: σ, the deviation of each step's shock (paper: 0.2).
        generator: The random stream to draw from.
        theta: θ, the pull towards zero (paper: 0.15).
    """

    def __init__(self, size: int, scale: float, generator: np.random.Generator, theta: float = 0.15) -> None:
        self.shock = GaussianNoise(size, scale, generator)
        self.theta = np.float32(theta)
        self.value = np.zeros(size, np.float32)

    def sample(self) -> np.ndarray:
        """Move one step on and return the noise, `(size,)` float32."""
        self.value = (1 - self.theta) * self.value + self.shock.sample()
        return self.value

    def reset(self) -> None:
        """Begin an episode at zero."""
        self.value = np.zeros_like(self.value)


def make_noise(kind: str, size: int, scale: float, generator: np.random.Generator):
    """Return the noise process that `Config.noise` names: "gaussian" or "ou"."""
    return {"gaussian": GaussianNoise, "ou": OrnsteinUhlenbeckNoise}[kind](size, scale, generator)
