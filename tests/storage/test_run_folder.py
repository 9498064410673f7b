"""A run folder while its run lives: what is saved and kept, what a resume cuts back, and what an error says."""

import signal
from dataclasses import dataclass

import numpy as np
import pytest

from ddpg import RequestError, RunStopped
from ddpg.storage import run_folder
from ddpg.storage.checkpoint_format import CorruptFileError, SavedCheckpoint, Snapshot
from ddpg.storage.lock import Lock
from ddpg.storage.resuming import resuming
from ddpg.storage.run_folder import RunFolder, run_errors
from tests.helpers.runs import contents, csv_rows, names

COLUMNS = {"evaluations": ("steps", "mean")}


@dataclass(frozen=True)
class Settings:
    keep_checkpoints: int = 2

    def as_json(self):
        return {"keep_checkpoints": self.keep_checkpoints}


@pytest.fixture
def folder(tmp_path):
    return RunFolder.create(tmp_path / "run", Settings(), COLUMNS, has_replay=False)


def snapshot_at(step: int, folder: RunFolder | None = None, value: float = 0.0) -> Snapshot:
    """Return a tiny snapshot with the state of the folder."""
    return Snapshot("ddpg", step, {"weight": np.float32([1, value])}, {"run": folder.state() if folder else {}})


def evaluate(folder: RunFolder, step: int, score: float, final: bool = False, save: bool = True) -> None:
    """Do what a run does: log an evaluation, keep the best, and save."""
    folder.log.add("evaluations", {"steps": step, "mean": score})
    folder.save_if_best(score, lambda: snapshot_at(step, folder), final)
    if save:
        folder.save(snapshot_at(step, folder))


def reopened(folder: RunFolder, step: int, settings: Settings = Settings()) -> RunFolder:
    """Return the folder, cut back to a checkpoint."""
    folder.close()
    saved = SavedCheckpoint(folder.path / "checkpoints" / f"step-{step:09d}", "ddpg", {"run": dict})
    return RunFolder.reopen(saved, Lock(folder.path), settings, COLUMNS)


def test_a_score_must_beat_the_best_so_far_to_be_kept(folder):
    for step, score in ((0, -9.0), (10, -5.0), (20, -5.0), (30, -7.0)):
        evaluate(folder, step, score)
        assert folder.best == (-9.0 if step == 0 else -5.0)
    assert names(folder.path / "checkpoints", "best-*") == ["best-000000010"]


def test_a_first_score_of_zero_counts_as_a_score(folder):
    evaluate(folder, 0, 0.0)
    evaluate(folder, 10, -1.0)
    assert names(folder.path / "checkpoints", "best-*") == ["best-000000000"]


def test_a_final_score_outside_the_schedule_is_never_the_best(folder):
    evaluate(folder, 0, 1.0)
    evaluate(folder, 10, 5.0, final=True)
    assert folder.best == 1.0
    assert names(folder.path / "checkpoints", "best-*") == ["best-000000000"]


def test_the_previous_best_stays_until_the_next_checkpoint_knows_of_the_new_one(folder):
    """If the run dies before that checkpoint, it resumes at one that still counts on the previous best."""
    evaluate(folder, 0, 1.0)
    evaluate(folder, 10, 2.0, save=False)
    assert names(folder.path / "checkpoints", "best-*") == ["best-000000000", "best-000000010"]
    evaluate(folder, 20, 1.5)
    assert names(folder.path / "checkpoints", "best-*") == ["best-000000010"]


def test_reopening_goes_back_to_the_checkpoint_its_best_score_and_its_rows(folder):
    evaluate(folder, 0, 1.0)
    evaluate(folder, 10, 3.0)
    evaluate(folder, 20, 7.0, save=False)
    (folder.path / "checkpoints" / "step-000000005.partial").mkdir()
    assert reopened(folder, 10).best == 3.0
    assert names(folder.path / "checkpoints") == ["best-000000010", "step-000000000", "step-000000010"]
    assert csv_rows(folder.path / "evaluations.csv") == [{"steps": "0", "mean": "1.0"}, {"steps": "10", "mean": "3.0"}]


