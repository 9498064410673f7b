"""All streams come from one seed; using one never changes another."""

import numpy as np

STREAMS = ("weights", "noise", "replay", "warm_up", "episodes", "evaluation", "hindsight")


def stream(seed: int, name: str, *index: int) -> np.random.SeedSequence:
    """Return the named random stream of a run.

    Args:
        seed: The run's seed.
        name: One of `STREAMS`.
        index: Further indices below it, such as an episode's number.
    """
    return np.random.SeedSequence(seed, spawn_key=(STREAMS.index(name), *index))


def rng(seed: int, name: str, *index: int) -> np.random.Generator:
    """Return a NumPy random number generator on the named stream."""
    return np.random.default_rng(stream(seed, name, *index))


def integer_seed(seed: int, name: str, *index: int) -> int:
    """Return one 31-bit seed from the named stream, for libraries that want a plain integer."""
    return int(stream(seed, name, *index).generate_state(1)[0]) >> 1
