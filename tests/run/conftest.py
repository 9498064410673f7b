"""Shared by the tests of runs."""

import pytest

from ddpg.run import training_run


@pytest.fixture
def without_plots(monkeypatch):
    """Spare the tests that look at other things two drawings per run, a quarter of its time."""
    monkeypatch.setattr(training_run, "draw_reward_curve", lambda *_: None)