def test_where_the_best_was_deleted_the_next_evaluation_is_the_best_whatever_its_score(folder):
    for step, score in ((0, 1.0), (10, 5.0), (20, 7.0)):
        evaluate(folder, step, score)
    again = reopened(folder, 10)  # best-000000010 went when best-000000020 came, which is later than this checkpoint
    assert names(folder.path / "checkpoints", "best-*") == []
    evaluate(again, 20, 2.0)
    assert names(folder.path / "checkpoints", "best-*") == ["best-000000020"]


@pytest.mark.parametrize(
    "change", [{"best": "high"}, {"seconds": None}, {"csv_sizes": {}}, {"csv_sizes": {"evaluations": -1}}]
)
def test_a_state_of_the_folder_that_makes_no_sense_is_damage_to_the_file(folder, change):
    evaluate(folder, 0, 1.0, save=False)
    folder.save(Snapshot("ddpg", 0, {}, {"run": folder.state() | change}))
    folder.log.close()
    before = contents(folder.path)
    with pytest.raises(CorruptFileError, match=r"step-000000000/run\.json is corrupt"):
        reopened(folder, 0)
    assert contents(folder.path) == before


def test_a_folder_whose_log_does_not_fit_its_checkpoint_is_refused_with_nothing_changed(folder):
    """Later checkpoints must not be deleted first: they may be all that is left."""
    for step in (0, 10):
        evaluate(folder, step, 1.0)
    (folder.path / "evaluations.csv").write_text("steps,mean\n")
    folder.log.close()
    before = contents(folder.path)
    with pytest.raises(RequestError, match=r"evaluations\.csv is missing or shorter than at the checkpoint"):
        reopened(folder, 0)
    assert contents(folder.path) == before


def test_reopening_with_more_checkpoints_to_keep_keeps_more(folder):
    evaluate(folder, 0, 1.0)
    again = reopened(folder, 0, Settings(keep_checkpoints=3))
    for step in (10, 20, 30):
        evaluate(again, step, 0.0)
    assert names(folder.path / "checkpoints", "step-*") == ["step-000000010", "step-000000020", "step-000000030"]


def test_the_clock_counts_the_time_of_the_run_and_not_the_time_between_two_sessions(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(run_folder.time, "perf_counter", lambda: now[0])
    folder = RunFolder.create(tmp_path / "run", Settings(), COLUMNS, has_replay=False)
    now[0] = 130.0
    assert folder.seconds == 30
    folder.save(snapshot_at(0, folder))
    now[0] = 5_000.0
    again = reopened(folder, 0)
    now[0] = 5_007.0
    assert again.seconds == 37


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_broken_networks_are_not_saved(folder, value):
    folder.save(snapshot_at(10, folder))
    with pytest.raises(RunStopped, match=r"^step 20: the networks became NaN or infinite$"):
        folder.save(snapshot_at(20, folder, value))
    assert names(folder.path / "checkpoints") == ["step-000000010"]


def test_leaving_the_folder_frees_its_lock_and_restores_the_signal_handlers(folder):
    before = signal.getsignal(signal.SIGINT)
    folder.save(snapshot_at(0, folder))
    with pytest.raises(ZeroDivisionError), folder:
        assert signal.getsignal(signal.SIGINT) != before
        with pytest.raises(RequestError, match="another process is using"):
            Lock(folder.path)
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) == before
    Lock(folder.path).close()


def test_a_folder_that_is_resumed_is_locked_until_that_fails(folder):
    folder.save(snapshot_at(10, folder))
    folder.close()
    with pytest.raises(ZeroDivisionError), resuming(folder.path):
        with pytest.raises(RequestError, match="another process is using"):
            Lock(folder.path)
        raise ZeroDivisionError
    Lock(folder.path).close()


