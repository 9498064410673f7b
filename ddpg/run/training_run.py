"""A training run: the training loop plus logging, evaluation, checkpoints and plots."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

from ddpg.agent import DDPG, Metrics
from ddpg.command.signals import Stopped
from ddpg.command.tensorflow import paused_garbage_collector
from ddpg.config import Config
from ddpg.evaluation import Evaluation
from ddpg.run.agent_state import snapshot_of
from ddpg.run.data import judgement, learn_from_data
from ddpg.run.plotting import draw_reward_curve
from ddpg.run.progress import Progress
from ddpg.run.simulation import open_simulation
from ddpg.seeding import integer_seed
from ddpg.storage.checkpoint_format import Snapshot
from ddpg.storage.run_folder import RunFolder, run_errors
from ddpg.storage.run_log import Columns
from ddpg.task.reported import is_good, reported_columns
from ddpg.task.states import SeenStates, notes_on_scales
from ddpg.training import Episode

COLUMNS = {
    "episodes": ("episode", "steps", "length", "return", "running_average", "seconds"),
    "evaluations": ("steps", "mean", "std", "episodes"),
    "updates": ("steps", "updates", *Metrics._fields),
}
REPORTING = ("episodes", "evaluations")  # the files that also hold what the task reports
SECONDS_BETWEEN_PLOTS = 15
SHARE_FOR_PLOTS = 0.02  # of the run's time at most: a curve of a million episodes takes half a minute
SECONDS_BETWEEN_POINTS = 5
SHARE_FOR_POINTS = 0.005


def columns_of(config: Config, reports_success: bool) -> Columns:
    """Return the CSV files of a run and their columns.

    Args:
        config: The settings.
        reports_success: Whether the task's info says if the goal is reached.
    """
    reported = reported_columns(config, reports_success)
    return {name: (*columns, *(reported if name in REPORTING else ())) for name, columns in COLUMNS.items()}


def next_time(start: float, seconds: float, share: float) -> float:
    """Return when to do again what began at `start` and has just ended: it may take a share of a run's time."""
    end = time.perf_counter()
    return end + max(seconds, (end - start) / share)


