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
from tests.helpers.pages import ROOT, read_csv

CONFIG = Config(seed=4).as_json()


@pytest.fixture
def run_dir(tmp_path):
    log = RunLog.create(tmp_path / "run", Config(seed=4), COLUMNS)
    for k in range(1, 6):
        row = {"episode": k, "steps": 200 * k, "length": 200, "return": -k, "running_average": -k / 2, "seconds": k}
        log.add("episodes", row)
    log.add("evaluations", {"steps": 0, "mean": -9.0, "std": 1.0, "episodes": 10})
    log.add("evaluations", {"steps": 1000, "mean": -8.0, "std": 0.0, "episodes": 1})
    log.close()
    return tmp_path / "run"


def test_the_curve_has_its_three_series_title_and_units(run_dir, tmp_path, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(figures, "save", lambda figure, plot_path: drawn.append(figure))
    plotting.draw_reward_curve(run_dir, CONFIG | {"tau": 0.5, "env_kwargs": {"g": 5.0}}, tmp_path / "curve.png")
    (axes,) = drawn[0].axes
    returns, average, evaluation = axes.lines[:3]
    np.testing.assert_array_equal(returns.get_xdata(), [200, 400, 600, 800, 1000])
    np.testing.assert_array_equal(returns.get_ydata(), [-1, -2, -3, -4, -5])
    np.testing.assert_array_equal(average.get_ydata(), [-0.5, -1, -1.5, -2, -2.5])
    assert (list(evaluation.get_xdata()), list(evaluation.get_ydata())) == ([0, 1000], [-9, -8])
    assert "Pendulum-v1" in axes.get_title()
    assert "seed 4\npreset blog with tau 0.5" in axes.get_title()
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


def test_the_optimum_of_pendulum_is_what_was_measured():
    (measured,) = [row for row in read_csv("results/pendulum_optimum/table.csv") if row["who"] == "optimum"]
    assert plotting.OPTIMA["Pendulum-v1"] == pytest.approx(float(measured["mean"]), abs=0.051)


def test_every_published_plot_has_the_width_of_the_style():
    assert {matplotlib.image.imread(plot).shape[1] for plot in PUBLISHED} == {figures.WIDTH * figures.DPI}


def test_the_plot_is_replaced_in_one_step(run_dir, tmp_path):
    plot_path = tmp_path / "plots" / "curve.png"
    for _ in range(2):
        plotting.draw_reward_curve(run_dir, CONFIG, plot_path)
        assert matplotlib.image.imread(plot_path).shape == (750, 1260, 4)
    assert [path.name for path in plot_path.parent.iterdir()] == ["curve.png"]


def test_a_file_with_nothing_but_a_header_has_empty_columns(run_dir):
    assert plotting.read_columns(run_dir / "updates.csv")["critic_loss"].shape == (0,)


PAGES = "".join(page.read_text("utf-8") for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
PUBLISHED = sorted(ROOT / name for name in set(re.findall(r"(?:results/[\w.-]+|plots)/[\w.-]+\.png", PAGES)))


@pytest.mark.parametrize("plot", PUBLISHED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_published_plot_can_be_drawn_again_from_the_csv_beside_it(plot, tmp_path):
    again, curves = tmp_path / plot.name, plot.with_name("curves.csv")
    if plot.parent.name == "plots":
        plotting.main([str(plot.with_suffix("")), str(again)])
    elif plot.with_suffix(".csv").exists():
        draw.main([str(plot.with_suffix(".csv")), "--out", str(again)])
    elif curves.exists() and not {"variant", "success_rate", "start"} & set(
        curves.read_text("utf-8").splitlines()[0].split(",")
    ):
        assert sweep(["compare", str(curves), "--out", str(again)]) == 0
    else:
        draw.main([str(plot.parent), "--out", str(again)])
    published, redrawn = (matplotlib.image.imread(path) for path in (plot, again))
    assert published.shape == redrawn.shape
    assert (np.abs(published - redrawn).max(axis=2) > 0.1).mean() < 0.002  # fonts may differ a little


@pytest.mark.parametrize("broken", ["no config", "no table", "empty table", "a folder in place of the picture"])
def test_what_cannot_be_drawn_is_one_line_and_leaves_nothing(tmp_path, capsys, broken):
    run = tmp_path / "run"
    run.mkdir()
    if broken != "no config":
        (run / "config.json").write_text('{"config": {"env": "T", "seed": 0, "evaluation_episodes": 1}}')
    for name in ("episodes", "evaluations"):
        (run / f"{name}.csv").write_text("" if broken == "empty table" else "a;b\n1;2\n")
    out = tmp_path if broken.startswith("a folder") else tmp_path / "x.png"
    assert plotting.main([str(run), str(out)]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error and error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
