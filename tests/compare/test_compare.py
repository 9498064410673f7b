"""Comparisons: what curves are read from, how runs become one line, and what is said about those that do not fit."""

import csv
import io
import json

import numpy as np
import pytest

from ddpg import Config, RequestError
from ddpg.compare.compare import as_csv, compare, table
from ddpg.compare.curves import Curve, read_curves
from ddpg.compare.plotting import draw_comparison
from ddpg.molgan.config import MolGANConfig
from tests.helpers.pages import ROOT

PUBLISHED = ROOT.parent / "shared" / "data" / "published_ddpg_curves.csv"


def curve(scores, seed=0, setting="blog", task="T", every=10, test=None):
    return Curve(task, setting, seed, every * np.arange(len(scores), dtype=float), np.array(scores, float), test)


def write_run(folder, config, rows, header="steps,mean,std,episodes"):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"config": config.as_json()}))
    (folder / "evaluations.csv").write_text("\n".join([header, *rows, ""]))


def test_runs_are_read_with_their_task_seed_and_what_differs_from_the_preset(tmp_path):
    write_run(tmp_path / "a" / "seed2", Config(env="E-v0", seed=2, tau=0.5), ["0,-5,0,10", "100,-1,0,10"])
    write_run(tmp_path / "a" / "seed10", Config(env="E-v0", seed=10, steps=7, threads=1), ["0,-5,0,10", "90,2,0,10"])
    (tmp_path / "a" / "seed10" / "test.json").write_text('{"results": {"mean": 3.5}}')
    first, second = read_curves([tmp_path])  # in order of the numbers, not of the letters
    assert (first.task, first.setting, first.seed, first.test) == ("E-v0", "blog, tau=0.5", 2, None)
    assert (second.setting, second.seed, second.test) == ("blog, tau=0.005", 10, 3.5)  # its own value of what varies
    np.testing.assert_array_equal(second.steps, [0, 90])
    np.testing.assert_array_equal(second.scores, [-5, 2])


def test_settings_are_named_after_the_preset_that_is_closest(tmp_path):
    from ddpg import PRESETS

    write_run(tmp_path / "p" / "r", PRESETS["paper"], ["0,0,0,1", "1,0,0,1"])
    assert read_curves([tmp_path])[0].setting == "paper"


def test_a_run_of_an_earlier_version_is_named_with_the_defaults_of_newer_settings(tmp_path):
    from ddpg import PRESETS

    earlier = {name: value for name, value in PRESETS["classic"].as_json().items() if name != "evaluation_tau"}
    write_run(tmp_path / "p" / "r", PRESETS["classic"], ["0,0,0,1", "1,0,0,1"])
    (tmp_path / "p" / "r" / "config.json").write_text(json.dumps({"config": earlier}))
    assert read_curves([tmp_path])[0].setting == "classic, evaluation_tau=1"


def test_what_all_settings_share_is_left_out_of_their_names(tmp_path):
    for tau in (0.1, 0.2):
        write_run(tmp_path / str(tau) / "r", Config(tau=tau, gamma=0.5), ["0,0,0,1", "1,0,0,1"])
    runs = read_curves([tmp_path])
    assert [run.setting for run in runs] == ["blog, tau=0.1", "blog, tau=0.2"]
    assert "all have gamma=0.5" in compare(runs).notes  # so nobody takes them for the preset alone
    assert [run.setting for run in read_curves([tmp_path / "0.1"])] == ["blog, gamma=0.5, tau=0.1"]


def test_molgans_runs_are_compared_by_their_score(tmp_path):
    write_run(tmp_path / "m" / "r", MolGANConfig(rl_weight=0.5), ["0,0.1,0.2", "40,0.1,0.7"], "steps,valid,score")
    (run,) = read_curves([tmp_path])
    assert (run.task, run.setting, list(run.scores)) == ("MolGAN", "MolGAN, rl_weight=0.5", [0.2, 0.7])


def test_runs_of_the_same_settings_and_seed_are_told_apart_by_their_folders(tmp_path):
    for name in ("old", "new"):
        write_run(tmp_path / name / "seed0", Config(), ["0,0,0,1", "10,1,0,1"])
    assert [run.setting for run in read_curves([tmp_path])] == [f"{tmp_path}/{name}: blog" for name in ("new", "old")]
    with pytest.raises(RequestError, match="is there twice; name it once"):
        read_curves([tmp_path / "old", tmp_path / "old" / "seed0"])