class TrainingRun:
    """One run; `ddpg.run.start` makes it, `train` carries it out.

    Args:
        agent: The agent.
        folder: Its run folder.
        plot_path: Where to draw the reward curve.
        episode: The last episode, for a resumed run.
        notes: What the user should know before the run starts.
        on_cluster: Whether its simulators are on the Ray cluster that this process has joined.

    Attributes:
        evaluation: The last evaluation, or None before the first.
    """

    def __init__(
        self,
        agent: DDPG,
        folder: RunFolder,
        plot_path: Path,
        episode: Episode = Episode(),
        notes: Sequence[str] = (),
        on_cluster: bool = False,
    ) -> None:
        self.agent, self.config = agent, agent.config
        self.folder, self.plot_path = folder, plot_path
        self.episode, self.notes, self.on_cluster = episode, notes, on_cluster
        self.evaluation: Evaluation | None = None
        self._next_plot = self._next_point = 0.0
        self._point: Snapshot | None = None

    def train(self, show_progress: bool = True) -> None:
        """Train to the end, or until the user stops the run.

        Raises:
            RunStopped: The task, the networks or the disk failed; the message says what was saved.
        """
        with ExitStack() as stack:
            stack.enter_context(self.folder)
            self._simulation = open_simulation(self.agent, self.folder, self.episode.steps, stack, self.on_cluster)
            bar = Progress(self.config, show_progress, self.folder.by_products, self.episode.number, self.episode.steps)
            stack.enter_context(closing(bar))
            stack.enter_context(paused_garbage_collector())
            stack.enter_context(run_errors(self.folder.path, self._save_unfinished_episode))
            self._simulation.watch(bar)
            with suppress(Stopped):
                self._train_loop(bar)
                return
            self._save_last_point()

    def _train_loop(self, bar: Progress) -> None:
        """Train, and whenever episodes may have ended log, evaluate, save and plot what is due.

        Raises:
            Stopped: The user stopped the run in the middle of an episode.
        """
        if self.folder.best is None:
            if not learn_from_data(self.agent, self._log_updates, self._save, self.folder.stop, bar):
                return
            bar.doing("evaluating the first policy")
            self._evaluate(bar)  # point 0 of the curve
            self._save()  # from here on there is always a checkpoint to resume from
            if self.config.data_updates and self.evaluation:
                bar.note(judgement(self.evaluation, self.folder.kept.get("data", [])))
        moments = self._simulation.train(self.episode, self._must_stop) if not self.is_good_enough() else ()
        for self.episode, ended in moments:
            for episode, reported in ended:
                self._log(episode, reported)
            if self.episode.passed(self.config.evaluate_every):
                self._evaluate(bar)
            if self.episode.passed(self.config.checkpoint_every):
                self._save()
            if time.perf_counter() > self._next_plot:
                self._plot()
            for episode, _ in ended:
                bar.show(episode)
            if self._simulation.exact_between_checkpoints and time.perf_counter() > self._next_point:
                self._keep_point()
        self._save()
        evaluated = self.episode.passed(self.config.evaluate_every) or not self.episode.steps
        if not self.folder.stop.signal_number and not evaluated:
            self._evaluate(bar, final=True)
        self._plot()

    def _must_stop(self) -> bool:
        """Return whether the run ends here, before its planned length."""
        return self.folder.stop.signal_number is not None or self.is_good_enough()

    def is_good_enough(self) -> bool:
        """Return whether enough evaluations in a row have reached what the settings say."""
        return self.folder.kept.get("good_evaluations", 0) >= self.config.stop_evaluations

    def _log(self, episode: Episode, reported: dict[str, float]) -> None:
        self.folder.kept["longest_episode"] = self._simulation.longest
        row = {
            "episode": episode.number,
            "steps": episode.steps,
            "length": episode.length,
            "return": episode.episode_return,
            "running_average": episode.running_average,
            "seconds": round(self.folder.seconds, 3),
        }
        self.folder.log.add("episodes", row | reported)
        if episode.metrics:
            self._log_updates(episode.metrics)

    def _log_updates(self, metrics: Metrics) -> None:
        updates = {"steps": self.episode.steps, "updates": self.agent.updates}
        self.folder.log.add("updates", updates | metrics._asdict())

    def _evaluate(self, bar: Progress, final: bool = False) -> None:
        """Evaluate the policy, and keep it if it is the best so far.

        Every evaluation of a run uses the same starts, so its curve shows the policy and not the luck of the starts. A
        final one, outside the schedule, is dropped when the run is extended.
        """
        seen = SeenStates(self.agent) if self.folder.best is None else None
        seed = integer_seed(self.config.seed, "evaluation")
        evaluation, reported = self._simulation.evaluate(seen or self.agent, seed)
        self.evaluation = evaluation
        bar.evaluated(evaluation)
        row = {"steps": self.episode.steps, "mean": evaluation.mean, "std": evaluation.std}
        self.folder.log.add("evaluations", row | {"episodes": len(evaluation.returns)} | reported)
        good = is_good(self.config, evaluation.mean, reported.get("success_rate"))
        self.folder.kept["good_evaluations"] = self.folder.kept.get("good_evaluations", 0) + 1 if good else 0
        kept = [self.episode.steps, list(evaluation.returns)]
        self.folder.kept.setdefault("untrained", kept)
        if self.folder.best is None or evaluation.mean > self.folder.best:
            self.folder.kept["best"] = kept
        self.folder.save_if_best(evaluation.mean, self._snapshot, final)
        if seen and not (self.config.normalize_observations or self.config.batch_normalization):
            for each in notes_on_scales(seen.largest, self._simulation.task):
                bar.note(f"note: {each}")

    def _keep_point(self) -> None:
        """Keep this end of an episode in memory: a run that is stopped in the middle of one is saved as of here.

        So a resumed run equals one that was not stopped. What was done since is done again.
        """
        start = time.perf_counter()
        self._point = self._snapshot()
        self._next_point = next_time(start, SECONDS_BETWEEN_POINTS, SHARE_FOR_POINTS)

    def _save_last_point(self) -> None:
        """Save the run as of the last point, if the replay buffer still holds what was stored before it."""
        if not self._simulation.exact_between_checkpoints and self.folder.best is not None:
            self._save()  # stopped between two rounds, in an evaluation
        elif self._point and self.folder.checkpoints.can_save(self._point, self.agent.replay_buffer):
            self.folder.save(self._point, self.agent.replay_buffer)

    def kept_evaluation(self, name: str) -> tuple[int, Evaluation] | None:
        """Return the step and the evaluation of the "untrained" policy or of the "best" one, or None."""
        step, returns = self.folder.kept.get(name, (0, None))
        return (int(step), Evaluation(tuple(returns))) if returns else None

    def _save_unfinished_episode(self) -> None:
        """Save what an episode that failed has brought; the resumed run begins another one."""
        steps = self.agent.steps
        self.episode = replace(self.episode, steps=steps, length=steps - self.episode.steps)
        self._save()

    def _save(self) -> None:
        self._point = self._snapshot()
        self.folder.save(self._point, self.agent.replay_buffer)

    def _snapshot(self) -> Snapshot:
        snapshot = snapshot_of(self.agent, self.episode, self.folder.state())
        in_data_phase = self.config.data_updates and self.folder.best is None
        return snapshot._replace(phase="data", step=self.agent.updates) if in_data_phase else snapshot

    def _plot(self) -> None:
        start = time.perf_counter()
        with self.folder.by_products("the reward curve"):
            draw_reward_curve(self.folder.path, self.config.as_json(), self.plot_path)
        self._next_plot = next_time(start, SECONDS_BETWEEN_PLOTS, SHARE_FOR_PLOTS)
