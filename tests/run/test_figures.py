"""Pictures say what they show: intervals of means, optima of the right task, numbers that people can read."""

import os

import numpy as np
import pytest
from matplotlib.figure import Figure

from ddpg import Config, Evaluation
from ddpg.command.packages import whatever_backend
from ddpg.run import plotting
from ddpg.run.training_run import COLUMNS
from ddpg.storage import figures
from ddpg.storage.run_log import RunLog

CONFIG = Config(seed=4).as_json()


@pytest.fixture
def run_dir(tmp_path):
    log = RunLog.create(tmp_path / "run", Config(seed=4), COLUMNS)
    log.add("evaluations", {"steps": 0, "mean": -9.0, "std": 1.0, "episodes": 10})
    log.close()
    return tmp_path / "run"


def test_the_bars_are_the_95_percent_interval_of_the_mean_and_none_for_one_episode():
    """As `Evaluation.half_width`, from the deviation in the file."""
    returns = (-100.0, -150.0, -240.0)
    width, none = plotting.half_widths(np.array([np.std(returns), 0.0]), np.array([3, 1]))
    assert width == pytest.approx(Evaluation(returns).half_width)
    assert np.isnan(none)


def test_the_optimum_of_pendulum_is_drawn_where_it_is_the_task_that_it_was_computed_for(run_dir, tmp_path, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(figures, "save", lambda figure, plot_path: drawn.append(figure))
    for changes in ({}, {"env_kwargs": {"g": 5.0}}):
        plotting.draw_reward_curve(run_dir, CONFIG | changes, tmp_path / "curve.png")
    names = [[text.get_text() for text in figure.legends[0].get_texts()] for figure in drawn]
    assert ["optimum, over all starts" in each for each in names] == [True, False]


def test_thousands_are_separated_and_words_stay(tmp_path):
    figure = figures.new_figure(3)
    numbers, words = figures.panels(figure, 2)
    numbers.plot([0, 1_500_000], [0.1, 0.3])
    words.set_xticks([0, 1], ["one", "two"])
    figures.save(figure, tmp_path / "figure.png")
    assert "1,500,000" in [label.get_text() for label in numbers.get_xticklabels()]
    assert {"0.1", "0.3"} <= {label.get_text() for label in numbers.get_yticklabels()}
    assert [label.get_text() for label in words.get_xticklabels()] == ["one", "two"]


@pytest.mark.parametrize("named", ["pdf", "nonsense"])
def test_a_backend_that_does_not_exist_is_no_reason_to_stop_and_one_that_does_is_kept(monkeypatch, named):
    import matplotlib

    before = matplotlib.rcParams["backend"]
    monkeypatch.setenv("MPLBACKEND", named)
    monkeypatch.setitem(matplotlib.rcParams, "backend", before)
    with whatever_backend():
        assert "MPLBACKEND" not in os.environ
    assert os.environ["MPLBACKEND"] == named
    assert matplotlib.rcParams["backend"] == (named if named == "pdf" else before)
