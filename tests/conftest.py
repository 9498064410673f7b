"""Shared by all tests: TensorFlow's log is off, the tiny tasks are registered."""

import gc
import itertools
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As in an activated environment, so that the next command is printed as "python ..." wherever the tests run.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

import tests.helpers.tasks  # noqa: F401
from ddpg.command import tensorflow
from ddpg.config import Config

# A run begins with a collection of all garbage. In a process that holds the objects of hundreds of tests, that takes
# longer than a small run, so it happens once in ten runs here.
runs = itertools.count()
tensorflow.gc = SimpleNamespace(collect=lambda: next(runs) % 10 or gc.collect(), freeze=gc.freeze, unfreeze=gc.unfreeze)


@pytest.fixture(scope="session")
def small() -> Config:
    """Settings with networks small enough for a test, and otherwise the defaults."""
    return Config(hidden_units=(16, 16), buffer_size=10_000, batch_size=16, jit_compile=False)


@pytest.fixture
def without_plots(monkeypatch):
    """Spare the tests that look at other things two drawings per run, a quarter of its time."""
    from ddpg.run import training_run

    monkeypatch.setattr(training_run, "draw_reward_curve", lambda *_: None)
