"""The reward curve shows what the CSV files hold."""

import re

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks import draw
from ddpg import Config
from ddpg.run import plotting
from ddpg.run.training_run import COLUMNS
from ddpg.storage import figures
from ddpg.storage.run_log import RunLog
from ddpg.sweep.__main__ import main as sweep
from tests.helpers.pages import ROOT

CONFIG = Config(seed=4).as_json()


@pytest.fixture
def run_dir(tmp_path):
    log = RunLog.create(tmp_path / "run", Config(seed=4), COLUMNS)
    for k in range(1, 6):
        row = {"episode": k, "steps": 200 * k, "length": 200, "return": -k, "running_average": -k / 2, "seconds": k}
        log.add("episodes", row)
    log.add("evaluations", {"steps": 0, "mean": -9.0, "std": 1.0, "episodes": 10})
    log.close()
    return tmp_path / "run"


def test_the_curve_has_its_three_series_title_and_units(run_dir, tmp_path, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(figures, "save", lambda figure, plot_path: drawn.append(figure))
    plotting.draw_reward_curve(run_dir, CONFIG, tmp_path / "curve.png")
    (axes,) = drawn[0].axes
    returns, average, evaluation = axes.lines[:3]
    np.testing.assert_array_equal(returns.get_xdata(), [200, 400, 600, 800, 1000])
    np.testing.assert_array_equal(returns.get_ydata(), [-1, -2, -3, -4, -5])
    np.testing.assert_array_equal(average.get_ydata(), [-0.5, -1, -1.5, -2, -2.5])
    assert (list(evaluation.get_xdata()), list(evaluation.get_ydata())) == ([0], [-9])
    assert "Pendulum-v1" in axes.get_title()
    assert "seed 4" in axes.get_title()
    assert "steps" in axes.get_xlabel()
    assert len(drawn[0].legends[0].get_texts()) == 3


def test_the_values_fill_their_picture_though_the_limit_is_far_away(tmp_path, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(figures, "save", lambda figure, plot_path: drawn.append(figure))
    columns = {name: np.array([1.0, 2.0, 3.0]) for name in COLUMNS["updates"]}
    plotting.draw_updates(columns, np.array([[-16.0]]), 0.99, tmp_path / "updates.png")
    _, values, _ = drawn[0].axes
    np.testing.assert_array_equal(values.lines[0].get_ydata(), [1, 2, 3])
    assert values.get_ylim() == pytest.approx((0.9, 3.1))
    assert "1,600" in " ".join(text.get_text() for text in drawn[0].legends[0].get_texts())


def test_the_plot_is_replaced_in_one_step(run_dir, tmp_path):
    plot_path = tmp_path / "plots" / "curve.png"
    for _ in range(2):
        plotting.draw_reward_curve(run_dir, CONFIG, plot_path)
        assert matplotlib.image.imread(plot_path).shape == (550, 990, 4)
    assert [path.name for path in plot_path.parent.iterdir()] == ["curve.png"]


def test_a_file_with_nothing_but_a_header_has_empty_columns(run_dir):
    assert plotting.read_columns(run_dir / "updates.csv")["critic_loss"].shape == (0,)


PAGES = "".join(page.read_text("utf-8") for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
PUBLISHED = sorted(ROOT / name for name in set(re.findall(r"(?:results/[\w.-]+|plots)/[\w.-]+\.png", PAGES)))


@pytest.mark.parametrize("plot", PUBLISHED, ids=lambda path: path.parent.name)
def test_every_published_plot_can_be_drawn_again_from_the_csv_beside_it(plot, tmp_path):
    again, curves = tmp_path / plot.name, plot.with_name("curves.csv")
    if plot.parent.name == "plots":
        plotting.main([str(plot.with_suffix("")), str(again)])
    elif curves.exists() and "variant" not in curves.read_text("utf-8").splitlines()[0]:
        assert sweep(["compare", str(curves), "--out", str(again)]) == 0
    else:
        draw.main([str(plot.parent), "--out", str(again)])
    published, redrawn = (matplotlib.image.imread(path) for path in (plot, again))
    assert published.shape == redrawn.shape
    assert (np.abs(published - redrawn).max(axis=2) > 0.1).mean() < 0.002  # fonts may differ a little