def test_own_and_published_tables_are_read():
    curves = read_curves([ROOT / "results" / "learning-Pendulum-v1" / "curves.csv"])
    assert {(run.task, run.setting) for run in curves} == {("Pendulum-v1", "blog")}
    assert sorted(run.seed for run in curves) == list(range(10))
    assert {run.task for run in read_curves([ROOT / "results" / "ablation" / "curves.csv"])} > {"InvertedPendulum-v5"}
    if not PUBLISHED.exists():
        pytest.skip("the published curves are not here")
    published = [run for run in read_curves([PUBLISHED]) if run.task == "Ant-v3"]
    assert [run.seed for run in published] == [None] * len(published)
    assert published[0].scores[0] == 990.3775


@pytest.mark.parametrize(("name", "content", "message"), [
    ("x.csv", "a,b\n1,2\n", "is not a table of learning curves"),
    ("x.csv", "seed,steps,mean\n0,1,oops\n", "is not a table of learning curves"),
    ("x.csv", "\x00\xff", "is not a table of learning curves"),
    ("x", None, "there is no folder or file"),
])  # fmt: skip
def test_a_file_without_curves_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(RequestError, match=message):
        read_curves([tmp_path / name])


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(RequestError, match="has no run with evaluations"):
        read_curves([tmp_path])
    (tmp_path / "evaluations.csv").write_text("steps,mean\n")
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(RequestError, match="is not the folder of a run"):
        read_curves([tmp_path])


def test_a_summary_has_the_interquartile_mean_at_each_step():
    comparison = compare([curve([0, 8 * k], k) for k in range(8)])
    (summary,) = comparison.summaries
    assert summary.seeds == 8
    np.testing.assert_allclose(summary.middle, [0, 8 * 3.5])
    np.testing.assert_allclose(summary.final, [8 * k for k in range(8)])
    np.testing.assert_allclose(summary.area, [4 * k for k in range(8)])  # a straight line from 0: half of its end
    assert summary.band[0][1] < 28 < summary.band[1][1]


def test_the_final_return_is_that_of_the_last_tenth_without_the_untrained_policy():
    scores = [-1000, *range(20)]
    assert compare([curve(scores)]).summaries[0].final == pytest.approx([18.5])
    assert compare([curve(scores)], last=4).summaries[0].final == pytest.approx([17.5])
    assert compare([curve([-1000, 7])], last=10).summaries[0].final == pytest.approx([7])


def test_a_single_run_never_has_a_band():
    (summary,) = compare([curve([0, 1])]).summaries
    assert summary.band is None
    assert summary.as_json()["final"]["interval"] is None
    assert "[" not in table(compare([curve([0, 1])]))


def test_runs_of_different_lengths_are_compared_up_to_the_shortest_and_it_says_so():
    comparison = compare([curve([0, 1, 1, 1], 0), curve([0, 1], 1), curve([0, 2, 2, 2], 0, "other")])
    first, other = comparison.summaries
    assert (first.steps[-1], other.steps[-1]) == (10, 30)
    assert other.area == pytest.approx([1])  # up to step 10, as the others
    assert comparison.notes == [
        "T: runs differ in length; areas are compared up to step 10, the shortest",
        "T, blog: its runs end between steps 10 and 30; the curve ends first",
    ]


def test_runs_evaluated_at_other_steps_are_read_off_between_their_points():
    """Episodes that end early are evaluated a little later in one run than in another."""
    one = Curve("T", "blog", 0, np.array([0.0, 10, 20]), np.array([0.0, 10, 20]))
    other = Curve("T", "blog", 1, np.array([0.0, 11, 20]), np.array([0.0, 11, 20]))
    (summary,) = compare([one, other]).summaries
    np.testing.assert_allclose(summary.steps, [0, 10, 20])
    np.testing.assert_allclose(summary.middle, [0, 10, 20])


