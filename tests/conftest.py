"""Shared by all tests: TensorFlow's notes are turned away, the tiny tasks are registered."""

import pytest

from ddpg.command_line import import_tensorflow

import_tensorflow()

import tests.tasks  # noqa: E402, F401
from ddpg import Config  # noqa: E402


@pytest.fixture
def small() -> Config:
    """Settings whose networks are small enough for a test, with everything else as it is."""
    return Config(hidden_units=(16, 16), buffer_size=10_000, batch_size=16, jit_compile=False)