def test_a_damaged_checkpoint_names_the_one_before_it(folder):
    """Also where the name has one more digit than the one before it."""
    folder.checkpoints.keep = 9
    for step in (5, 999_999_998, 999_999_999, 1_000_000_000):
        folder.save(snapshot_at(step, folder))
    folder.close()
    checkpoints = folder.path / "checkpoints"
    for damaged, older in (("step-1000000000", "step-999999999"), ("step-999999998", "step-000000005")):
        with pytest.raises(RequestError) as caught, resuming(checkpoints / damaged):
            raise CorruptFileError("a file is damaged")
        message = f"a file is damaged; to resume from the checkpoint before it: --resume {checkpoints / older}"
        assert (caught.value.setting, caught.value.message) == ("resume", message)
    with pytest.raises(RequestError, match=r"damaged$"), resuming(checkpoints / "step-000000005"):
        raise CorruptFileError("a file is damaged")


def test_other_errors_of_a_resume_do_not_offer_an_older_checkpoint(folder):
    for step in (0, 10):
        folder.save(snapshot_at(step, folder))
    folder.close()
    with pytest.raises(RequestError, match=r"^gamma: cannot change$"), resuming(folder.path):
        raise RequestError("cannot change", "gamma")


def test_a_stopped_run_says_where_its_progress_is_saved_and_keeps_the_cause(tmp_path):
    (tmp_path / "checkpoints" / "step-000000010").mkdir(parents=True)
    saved, cause = [], ValueError("motor on fire")
    with pytest.raises(RunStopped) as caught, run_errors(tmp_path, lambda: saved.append(True)):
        raise RunStopped("episode 2, step 3: the environment raised") from cause
    assert str(caught.value) == f"episode 2, step 3: the environment raised; progress so far is saved in {tmp_path}"
    assert caught.value.__cause__ is cause
    assert saved == [True]


def test_a_stopped_run_whose_networks_are_broken_names_the_last_valid_checkpoint(tmp_path):
    (tmp_path / "checkpoints" / "step-000000010").mkdir(parents=True)

    def save():
        raise RunStopped("the networks became NaN")

    for saver in (save, None):
        with pytest.raises(RunStopped) as caught, run_errors(tmp_path, saver):
            raise RunStopped("step 3")
        assert str(caught.value) == f"step 3; the last valid checkpoint is in {tmp_path}"


def test_a_run_that_stopped_before_its_first_step_does_not_say_that_progress_is_saved(tmp_path):
    (tmp_path / "checkpoints" / "step-000000000").mkdir(parents=True)
    with pytest.raises(RunStopped) as caught, run_errors(tmp_path, lambda: None):
        raise RunStopped("episode 1, step 1: the environment raised")
    assert str(caught.value).endswith(f"nothing was trained yet; {tmp_path} holds the untrained agent")


@pytest.mark.parametrize("where", ["running", "saving"])
def test_a_failing_disk_stops_the_run_and_names_the_file(tmp_path, where):
    (tmp_path / "checkpoints" / "step-000000000").mkdir(parents=True)

    def fail():
        raise OSError(28, "No space left on device", "runs/x.csv")

    message = f"cannot write runs/x.csv: No space left on device; the last complete checkpoint in {tmp_path} is intact"
    with pytest.raises(RunStopped) as caught, run_errors(tmp_path, fail):
        if where == "running":
            fail()
        raise RunStopped("episode 2")
    assert str(caught.value) == message


def test_what_stops_before_the_first_checkpoint_promises_none(tmp_path):
    with (
        pytest.raises(RunStopped, match=r"^step 0; nothing was trained yet, so nothing is kept$"),
        run_errors(tmp_path),
    ):
        raise RunStopped("step 0")


def test_a_bug_is_not_taken_for_a_stopped_run(tmp_path):
    with pytest.raises(ZeroDivisionError), run_errors(tmp_path, lambda: pytest.fail("nothing to save")):
        raise ZeroDivisionError