def test_the_improvement_over_the_first_setting_is_shown():
    runs = [curve([0, k], k) for k in range(3)] + [curve([0, 10 + k], k, "better") for k in range(3)]
    comparison = compare(runs)
    assert comparison.improvements == [("T", "better", "blog", 1.0, (1.0, 1.0))]
    assert "T: better ends better than blog with probability 1.00 [1.00, 1.00]" in table(comparison)


def test_the_improvement_is_that_of_the_final_returns_and_not_of_the_areas():
    """These settings begin well and end badly, or the other way round."""
    falling = [curve([9, 9, 9, 9, 1 + k / 9], seed=k) for k in range(3)]
    rising = [curve([0, 0, 0, 0, 2 + k / 9], seed=k, setting="other") for k in range(3)]
    comparison = compare([*falling, *rising])
    ((_, setting, over, chance, interval),) = comparison.improvements
    assert (setting, over, chance, interval) == ("other", "blog", 1, (1, 1))
    assert comparison.summaries[0].area.min() > comparison.summaries[1].area.max()


def test_an_area_is_divided_by_its_own_width_wherever_it_begins():
    late = Curve("T", "blog", 0, np.array([100.0, 150.0, 200.0]), np.array([4.0, 6.0, 4.0]))
    assert compare([late]).summaries[0].area.tolist() == [5]


def test_a_test_counts_only_if_every_run_has_one():
    assert compare([curve([0, 1], 0, test=5.0), curve([0, 1], 1)]).summaries[0].test is None
    summary = compare([curve([0, 1], 0, test=5.0), curve([0, 1], 1, test=7.0)]).summaries[0]
    assert summary.as_json()["test"]["runs"] == [5, 7]


def test_a_run_that_was_never_evaluated_after_its_start_is_refused():
    with pytest.raises(RequestError, match="T, blog, seed 0 has no evaluation after step 0"):
        compare([curve([0])])


def test_csv_and_json_have_the_same_figures():
    comparison = compare([curve([0, k], k) for k in range(4)])
    (row,) = csv.DictReader(io.StringIO(as_csv(comparison)))
    (setting,) = json.loads(json.dumps(comparison.as_json()))["settings"]
    assert [float(row[f"final_{key}"]) for key in ("iqm", "low", "high", "min")] == pytest.approx(
        [setting["final"]["iqm"], *setting["final"]["interval"], setting["final"]["min"]]
    )
    assert row["test_iqm"] == "" and setting["test"] is None


def test_the_picture_draws_each_setting_of_each_task(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: (figures.append(figure), path.touch()))
    runs = [curve([0, k], k, setting, task) for k in range(3) for setting in ("a", "b") for task in ("T", "U")]
    draw_comparison(compare([*runs, curve([0, 1], 0, "alone")]), runs, tmp_path / "x.png")
    (figure,) = figures
    assert [axes.get_title() for axes in figure.axes] == ["T", "U"]
    assert [len(axes.lines) for axes in figure.axes] == [9, 8]  # and single runs: a band of three says little
    assert [len(axes.collections) for axes in figure.axes] == [2, 2]  # no band for the single run
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["single runs", "a (3 seeds)", "b (3 seeds)", "alone (1 seed)"]


def test_each_task_has_one_panel_and_no_panel_is_left_empty(tmp_path, monkeypatch):
    """Four tasks in rows of three leave two places of the grid."""
    from matplotlib.figure import Figure

    figures: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: (figures.append(figure), path.touch()))
    runs = [curve([0, k], k, "a", task) for k in range(2) for task in "TUVW"]
    draw_comparison(compare(runs), runs, tmp_path / "x.png")
    assert [axes.get_title() for axes in figures[0].axes] == list("TUVW")


def test_single_runs_have_no_probability_and_are_said_to_be_single():
    comparison = compare([curve([0, 1, 1], 0), curve([0, 3], 0, "other"), curve([0, 3], 1, "other")])
    assert comparison.improvements == [("T", "other", "blog", None, None)]
    text = table(comparison)
    assert "probability" not in text
    assert "T: other ends 2 higher than blog (at step 10 against 20); with a single run of either" in text


