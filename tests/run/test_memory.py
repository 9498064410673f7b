"""A run takes little memory and no more as it goes on: guards against retracing and leaks."""

import sys

import pytest

from benchmarks.memory import MIB, growth, measure

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")


def test_a_run_stays_within_250_mb_of_tensorflow_and_its_buffer():
    """Full-sized networks, so that what XLA takes to compile them counts; the peak is reached in the first steps."""
    figures = measure("Pendulum-v1", 600, "--evaluate-every", "200", "--evaluation-episodes", "2")
    assert figures["peak"] - figures["imported"] < 250e6


@pytest.mark.slow
def test_resident_memory_does_not_grow_between_step_5_000_and_step_20_000():
    """The rows that fill the buffer meanwhile are 0.3 MiB; a retrace at each step, or a leaked tensor, is far more."""
    small = "--hidden-units 16 16 --batch-size 16 --evaluate-every 2000 --evaluation-episodes 1 --checkpoint-every 2000"
    figures = measure("Pendulum-v1", 20_000, *small.split(" "))
    assert growth(figures["seen"], 5_000, 20_000) < 12 * MIB
