"""Which folder a sweep may use, and what it says of one that it may not."""

import json
from dataclasses import replace

import pytest

from ddpg import Config, RequestError
from ddpg.sweep.folder import check_record, difference, open_folder
from ddpg.sweep.jobs import TrainingJob


@pytest.fixture
def jobs(tmp_path):
    return [TrainingJob(tmp_path / "s" / "runs" / f"seed{k}", Config(seed=k)) for k in range(2)]


@pytest.fixture
def made(tmp_path, jobs):
    with open_folder(tmp_path / "s", jobs, {"data": None}):
        pass
    return tmp_path / "s"


def refused(folder, jobs, extra, message):
    with pytest.raises(RequestError, match=message) as caught:
        check_record(folder, jobs, extra)
    assert caught.value.setting == "sweep_dir"


def test_the_record_holds_every_run_with_its_settings(made, jobs):
    written = json.loads((made / "sweep.json").read_text())
    assert list(written["runs"]) == ["runs/seed0", "runs/seed1"] and written["extra"] == {"data": None}
    assert written["runs"]["runs/seed1"] == json.loads(json.dumps(jobs[1].config.as_json()))


def test_the_same_sweep_goes_on_and_more_runs_may_be_added(made, jobs, tmp_path):
    check_record(made, jobs, {"data": None})
    check_record(made, [*jobs, TrainingJob(made / "runs" / "seed2", Config(seed=2))], {"data": None})
    check_record(tmp_path / "new", jobs, {})
    (tmp_path / "empty").mkdir()
    check_record(tmp_path / "empty", jobs, {})


def test_other_runs_are_refused_with_what_differs(made, jobs):
    changed = [replace(job, config=replace(job.config, gamma=0.5)) for job in jobs]
    refused(made, changed, {"data": None}, r"it has gamma 0\.99 instead of 0\.5 in runs/seed0; choose another folder")
    refused(made, jobs[:1], {"data": None}, "it has also runs/seed1, which is not asked for now")
    refused(made, jobs, {"data": "1a"}, r"it has extra \{'data': None\} instead of \{'data': '1a'\}; choose")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"runs": {}}', '{"runs": [], "extra": {}}'])
def test_a_damaged_record_is_one_line(made, jobs, text):
    (made / "sweep.json").write_text(text)
    refused(made, jobs, {}, r"sweep\.json is damaged")


def test_a_file_and_a_folder_with_something_else_are_no_sweeps(tmp_path, jobs):
    (tmp_path / "file").touch()
    refused(tmp_path / "file", jobs, {}, "exists and is not a sweep")
    refused(tmp_path, jobs, {}, "exists and is not a sweep")
    with pytest.raises(RequestError, match="cannot create") as caught, open_folder(tmp_path / "file" / "s", jobs, {}):
        pass
    assert caught.value.setting == "sweep_dir"


def test_two_sweeps_never_share_a_folder_and_the_next_may_have_it(made, jobs):
    with open_folder(made, jobs, {}), pytest.raises(RequestError) as caught, open_folder(made, jobs, {}):
        pass
    assert caught.value.setting == "sweep_dir"
    with open_folder(made, jobs, {}):
        pass


def test_only_what_differs_is_named():
    assert (
        difference({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}, " in x") == "b 2 instead of 3, c None instead of 4 in x"
    )
    assert difference({"a": 1}, {"a": 1}, " in x") == ""


def test_a_folder_in_folders_that_are_not_there_yet_is_made(tmp_path):
    with open_folder(tmp_path / "studies" / "first", [], {}):
        assert (tmp_path / "studies" / "first" / "sweep.json").is_file()