def test_an_interval_of_up_to_four_runs_is_their_range_and_the_table_and_the_title_say_so():
    from ddpg.compare.compare import RANGE_SEEDS
    from ddpg.compare.plotting import title

    for count in range(2, 7):
        comparison = compare([curve([0, k**2], k) for k in range(count)])
        is_range = comparison.summaries[0].as_json()["final"]["interval"] == [0, (count - 1) ** 2]
        assert is_range == (count <= RANGE_SEEDS)
        assert (f"an interval of {count} runs is no more than their range" in table(comparison)) == is_range
        assert title(comparison).endswith(f"of {count} seeds, range") == is_range


def test_runs_without_a_step_in_common_are_refused():
    late = Curve("T", "late", 0, np.array([100.0, 120]), np.array([1.0, 2]))
    with pytest.raises(RequestError, match="T: one run begins at step 100, after another has ended at 10"):
        compare([curve([0, 1]), late])


def test_rows_without_a_number_are_left_out_and_counted(tmp_path):
    (tmp_path / "x.csv").write_text("seed,steps,mean\n0,0,1\n0,10,nan\n0,20,\n0,30,4\n")
    (run,) = read_curves([tmp_path / "x.csv"])
    assert list(run.steps) == [0, 30]
    assert compare([run]).notes == ["x, x, seed 0: 2 rows without a number left out"]


def test_a_seed_that_a_spreadsheet_wrote_is_a_seed_and_half_a_seed_is_none(tmp_path):
    (tmp_path / "x.csv").write_text("seed,steps,mean\n2.0,0,1\n")
    assert read_curves([tmp_path / "x.csv"])[0].seed == 2
    (tmp_path / "x.csv").write_text("seed,steps,mean\n0.5,0,1\n")
    with pytest.raises(RequestError, match=r"the seed '0\.5' is not a whole number"):
        read_curves([tmp_path / "x.csv"])


def test_names_that_look_like_formulas_are_drawn_as_they_are(tmp_path):
    runs = [curve([0, 1], 0, r"$\frac{$", "a$x_{"), curve([0, 1], 0, "other", "a$x_{")]
    draw_comparison(compare(runs), runs, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000


@pytest.mark.parametrize(("setting", "drawn"), [("blog", True), ('blog, env_kwargs={"g": 9.81}', False)])
def test_the_optimum_is_drawn_where_the_task_is_the_one_that_it_belongs_to(setting, drawn, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: (figures.append(figure), path.touch()))
    runs = [curve([-1000, -150], 0, setting, "Pendulum-v1")]
    draw_comparison(compare(runs), runs, tmp_path / "x.png")
    assert ("optimum" in [text.get_text() for text in figures[0].legends[0].get_texts()]) == drawn


def test_single_runs_have_markers_and_their_seed_in_the_legend(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: (figures.append(figure), path.touch()))
    runs = [curve([0, 1], 3, "a"), curve([0, 1], 4, "b")]
    draw_comparison(compare(runs), runs, tmp_path / "x.png")
    markers = [line.get_marker() for line in figures[0].axes[0].lines]
    assert len(set(markers)) == 2 and "None" not in markers
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["a (seed 3)", "b (seed 4)"]


def test_runs_of_both_systems_are_compared_each_with_its_own_settings(tmp_path):
    write_run(tmp_path / "d" / "r", Config(tau=0.5), ["0,0,0,1", "1,0,0,1"])
    write_run(tmp_path / "m" / "r", MolGANConfig(rl_weight=0.5), ["0,0.1,0.2", "40,0.1,0.7"], "steps,valid,score")
    assert {run.setting for run in read_curves([tmp_path])} == {"blog, tau=0.5", "MolGAN, rl_weight=0.5"}


def test_curves_that_cannot_be_drawn_are_refused_in_one_line_and_end_no_sweep(tmp_path, capsys):
    from ddpg.sweep.__main__ import main
    from ddpg.sweep.comparing import print_comparison

    (tmp_path / "x.csv").write_text("task,setting,seed,steps,mean\nT,a,0,5,1e308\nT,b,0,5,-1e308\n")
    with np.errstate(all="ignore"):
        assert main(["compare", str(tmp_path / "x.csv"), "--out", str(tmp_path / "x.png")]) == 2
        assert "--out: these curves cannot be drawn" in capsys.readouterr().err
        print_comparison(read_curves([tmp_path / "x.csv"]), tmp_path / "x.png")
    printed = capsys.readouterr()
    assert "note: the picture failed" in printed.err and printed.out.startswith("task")
