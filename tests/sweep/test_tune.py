"""Tuning: trials that are continued in stages, what counts as the best, and studies that go on after a kill."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ddpg import Config, RequestError
from ddpg.sweep.jobs import TrainingJob
from ddpg.sweep.search import Range
from ddpg.sweep.tune import Tuning, folder_of
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL, contents, names

BASE = Config(steps=900, evaluate_every=100, threads=1)
SPACE = [Range("tau", 0.001, 1.0)]


class ScriptedWorkers:
    """In place of training: each job writes the files of a run whose evaluations a function of (config, step) makes.

    Args:
        score: The function; an exception that it raises makes the job fail.
        max_jobs: How many jobs are running at a time.
        jobs: After so many jobs the process dies.
    """

    def __init__(self, score, max_jobs: int = 1, jobs: int = 1_000) -> None:
        self.score, self.max_jobs, self.jobs = score, max_jobs, jobs
        self.running: list[TrainingJob] = []
        self.trained: list[tuple[str, int]] = []  # which folders were trained to which step

    @property
    def is_full(self) -> bool:
        return len(self.running) >= self.max_jobs

    def submit(self, job: TrainingJob) -> None:
        self.running.append(job)

    def stop(self) -> None:
        self.running.clear()

    def wait(self, seconds: float) -> list[tuple[TrainingJob, str | None]]:
        if len(self.trained) == self.jobs:
            raise SystemExit("killed")
        job = self.running.pop(0)
        self.trained.append((job.folder.name, job.config.steps))
        try:
            scores = {step: self.score(job.config, step) for step in range(0, job.config.steps + 1, 100)}
        except ValueError as error:
            return [(job, str(error))]
        job.folder.mkdir(parents=True, exist_ok=True)
        (job.folder / "config.json").write_text(json.dumps({"config": job.config.as_json()}))
        rows = "".join(f"{step},{score},0,1\n" for step, score in scores.items())
        (job.folder / "evaluations.csv").write_text("steps,mean,std,episodes\n" + rows)
        (job.folder / "episodes.csv").write_text(f"episode,steps,seconds\n9,{job.config.steps},1.0\n")
        return [(job, None)]


def tuned(folder: Path, workers: ScriptedWorkers, trials: int = 9, pruning: bool = True) -> Tuning:
    """Return a search that has come to its end."""
    tuning = Tuning(folder, BASE, SPACE, trials, pruning)
    folder.mkdir(exist_ok=True)
    tuning.open_study()
    assert tuning.search(workers, show_progress=False) is None
    return tuning


def higher_is_better(config: Config, step: int) -> float:
    return config.tau * step


def test_a_trial_is_continued_in_its_folder_and_most_are_not_continued(tmp_path):
    workers = ScriptedWorkers(higher_is_better)
    tuning = tuned(tmp_path / "s", workers)
    ends: dict[str, list[int]] = {}
    for name, steps in workers.trained:
        ends.setdefault(name, []).append(steps)
    assert len(ends) == 9
    assert all(steps == [100, 300, 900][: len(steps)] for steps in ends.values())
    assert 0 < len(tuning.complete()) < 9
    assert tuning.trained_share() == sum(steps[-1] for steps in ends.values()) / (9 * 900)


def test_without_pruning_every_trial_is_trained_in_full(tmp_path):
    tuning = tuned(tmp_path / "s", ScriptedWorkers(higher_is_better, max_jobs=3), pruning=False)
    assert len(tuning.complete()) == 9
    assert tuning.trained_share() == 1


def test_the_first_trial_has_the_settings_to_start_from(tmp_path):
    workers = ScriptedWorkers(higher_is_better)
    tuned(tmp_path / "s", workers, trials=1)
    config = json.loads((tmp_path / "s" / "trials" / "trial000" / "config.json").read_text())["config"]
    assert config["tau"] == BASE.tau


def test_the_best_is_the_best_at_the_end_not_the_best_that_was_ever_seen(tmp_path):
    """The untrained policy of step 0 is excellent here, and so is every policy until step 300."""

    def falls_back(config: Config, step: int) -> float:
        return 1_000.0 + config.tau if step <= 300 else -config.tau

    tuning = tuned(tmp_path / "s", ScriptedWorkers(falls_back), pruning=False)
    tried = [trial.params["tau"] for trial in tuning.complete()]
    assert tuning.best_config().tau == min(tried)
    assert tuning.complete()[0].value == -min(tried)


def test_the_value_of_a_trial_is_the_mean_of_its_evaluations_in_the_last_third(tmp_path):
    tuning = tuned(tmp_path / "s", ScriptedWorkers(lambda config, step: float(step)), trials=1)
    assert tuning.complete()[0].value == (700 + 800 + 900) / 3
    # Also where the run is longer by now: trials are compared at equal steps.
    folder = tmp_path / "s" / "trials" / "trial000"
    assert (tuning.value(folder, 0), tuning.value(folder, 1)) == (100, 300)


def test_a_study_that_was_killed_goes_on_and_repeats_no_trial(tmp_path):
    killed = ScriptedWorkers(higher_is_better, jobs=5)
    with pytest.raises(SystemExit):
        tuned(tmp_path / "s", killed)
    again = ScriptedWorkers(higher_is_better)
    tuning = tuned(tmp_path / "s", again)
    # The stage that was done last is handed in once more: a run that is resumed at its end trains nothing.
    assert set(killed.trained) & set(again.trained) <= {killed.trained[-1]}
    assert len(tuning.ended()) == 9 == len(names(tmp_path / "s" / "trials"))
    finished = ScriptedWorkers(higher_is_better)
    tuned(tmp_path / "s", finished)
    assert finished.trained == []


@pytest.mark.parametrize("jobs", [1, 2, 4, 7, 12])
def test_a_study_that_was_killed_equals_one_that_was_not(tmp_path, jobs):
    """Also one that was killed between a stage and the next, or while it proposed a trial."""
    whole = tuned(tmp_path / "whole", ScriptedWorkers(higher_is_better), trials=15)
    for _ in range(2):
        with pytest.raises(SystemExit):
            tuned(tmp_path / "killed", ScriptedWorkers(higher_is_better, jobs=jobs), trials=15)
    killed = tuned(tmp_path / "killed", ScriptedWorkers(higher_is_better), trials=15)

    def ends(tuning: Tuning) -> dict:
        return {folder_of(trial): (trial.params, trial.state, trial.value) for trial in tuning.ended()}

    assert ends(killed) == ends(whole)
    assert len({params["tau"] for params, *_ in ends(whole).values()}) == 15


def test_stages_that_an_episode_has_passed_are_skipped(tmp_path):
    """Episodes of 400 steps pass the ends of the first two stages, at 100 and at 300 steps, at once."""

    class LongEpisodes(ScriptedWorkers):
        def wait(self, seconds):
            ended = super().wait(seconds)
            for job, _ in ended:
                (job.folder / "episodes.csv").write_text(f"episode,steps,seconds\n9,{max(400, job.config.steps)},1.0\n")
            return ended

    workers = LongEpisodes(lambda config, step: float(step))
    tuning = tuned(tmp_path / "s", workers, trials=1)
    assert workers.trained == [("trial000", 100), ("trial000", 900)]
    assert list(tuning.complete()[0].intermediate_values) == [1, 3, 9]


def test_a_study_whose_file_is_a_link_or_damaged_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "study.log").symlink_to(tmp_path / "mine.txt")
    with pytest.raises(RequestError, match="is a symbolic link"):
        Tuning(tmp_path, BASE, SPACE, 1).open_study()
    assert (tmp_path / "mine.txt").read_text() == "mine"
    (tmp_path / "study.log").unlink()
    (tmp_path / "study.log").write_text('{"op_code": 7}\nnonsense\n')
    with pytest.raises(RequestError, match=r"study\.log is damaged"):
        Tuning(tmp_path, BASE, SPACE, 1).open_study()


def test_a_trial_that_breaks_does_not_take_the_others_down(tmp_path):
    def breaks(config: Config, step: int) -> float:
        if config.tau > 0.3:
            raise ValueError("step 7: the environment returned the reward nan")
        return config.tau

    tuning = tuned(tmp_path / "s", ScriptedWorkers(breaks), pruning=False)
    errors = [trial.user_attrs["error"] for trial in tuning.ended() if "error" in trial.user_attrs]
    assert errors and set(errors) == {"step 7: the environment returned the reward nan"}
    assert tuning.best_config().tau <= 0.3
    assert len(tuning.ended()) == 9


def test_a_search_without_a_whole_trial_says_why(tmp_path):
    def breaks(config: Config, step: int) -> float:
        raise ValueError("the disk is full")

    tuning = tuned(tmp_path / "s", ScriptedWorkers(breaks), trials=2)
    with pytest.raises(RequestError, match="no trial was trained in full; the disk is full"):
        tuning.best_config()


TUNE = (
    *("tune", "--env", "Pendulum-v1", *SMALL, "--evaluation-episodes", "1", "--steps", "900", "--trials", "4"),
    *("--search", "tau=0.001..0.1:log", "--confirm-seeds", "2", "--no-progress"),
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_study_is_killed_goes_on_and_leaves_settings_for_train_py(tmp_path):
    command = [sys.executable, "-m", "ddpg.sweep", *TUNE, "--sweep-dir", str(tmp_path / "s")]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL) as process:
        done = tmp_path / "s" / "trials" / "trial000" / "test.json"
        while not done.exists():  # its first stage
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert ended.returncode == 0, ended.stderr
    assert len(names(tmp_path / "s" / "trials", "trial???")) == 4
    for said in ("trained again with new seeds:", "search      -", "new seeds   -", "of the steps of 4 whole trials"):
        assert said in ended.stdout
    assert {"best.json", "history.png", "comparison.png"} <= set(names(tmp_path / "s"))
    before = contents(tmp_path / "s" / "trials")
    assert subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 0
    assert contents(tmp_path / "s" / "trials") == before
    best = json.loads((tmp_path / "s" / "best.json").read_text())["config"]
    train = [sys.executable, ROOT / "train.py", "--config", str(tmp_path / "s" / "best.json"), "--no-progress"]
    where = ["--steps", "200", "--run-dir", str(tmp_path / "run"), "--plot-dir", str(tmp_path)]
    subprocess.run([*train, *where], check=True, stdout=subprocess.DEVNULL, env=os.environ)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"] == best | {"steps": 200}


@pytest.mark.parametrize(
    ("name", "folder"),
    [("trial004", "trial004"), *((name, "trial007") for name in ("../../victim", "/etc", "trial1/../x", ""))],
)
def test_a_study_names_no_folder_but_those_of_its_trials(name, folder):
    """A foreign or damaged file could otherwise have any folder removed."""
    assert folder_of(SimpleNamespace(user_attrs={"folder": name}, number=7)) == folder
