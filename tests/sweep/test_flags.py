"""The flags of the four commands: what they mean where nothing is given."""

import os
import sys
import time
from pathlib import Path

import pytest

from ddpg import PRESETS, RequestError
from ddpg.sweep.flags import base_configs, cores_of, folder_of, only_base, parse, split

SWEEP = {"sweep_dir": None, "jobs": None, "address": None, "progress": True}
SOURCE = {"preset": None, "config": None}
RUNS = {"seeds": 1, "vary": []}


@pytest.mark.parametrize(("words", "expected"), [
    (["train"], SWEEP | SOURCE | RUNS | {"test_episodes": 100}),
    (["molgan"], SWEEP | RUNS | {"data": None, "test_samples": 6400}),
    (["tune"], SWEEP | SOURCE | {"trials": 40, "search": [], "pruning": True}),
    (["tune"], {"confirm_seeds": 5, "test_episodes": 100}),
    (["compare", "/a"], {"paths": [Path("/a")], "out": None, "curves": None, "last": None}),
    (["compare", "/a"], {"json": False, "csv": False}),
    (["train", "--test-episodes", "0"], {"test_episodes": 0}),
    (["molgan", "--test-samples", "0"], {"test_samples": 0}),
    (["tune", "--confirm-seeds", "1", "--trials", "1"], {"confirm_seeds": 1, "trials": 1}),
    (["tune", "--no-pruning", "--no-progress"], {"pruning": False, "progress": False}),
    (["compare", "/a", "/b", "--last", "1", "--csv"], {"paths": [Path("/a"), Path("/b")], "last": 1, "csv": True}),
])  # fmt: skip
def test_a_command_has_these_flags(words, expected):
    given = vars(parse(words))
    assert {name: given[name] for name in expected} == expected


@pytest.mark.parametrize("words", [
    ["tune", "--test-episodes", "0"], ["compare", "/a", "--last", "0"], ["compare"],
    ["compare", "/a", "--json", "--csv"],
    ["train", "--preset", "blog", "--config", "/c"], ["train", "--seeds", "0"],
])  # fmt: skip
def test_flags_that_make_no_sense_are_refused(words, capsys):
    with pytest.raises(SystemExit) as caught:
        parse(words)
    assert caught.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_a_sweep_uses_all_cores_here_and_all_of_a_cluster_unless_it_is_told():
    assert cores_of(parse(["train"])) == os.cpu_count()
    assert cores_of(parse(["train", "--address", "auto"])) == sys.maxsize
    assert (
        cores_of(parse(["train", "--address", "auto", "--jobs", "3"])) == cores_of(parse(["train", "--jobs", "3"])) == 3
    )


def test_a_sweeps_folder_is_named_after_the_time_unless_it_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "strftime", lambda form: form)
    assert folder_of(parse(["train"])) == tmp_path / "sweeps" / "%Y%m%d-%H%M%S"
    assert folder_of(parse(["train", "--sweep-dir", "mine"])) == tmp_path / "mine"


def test_the_settings_to_start_from_are_those_of_the_presets_each_once():
    assert split("a, b,a") == ["a", "b"]
    assert base_configs(parse(["train"])) == {"blog": PRESETS["blog"]}
    assert base_configs(parse(["train", "--preset", "paper,blog,paper"])) == {
        name: PRESETS[name] for name in ("paper", "blog")
    }
    assert only_base(parse(["tune", "--preset", "paper"])) == PRESETS["paper"]
    with pytest.raises(RequestError, match="tune takes one at a time") as caught:
        only_base(parse(["tune", "--env", "A-v0,B-v0"]))
    assert caught.value.setting == "env"
