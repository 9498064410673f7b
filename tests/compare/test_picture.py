"""The picture of a comparison: which line has which color, style, marker and name, and what the axes say."""

import pytest
from matplotlib.colors import to_hex

from ddpg.compare.compare import compare
from ddpg.compare.plotting import COLORS, draw_comparison, label, title
from tests.compare.test_compare import curve


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draw runs; return the figure."""
    from matplotlib.figure import Figure

    def draw(runs):
        figures: list[Figure] = []
        with monkeypatch.context() as patch:
            patch.setattr(Figure, "savefig", lambda figure, path, **_: (figures.append(figure), path.touch()))
            draw_comparison(compare(runs), runs, tmp_path / "x.png")
        return figures[0]

    return draw


def runs_of(count, settings="a", tasks="T", seeds=None):
    seeds = seeds or range(count)
    return [curve([0, k + 1], k, setting, task) for task in tasks for setting in settings for k in seeds]


def test_each_setting_has_its_color_in_every_panel_and_beyond_seven_another_line(drawn):
    figure = drawn([*runs_of(1, "abcdefgh"), *runs_of(1, "b", "U")])
    first, second = figure.axes
    assert [to_hex(line.get_color()) for line in first.lines] == [*COLORS, COLORS[0]]
    assert [line.get_linestyle() for line in first.lines] == ["-"] * 7 + ["--"]
    assert [line.get_marker() for line in first.lines] == [*"os^Dvp*", "o"]
    assert [to_hex(line.get_color()) for line in second.lines] == [COLORS[1]]


def test_a_band_is_drawn_for_several_runs_alone_and_its_line_has_no_marker(drawn):
    (axes,) = drawn([*runs_of(6), *runs_of(6, "b")]).axes
    assert len(axes.collections) == 2 and [line.get_marker() for line in axes.lines] == ["None", "None"]
    assert [to_hex(band.get_facecolor()[0]) for band in axes.collections] == list(COLORS[:2])


@pytest.mark.parametrize(
    ("count", "settings", "thin"), [(6, "a", 6), (6, "ab", 0), (3, "ab", 6), (4, "ab", 8), (5, "ab", 0)]
)
def test_single_runs_are_drawn_where_there_is_room_or_a_band_says_little(drawn, count, settings, thin):
    (axes,) = drawn(runs_of(count, settings)).axes
    lines = [line for line in axes.lines if line.get_linewidth() < 1]
    assert len(lines) == thin
    assert {to_hex(line.get_color()) for line in lines} <= ({"#999999"} if settings == "a" else set(COLORS[:2]))


def test_the_axes_name_what_they_show(drawn):
    figure = drawn(runs_of(1))
    (axes,) = figure.axes
    assert figure.get_suptitle() == "Noise-free evaluations during training: single runs"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("environment steps", "return (undiscounted sum of rewards)")
    first, second = drawn([*runs_of(1), *runs_of(1, "a", ["MolGAN"])]).axes
    assert (first.get_xlabel(), first.get_ylabel()) == ("environment steps", "return")
    assert (second.get_xlabel(), second.get_ylabel()) == ("updates", "score")


@pytest.mark.parametrize(("runs", "expected"), [
    (runs_of(1), "a (seed 0)"),
    ([*runs_of(1), *runs_of(1, "a", "U", [4])], "a"),  # one seed each, and not the same
    ([curve([0, 1], None, "a")], "a"),  # a published mean
    (runs_of(3, "ab"), "a"),
    ([*runs_of(3), *runs_of(2, "b")], "a (3 seeds)"),
    ([*runs_of(3), *runs_of(2, "a", "U")], "a (2/3 seeds)"),
    ([*runs_of(1), *runs_of(2, "b")], "a (1 seed)"),
])  # fmt: skip
def test_a_setting_is_named_with_its_seeds_where_they_differ(runs, expected):
    assert label("a", compare(runs), runs) == expected


@pytest.mark.parametrize(("runs", "end"), [
    (runs_of(1, "ab"), "during training: single runs"),
    (runs_of(4), "interquartile mean of 4 seeds, range"),
    (runs_of(5), "interquartile mean of 5 seeds, 95 % bootstrap band"),
    ([*runs_of(2), *runs_of(5, "b")], "interquartile mean of the seeds, 95 % bootstrap band"),
])  # fmt: skip
def test_the_title_says_what_lines_and_bands_are(runs, end):
    assert title(compare(runs)).endswith(end)
