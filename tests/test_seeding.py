"""One seed decides every random stream, and no stream says anything about another."""

import itertools

import numpy as np
import pytest

from ddpg.seeding import STREAMS, integer_seed, rng, stream


def test_streams_of_every_name_and_seed_differ():
    first = [rng(seed, name).integers(2**63) for seed, name in itertools.product((0, 1, 2, 2**40), STREAMS)]
    assert len(set(first)) == len(first) == 4 * len(STREAMS)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_can_be_repeated(name):
    np.testing.assert_array_equal(rng(7, name).random(5), rng(7, name).random(5))


def test_every_episode_has_its_own_seed():
    seeds = {integer_seed(seed, name, k) for seed in (0, 1) for name in ("episodes", "evaluation") for k in range(1000)}
    assert len(seeds) == 4000
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert max(seeds) > 2**30


def test_the_streams_are_those_of_every_earlier_run():
    """Old checkpoints and published results depend on these numbers."""
    expected = [1878776328, 336614359, 1620722436, 1842996703, 608273276, 1039430863, 1235561164]
    assert [integer_seed(0, name) for name in STREAMS] == expected
    assert [integer_seed(0, "episodes", k) for k in (1, 2)] == [1012782191, 27437443]


def test_an_unknown_stream_is_an_error():
    with pytest.raises(ValueError, match="not in tuple"):
        stream(0, "weather")
