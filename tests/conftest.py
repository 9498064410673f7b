"""Shared by all tests: TensorFlow's log and the compile cache are off, the tiny tasks are registered."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["DDPG_COMPILE_CACHE"] = "off"  # tests leave nothing in the user's cache folder, and find nothing there

import tests.helpers.tasks  # noqa: F401
from ddpg.config import Config


@pytest.fixture
def small() -> Config:
    """Settings with networks small enough for a test, and otherwise the defaults."""
    return Config(hidden_units=(16, 16), buffer_size=10_000, batch_size=16, jit_compile=False)
