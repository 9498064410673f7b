"""The reward curve shows what the CSV files hold."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from ddpg import Config, plotting
from ddpg.records import Records

ROOT = Path(__file__).parent.parent


@pytest.fixture
def run_folder(tmp_path):
    records = Records(tmp_path / "run", Config(seed=4))
    for k in range(1, 6):
        row = {"episode": k, "steps": 200 * k, "length": 200, "return": -k, "running_average": -k / 2, "seconds": k}
        records.add("episodes", row)
    records.add("evaluations", {"steps": 0, "mean": -9.0, "std": 1.0, "episodes": 10})
    records.close()
    return tmp_path / "run"


def test_the_curve_draws_the_three_series_with_title_and_units(run_folder, tmp_path, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(plotting, "save", lambda figure, picture: drawn.append(figure))
    plotting.draw_reward_curve(run_folder, tmp_path / "curve.png")
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


def test_the_picture_is_replaced_in_one_step(run_folder, tmp_path):
    picture = tmp_path / "plots" / "curve.png"
    for _ in range(2):
        plotting.draw_reward_curve(run_folder, picture)
        assert matplotlib.image.imread(picture).shape == (550, 990, 4)
    assert [path.name for path in picture.parent.iterdir()] == ["curve.png"]


def test_a_file_with_a_header_alone_has_empty_columns(run_folder):
    assert plotting.read_columns(run_folder / "updates.csv")["critic_loss"].shape == (0,)


@pytest.mark.parametrize("picture", sorted((ROOT / "plots").glob("*.png")), ids=lambda path: path.stem)
def test_every_published_picture_can_be_drawn_again_from_the_csv_beside_it(picture, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import pictures

    source = picture.with_suffix(".csv") if picture.with_suffix(".csv").exists() else picture.with_suffix("")
    again = tmp_path / picture.name
    drawn = plotting.main([str(source), str(again)]) if is_a_run(source) else pictures.main([str(source), str(again)])
    assert drawn is None
    published, redrawn = (matplotlib.image.imread(path) for path in (picture, again))
    assert published.shape == redrawn.shape
    assert (np.abs(published - redrawn).max(axis=2) > 0.1).mean() < 0.002  # fonts may differ a little


def is_a_run(source) -> bool:
    return source.is_dir() or source.name.startswith("learning-")
