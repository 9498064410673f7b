"""What a task reports in `info`: success and chosen numbers in the logs, and a run that ends when it is good enough."""

import shlex
from dataclasses import replace

import numpy as np
import pytest

from ddpg import RequestError
from ddpg.checked_environment import reported_success
from ddpg.run.start import resume_run, start_run
from ddpg.run.train import main
from ddpg.seeding import integer_seed
from ddpg.task.reported import ReportedInfo, is_good
from tests.helpers.runs import SMALL, assert_same_run, csv_rows, finish, finished_run, names, raise_after
from tests.helpers.tasks import NoArray, Task

pytestmark = pytest.mark.usefixtures("without_plots")


@pytest.fixture
def config(small):
    """Episodes of 4 steps with the costs 0, 1, 2, 3, of which those with an even seed succeed."""
    return replace(
        small, env="Reporting-v0", episodes=6, learning_starts=10_000, evaluation_episodes=3, evaluate_every=8
    )


def test_success_is_a_column_where_the_task_reports_it(config, tmp_path):
    finished_run(config, tmp_path / "run")
    episodes = csv_rows(tmp_path / "run" / "episodes.csv")
    even = [integer_seed(config.seed, "episodes", number) % 2 == 0 for number in range(1, 7)]
    assert [float(row["success_rate"]) for row in episodes] == even
    assert len(set(even)) == 2
    share = (2 - integer_seed(config.seed, "evaluation") % 2) / 3  # of three seeds in a row
    evaluations = csv_rows(tmp_path / "run" / "evaluations.csv")
    assert [float(row["success_rate"]) for row in evaluations] == [share] * 4
    assert "cost" not in episodes[0]


def test_other_tasks_have_the_columns_that_they_had(small, tmp_path):
    finished_run(replace(small, env="Endless-v0", episodes=1, evaluation_episodes=1), tmp_path / "run")
    assert (tmp_path / "run" / "episodes.csv").read_text().splitlines()[0] == (
        "episode,steps,length,return,running_average,seconds"
    )
    assert (tmp_path / "run" / "evaluations.csv").read_text().splitlines()[0] == "steps,mean,std,episodes"


def test_numbers_of_the_info_are_logged_as_means_over_each_episode(config, tmp_path):
    finished_run(replace(config, log_info="cost, bonus"), tmp_path / "run")
    for name in ("episodes", "evaluations"):
        rows = csv_rows(tmp_path / "run" / f"{name}.csv")
        assert {float(row["cost"]) for row in rows} == {1.5}  # 0, 1, 2, 3
        assert {float(row["bonus"]) for row in rows} == {7.0}  # in the last step only: the mean of what was reported


def test_a_number_that_the_task_does_not_report_is_noted_and_one_that_is_none_refused(config, tmp_path):
    run = start_run(replace(config, log_info="energy"), tmp_path / "run", tmp_path)
    assert run.notes == [
        *[note for note in run.notes if "no update" in note],
        "the info of Reporting-v0's first step has no 'energy' (--log-info); it has 'cost', 'name', 'is_success'",
    ]
    run.train(show_progress=False)
    assert np.isnan(float(csv_rows(tmp_path / "run" / "episodes.csv")[0]["energy"]))
    with pytest.raises(RequestError, match="log_info: 'name' in the info of Reporting-v0 is no number: 'tank'"):
        start_run(replace(config, log_info="name"), tmp_path / "other", tmp_path)
    assert not (tmp_path / "other").exists()


def test_what_is_no_number_later_is_logged_as_nan_and_the_run_goes_on(monkeypatch):
    values = iter([1.0, "full", NoArray()])
    task = ReportedInfo(Task(), ["level"])
    monkeypatch.setattr(Task, "step", lambda *_: (0, 1.0, False, True, {"level": next(values)}))
    logged = []
    for _ in range(3):
        task.reset()
        task.step(0)
        logged.append(task.take()["level"])
    np.testing.assert_array_equal(logged, [1, np.nan, np.nan])


