"""Curves as files: what is written is read again, and which column means what."""

import json

import numpy as np
import pytest

from ddpg import Config, RequestError
from ddpg.compare.curves import check_table, read_curves, write_curves
from ddpg.compare.names import told_apart
from ddpg.molgan.config import MolGANConfig
from tests.compare.test_compare import curve, write_run


def test_curves_that_are_written_are_read_again_to_the_last_digit(tmp_path):
    curves = [curve([0, 1 / 3], 3, "blog, tau=0.1", "A-v0"), curve([1, 2], 4, "paper", "B-v0")]
    write_curves(curves, tmp_path / "new" / "x.csv")
    assert (tmp_path / "new" / "x.csv").read_text().splitlines()[:2] == [
        "task,setting,seed,steps,mean",
        'A-v0,"blog, tau=0.1",3,0,0.0',
    ]
    for wanted, found in zip(curves, read_curves([tmp_path / "new" / "x.csv"]), strict=True):
        assert found[:3] == wanted[:3]
        np.testing.assert_array_equal(found.steps, wanted.steps)
        np.testing.assert_array_equal(found.scores, wanted.scores)


def test_only_a_table_of_curves_is_written_over(tmp_path):
    path = tmp_path / "x.csv"
    check_table(path, "curves")
    path.write_text("task,setting,seed,steps,mean\nT,a,0,0,1\n")
    check_table(path, "curves")
    path.write_text("my,own,figures\n")
    with pytest.raises(RequestError, match=r"curves: .*a table of curves"):
        check_table(path, "curves")


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("x.csv", "env,variant,env_step,return_mean,mean\nE,v,5,7,1\n", ("E", "v", None, 5, 7)),  # as published
    ("x.csv", "task,setting,variant,seed,steps,mean\nE,s,v,3,5,7\n", ("E", "s", 3, 5, 7)),  # our own before others'
    ("x.csv", "task,variant,seed,steps,mean\nE,v,3,5,7\n", ("E", "v", 3, 5, 7)),
    ("x.csv", "source,task,variant,seed,steps,mean\nours,E,v,3,5,7\n", ("E", "ours v", 3, 5, 7)),  # of two projects
    ("learning-E.csv", "seed,steps,mean\n3,5,7\n", ("E", "learning-E", 3, 5, 7)),  # named after the file
])  # fmt: skip
def test_each_known_table_has_its_columns(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    (run,) = read_curves([tmp_path / name])
    assert (run.task, run.setting, run.seed, run.steps[0], run.scores[0]) == expected


def test_rows_may_lie_in_any_order_and_infinite_ones_are_left_out(tmp_path):
    (tmp_path / "x.csv").write_text("seed,steps,mean\n0,20,2\n0,0,9\n0,10,inf\n")
    (run,) = read_curves([tmp_path / "x.csv"])
    assert (list(run.steps), list(run.scores), run.dropped) == ([0, 20], [9, 2], 1)


def test_a_run_without_a_single_number_is_named(tmp_path):
    (tmp_path / "x.csv").write_text("task,setting,seed,steps,mean\nT,a,0,0,1\nT,b,1,0,nan\n")
    with pytest.raises(RequestError, match="no number in the column mean of T, b, 1"):
        read_curves([tmp_path / "x.csv"])


def test_seeds_are_in_order_of_their_numbers_within_each_setting(tmp_path):
    for tau in (0.1, 0.2):
        for seed in (10, 9):
            write_run(tmp_path / f"tau={tau}" / f"seed{seed}", Config(tau=tau, seed=seed), ["0,0,0,1", "1,0,0,1"])
    found = [(run.setting, run.seed) for run in read_curves([tmp_path])]
    assert found == [("blog, tau=0.1", 9), ("blog, tau=0.1", 10), ("blog, tau=0.2", 9), ("blog, tau=0.2", 10)]


def test_a_folder_that_only_looks_like_a_run_is_passed_over(tmp_path):
    write_run(tmp_path / "run", Config(), ["0,0,0,1", "1,0,0,1"])
    write_run(tmp_path / "empty", Config(seed=1), [])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "evaluations.csv").write_text("mine\n")
    assert [run.seed for run in read_curves([tmp_path])] == [0]


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"results": {}}', '{"results": {"mean": "high"}}'])
def test_a_test_that_cannot_be_read_is_none(tmp_path, text):
    write_run(tmp_path / "run", Config(), ["0,0,0,1", "1,0,0,1"])
    (tmp_path / "run" / "test.json").write_text(text)
    assert read_curves([tmp_path])[0].test is None


def test_only_the_two_systems_own_score_is_read(tmp_path):
    """A table may have both columns; MolGAN's `mean` is not its score."""
    write_run(tmp_path / "m", MolGANConfig(), ["0,9,0.2"], "steps,mean,score")
    write_run(tmp_path / "d", Config(), ["0,9,0.2"], "steps,mean,score")
    assert {run.task: run.scores[0] for run in read_curves([tmp_path])} == {"MolGAN": 0.2, "Pendulum-v1": 9}


def test_files_of_several_places_are_told_apart_only_where_they_must_be(tmp_path):
    for name, seed in (("old", 0), ("new", 0), ("new", 1)):
        path = tmp_path / f"{name}.csv"
        path.write_text((path.read_text() if path.exists() else "task,setting,seed,steps,mean\n") + f"T,a,{seed},0,1\n")
    assert [run.setting for run in read_curves([tmp_path / "new.csv"])] == ["a", "a"]
    both = read_curves([tmp_path / "old.csv", tmp_path / "new.csv"])
    assert [run.setting for run in both] == ["old: a", "new: a", "new: a"]


def test_a_name_says_the_usual_value_of_what_others_vary_and_nothing_twice():
    from ddpg import PRESETS

    names = ["blog, tau=0.1, gamma=0.5", "blog, gamma=0.5", "paper, tau=0.2, gamma=0.5"]
    short, shared = told_apart(names, [PRESETS["blog"], None, PRESETS["paper"]])
    assert short == ["blog, tau=0.1", "blog", "paper, tau=0.2"] and shared == ["gamma=0.5"]
    assert told_apart(names[:1] * 2, [None] * 2) == (names[:1] * 2, [])
    assert told_apart(["a, x=1", "b"], [None, None]) == (["a, x=1", "b"], [])


def test_a_setting_of_a_table_is_named_as_it_stands_there(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({}))
    (tmp_path / "x.csv").write_text('task,setting,seed,steps,mean\nT,"a, b=1",0,0,1\n')
    assert read_curves([tmp_path / "x.csv"])[0].setting == "a, b=1"
