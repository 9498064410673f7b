"""Tuning: Optuna proposes settings, workers train them, and bad ones are stopped early.

Every trial is a run folder that is trained in stages, to 1/9, 1/3 and all of its steps. Optuna's successive halving
decides after each stage; a run that goes on is resumed where it was, so it ends as if it had never paused.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ddpg.command.inputs import UNUSABLE, read_object
from ddpg.command.packages import require_package
from ddpg.command.signals import StopRequest
from ddpg.compare.curves import read_run
from ddpg.config import Config
from ddpg.errors import RequestError, one_line
from ddpg.storage.files import refuse_link, write_json
from ddpg.sweep.jobs import TrainingJob, last_row
from ddpg.sweep.search import Choice, Range
from ddpg.sweep.workers import Workers

REDUCTION = 3  # of three trials, one goes on to the next stage
STAGES = (1, 3, 9)  # the ends of the stages, in ninths of the steps
STUDY = "study.log"


@dataclass
class Tuning:
    """A search for good settings of one task.

    Args:
        sweep_dir: Its folder, an absolute path.
        base: The settings to start from; their steps are those of a whole trial.
        space: What is searched.
        trials: How many settings to try.
        pruning: Whether to stop bad trials early.
    """

    sweep_dir: Path
    base: Config
    space: Sequence[Range | Choice]
    trials: int
    pruning: bool = True

    def __post_init__(self) -> None:
        require_package("optuna", "tuning needs Optuna")

    @property
    def record(self) -> dict[str, Any]:
        """What must be the same when the study is continued."""
        return {"space": [str(part) for part in self.space], "pruning": self.pruning}

    def open_study(self) -> None:
        """Open the study's file, or create it; its first trial has the settings to start from."""
        import optuna
        from optuna.pruners import NopPruner
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        halving = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION)
        path = self.sweep_dir / STUDY
        refuse_link(path)
        try:
            self.study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(path))),
                study_name="tune",
                pruner=halving if self.pruning else NopPruner(),
                direction="maximize",
                load_if_exists=True,
            )
        except Exception as error:  # a damaged file can make Optuna raise nearly anything
            raise RequestError(f"{path} is damaged ({one_line(error)}); choose another folder", "sweep_dir") from None
        if not self.study.trials:
            first = [part.parameter(self.base) for part in self.space]
            self.study.enqueue_trial({name: value for each in first for name, value in each.items()})
        running = self.study.get_trials(states=(optuna.trial.TrialState.RUNNING,))
        self.interrupted = [optuna.trial.Trial(self.study, trial._trial_id) for trial in running]

    def ask(self) -> Any:
        """Return a trial that was interrupted, or a new one, whose draws depend on the seed and the trials before it.

        So a search that was killed and goes on equals one that was not, if one trial runs at a time.
        """
        import optuna

        trial = self.interrupted.pop(0) if self.interrupted else self.study.ask()
        trial.set_user_attr("folder", folder_of(trial))
        seed = np.random.SeedSequence((self.base.seed, trial.number)).generate_state(1)[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.sampler = optuna.samplers.TPESampler(seed=int(seed), constant_liar=True)
        return trial

    def ended(self) -> list[Any]:
        """Return the trials that have ended for good: trained in full, stopped early, or failed by an error."""
        from optuna.trial import TrialState

        trials = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))
        return [trial for trial in trials if trial.state != TrialState.FAIL or "error" in trial.user_attrs]

    def complete(self) -> list[Any]:
        """Return the trials that were trained in full, the best one first: only they are compared."""
        from optuna.trial import TrialState

        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return sorted(complete, key=lambda trial: -trial.value)

    def search(self, workers: Workers, show_progress: bool) -> int | None:
        """Train until all trials have ended; return the signal by which the user stopped, or None."""
        import optuna

        running: dict[Path, tuple[Any, int]] = {}
        left = self.trials - len(self.ended())
        bar = tqdm(total=self.trials, initial=self.trials - max(left, 0), unit="trial", disable=not show_progress)
        with StopRequest() as stop, bar:
            while (left > 0 or running) and not stop.signal_number:
                while left > 0 and not workers.is_full:
                    trial = self.ask()
                    job, stage = self.begin(trial)
                    running[job.folder] = trial, stage
                    workers.submit(job)
                    left -= 1
                for ended, error in workers.wait(1.0):
                    trial, stage = running.pop(ended.folder)
                    if error:
                        trial.set_user_attr("error", error)
                        self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                    else:
                        stage = self.report(trial, ended.folder, stage)
                        if stage == len(STAGES):
                            self.study.tell(trial, self.value(ended.folder, stage - 1))
                        elif trial.should_prune():
                            self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                        else:
                            running[ended.folder] = trial, stage
                            workers.submit(self.job(ended.config, ended.folder, stage))
                            continue
                    bar.update()
                bar.set_postfix_str(self.summary(len(running)))
            if stop.signal_number:
                workers.stop()
        return stop.signal_number

    def begin(self, trial: Any) -> tuple[TrainingJob, int]:
        """Return a trial's first job and its stage; a trial that died goes on at the stage that it had reached."""
        config = replace(self.base, **{part.name: part.suggest(trial) for part in self.space})
        folder, stage = self.sweep_dir / "trials" / folder_of(trial), 0
        steps = planned_steps(folder)
        while stage + 1 < len(STAGES) and self.steps_of(stage) < steps:
            stage = self.report(trial, folder, stage, before=steps)
        return self.job(config, folder, stage), stage

    def job(self, config: Config, folder: Path, stage: int) -> TrainingJob:
        """Return the job that trains a trial to the end of a stage."""
        return TrainingJob(folder, replace(config, steps=self.steps_of(stage)), test_episodes=0)

    def steps_of(self, stage: int) -> int:
        """Return the steps at which a stage ends."""
        assert self.base.steps is not None
        return self.base.steps * STAGES[stage] // STAGES[-1]

    def report(self, trial: Any, folder: Path, stage: int, before: float = np.inf) -> int:
        """Tell Optuna how good a trial is at the end of a stage; return the next stage.

        A later stage is over with it if the last episode has passed its end too, and it ends before so many steps.
        """
        trained = int(last_row(folder / "episodes.csv")["steps"])
        reported = self.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        while True:
            if STAGES[stage] not in reported:
                trial.report(self.value(folder, stage), STAGES[stage])
            stage += 1
            if stage == len(STAGES) or self.steps_of(stage) > trained or self.steps_of(stage) >= before:
                return stage

    def value(self, folder: Path, stage: int) -> float:
        """Return a trial's value at the end of a stage: the mean of its evaluations in the last third of the steps.

        Trials are compared at equal steps, and the untrained policy never counts.
        """
        curve, end = read_run(folder), self.steps_of(stage)
        slack = end * 1.05  # an evaluation waits for the end of its episode
        counted = curve.scores[(curve.steps > max(0, end * 2 / 3)) & (curve.steps <= slack)]
        return float(np.mean(counted if len(counted) else curve.scores[-1:]))

    def summary(self, running: int) -> str:
        """Return what the line of progress says beside the bar."""
        pruned = sum(trial.state.name == "PRUNED" for trial in self.ended())
        complete = self.complete()
        best = f", best {complete[0].value:.1f}" if complete else ""
        return f"{running} running, {pruned} stopped early{best}"

    def best_config(self) -> Config:
        """Return the settings of the best trial that was trained in full.

        Raises:
            RequestError: There is none.
        """
        from optuna.trial import FixedTrial

        complete = self.complete()
        if not complete:
            errors = {trial.user_attrs["error"] for trial in self.ended() if "error" in trial.user_attrs}
            raise RequestError("no trial was trained in full" + "".join(f"; {error}" for error in sorted(errors)[:1]))
        best = FixedTrial(complete[0].params)
        return replace(self.base, **{part.name: part.suggest(best) for part in self.space})

    def trained_share(self) -> float:
        """Return the steps that all trials were trained for, as a share of those of as many whole trials."""
        folders = {folder_of(trial) for trial in self.ended()}
        steps = sum(int(last_row(self.sweep_dir / "trials" / name / "episodes.csv")["steps"]) for name in folders)
        assert self.base.steps is not None
        return steps / (self.base.steps * self.trials)

    def write_best(self, config: Config, figures: dict[str, Any]) -> Path:
        """Write `best.json`, which `train.py --config` takes, and return its path."""
        path = self.sweep_dir / "best.json"
        write_json(path, {"config": config.as_json(), "tuning": figures})
        return path

    def table(self, count: int = 10) -> list[tuple[str, ...]]:
        """Return the best trials as rows of text, and before them the names of the columns."""
        names = [part.name for part in self.space]
        rows = [("trial", "return", *names)]
        for trial in self.complete()[:count]:
            values = (trial.params[name] for name in names)
            cells = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
            rows.append((trial.user_attrs["folder"], f"{trial.value:.1f}", *cells))
        return rows


def folder_of(trial: Any) -> str:
    """Return the name of a trial's run folder: the one that the study's file names, if it is one of this program's."""
    name = trial.user_attrs.get("folder", "")
    return name if re.fullmatch(r"trial\d{3,}", name) else f"trial{trial.number:03d}"


def planned_steps(folder: Path) -> int:
    """Return to how many steps a run folder was to be trained; 0 if it does not exist."""
    try:
        return int(read_object(folder / "config.json")["config"]["steps"])
    except UNUSABLE:
        return 0
