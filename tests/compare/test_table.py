"""What a comparison prints, figure by figure: areas, lengths, ties, and the notes under the table."""

import numpy as np
import pytest

from ddpg.compare.compare import as_csv, compare, table
from ddpg.compare.curves import Curve
from tests.compare.test_compare import curve


def at(steps, scores, seed=0, setting="blog"):
    return Curve("T", setting, seed, np.array(steps, float), np.array(scores, float))


def test_the_table_has_these_lines():
    runs = [curve([0, 20 * k], k, test=k) for k in (1, 2)] + [curve([0, 30 * k], k, "other", test=k) for k in range(3)]
    assert table(compare(runs)).splitlines() == [
        "task  setting  seeds  steps  final return       mean over training  test of the final policy",
        "T     blog     2      10     30.0 [20.0, 40.0]  15.0 [10.0, 20.0]   1.500 [1.000, 2.000]",
        "T     other    3      10     30.0 [0.0, 60.0]   15.0 [0.0, 30.0]    1.000 [0.000, 2.000]",
        "T: other ends better than blog with probability 0.50 [0.00, 1.00]",
        "note: an interval of 2 or 3 runs is no more than their range",
    ]


def test_a_column_that_no_setting_has_is_left_out_and_one_that_some_have_is_not():
    without, some = curve([0, 1]), curve([0, 1], 0, "other", test=2.0)
    assert table(compare([without])).splitlines()[0].endswith("mean over training")
    header, first, second, *_ = table(compare([without, some])).splitlines()
    assert header.endswith("test of the final policy") and first.endswith("0.500") and second.endswith("2.000")


def test_the_area_is_the_mean_over_steps_however_unevenly_they_lie():
    (summary,) = compare([at([0, 10, 40], [0, 10, 40])]).summaries
    assert summary.area == pytest.approx([20])
    (first, _) = compare([at([0, 10, 40], [0, 10, 40]), at([0, 20], [0, 0], 0, "short")]).summaries
    assert first.area == pytest.approx([10])  # up to step 20, which is none of its own


def test_the_area_of_a_single_evaluation_is_its_score():
    assert compare([at([10], [7])]).summaries[0].area == [7]


@pytest.mark.parametrize(("end", "noted"), [(105, False), (106, True)])
def test_a_last_episode_that_ends_a_twentieth_later_makes_no_other_length(end, noted):
    notes = compare([at([0, 100], [0, 1]), at([0, end], [0, 1], 1)]).notes
    assert len(notes) == (2 if noted else 0)
    later = compare([at([0, 100], [0, 1]), at([0, end], [0, 1], 0, "other")])
    assert (f"(at step {end} against 100)" in table(later)) == noted


def test_the_curve_of_a_setting_begins_where_all_of_its_runs_have_begun():
    (summary,) = compare([at([0, 10, 20], [0, 10, 20]), at([10, 20], [30, 40], 1)]).summaries
    assert list(summary.steps) == [10, 20] and summary.middle == pytest.approx([20, 30])


def test_a_published_mean_says_that_it_has_no_band():
    notes = compare([at([0, 10], [0, 1], None)]).notes
    assert notes == ["T, blog: a published mean, whose seeds are not given; so it has no band"]


@pytest.mark.parametrize(("score", "line"), [(3.0, "ends 2 higher than blog;"), (-1.0, "ends 2 lower than blog;")])
def test_of_single_runs_the_sign_of_the_difference_is_said(score, line):
    assert f"T: other {line}" in table(compare([curve([0, 1]), curve([0, score], 0, "other")]))


def test_each_setting_is_compared_with_the_first_of_its_own_task():
    runs = [curve([0, k], seed, setting, task) for task in "TU" for k, setting in enumerate("abc") for seed in (0, 1)]
    rows = compare(runs).as_json()["improvements"]
    assert [(row["task"], row["setting"], row["over"]) for row in rows] == [
        (task, setting, "a") for task in "TU" for setting in "bc"
    ]
    assert {row["probability"] for row in rows} == {1.0}


def test_one_row_left_out_is_one_row():
    notes = compare([curve([0, 1])._replace(dropped=1)]).notes
    assert notes == ["T, blog, seed 0: 1 row without a number left out"]


def test_the_csv_has_these_columns_and_every_figure_of_a_setting():
    header, row = as_csv(compare([curve([0, 2 * k], k, test=k) for k in (1, 2)])).splitlines()
    figures = [
        f"{name}_{key}" for name in ("final", "area", "test") for key in ("iqm", "mean", "min", "max", "low", "high")
    ]
    assert header.split(",") == ["task", "setting", "seeds", "steps", *figures]
    assert row == "T,blog,2,10," + ",".join(
        ["3.0,3.0,2.0,4.0,2.0,4.0", "1.5,1.5,1.0,2.0,1.0,2.0", "1.5,1.5,1.0,2.0,1.0,2.0"]
    )


@pytest.mark.parametrize(("score", "shown"), [(9.99, "9.990"), (10.0, "10.0"), (-10.5, "-10.5")])
def test_small_figures_have_three_digits_and_large_ones_one(score, shown):
    assert table(compare([curve([0, score])])).splitlines()[1].split()[4] == shown