def test_a_resumed_run_keeps_its_columns(config, tmp_path, monkeypatch):
    config = replace(config, log_info="cost")
    finished_run(config, tmp_path / "whole")
    with monkeypatch.context() as patch:
        raise_after(patch, 3)
        finished_run(config, tmp_path / "parts")
    finish(tmp_path / "parts")
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_a_run_ends_when_enough_evaluations_in_a_row_reach_the_return(small, tmp_path, capsys):
    """Each evaluation of the endless task returns 10."""
    config = replace(
        small, env="Endless-v0", episodes=9, learning_starts=10_000, evaluation_episodes=1, evaluate_every=10
    )
    run = finished_run(replace(config, stop_at=10.0, stop_evaluations=3), tmp_path / "run")
    assert run.episode.number == 2  # the untrained policy's evaluation counts too
    assert run.is_good_enough()
    assert names(tmp_path / "run" / "checkpoints", "step-*")[-1] == "step-000000020"
    assert finish(tmp_path / "run").episode.number == 2  # resumed, it is still good enough
    assert finish(tmp_path / "run", stop_at=None).episode.number == 9  # unless asked to go on
    assert finished_run(replace(config, stop_at=10.1), tmp_path / "more").episode.number == 9


def test_evaluations_that_are_good_must_follow_one_another(config, tmp_path, monkeypatch):
    results = iter([True, False, True, True, True])
    monkeypatch.setattr("ddpg.run.training_run.is_good", lambda *_: next(results))
    assert finished_run(replace(config, stop_at=0.0, stop_evaluations=2), tmp_path / "run").episode.number == 6


def test_the_command_printed_at_such_an_end_lifts_the_limit_that_was_reached(tmp_path, monkeypatch, capsys):
    """Pasted, it trains to the planned length and does not stop again after as many evaluations."""
    monkeypatch.chdir(tmp_path)
    task = ["--env", "Reporting-v0", "--episodes", "40", "--learning-starts", "10000", "--evaluate-every", "4"]
    stop = ["--stop-at-success", "0.1", "--stop-evaluations", "2", "--evaluation-episodes", "3"]
    assert main([*task, *stop, "--run-dir", "run", "--no-progress", *SMALL]) == 0
    _, _, command = capsys.readouterr().out.partition("to go on: ")
    words = shlex.split(command.splitlines()[0])
    assert words[2:] == ["--resume", "run", "--stop-at-success", "none"]
    assert main([*words[2:], "--no-progress"]) == 0
    assert len(csv_rows(tmp_path / "run" / "episodes.csv")) == 40


@pytest.mark.parametrize(
    ("wanted", "mean", "success", "good"),
    [({}, 1e9, 1.0, False), ({"stop_at": 2.0}, 2.0, None, True), ({"stop_at": 2.0}, 1.9, 1.0, False),
     ({"stop_at_success": 0.9}, 0.0, 0.9, True), ({"stop_at_success": 0.9}, 1e9, 0.8, False),
     ({"stop_at": 2.0, "stop_at_success": 0.9}, 0.0, 1.0, True)],
)  # fmt: skip
def test_an_evaluation_is_good_by_its_mean_return_or_by_its_successes(config, wanted, mean, success, good):
    assert is_good(replace(config, **wanted), mean, success) == good


def test_waiting_for_success_that_no_task_reports_is_refused(small, tmp_path):
    with pytest.raises(RequestError, match="stop_at_success: Endless-v0 does not report success"):
        start_run(replace(small, env="Endless-v0", stop_at_success=0.9), tmp_path / "run", tmp_path)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("info", "success"),
    [({}, None), ({"is_success": np.True_}, 1.0), ({"success": 0.0}, 0.0), ({"is_success": False, "success": 1}, 0.0),
     (None, None), ({"success": NoArray()}, None)],
)  # fmt: skip
def test_success_has_two_names(info, success):
    assert reported_success(info) == success


def test_another_setting_still_cannot_change(config, tmp_path):
    finished_run(config, tmp_path / "run")
    with pytest.raises(RequestError, match="cannot change"):
        resume_run(tmp_path / "run", tmp_path, {"log_info": "cost"})
