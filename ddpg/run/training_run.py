"""A training run: the training loop plus logging, evaluation, checkpoints and plots."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import gymnasium

from ddpg.agent import DDPG, Metrics
from ddpg.command.tensorflow import paused_garbage_collector
from ddpg.evaluation import Evaluation, evaluate
from ddpg.experience.hindsight import make_hindsight
from ddpg.run.agent_state import snapshot_of
from ddpg.run.environments import open_environment
from ddpg.run.plotting import draw_reward_curve
from ddpg.run.progress import Progress
from ddpg.seeding import integer_seed
from ddpg.storage.checkpoint_format import Snapshot
from ddpg.storage.run_folder import RunFolder, run_errors
from ddpg.training import Episode, train

COLUMNS = {
    "episodes": ("episode", "steps", "length", "return", "running_average", "seconds"),
    "evaluations": ("steps", "mean", "std", "episodes"),
    "updates": ("steps", "updates", *Metrics._fields),
}
SECONDS_BETWEEN_PLOTS = 15
SHARE_FOR_PLOTS = 0.02  # of the run's time at most: a curve of a million episodes takes half a minute


class TrainingRun:
    """One run; `ddpg.run.start` makes it, `train` carries it out.

    Args:
        agent: The agent.
        folder: Its run folder.
        plot_path: Where to draw the reward curve.
        episode: The last episode, for a resumed run.
        notes: What the user should know before the run starts.

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
    ) -> None:
        self.agent, self.config = agent, agent.config
        self.folder, self.plot_path = folder, plot_path
        self.episode, self.notes = episode, notes
        self.evaluation: Evaluation | None = None
        self._next_plot = 0.0

    def train(self, show_progress: bool = True) -> None:
        """Train to the end, or to the end of the episode in which the user stops the run.

        Raises:
            RunStopped: The task, the networks or the disk failed; the message says what was saved.
        """
        with ExitStack() as stack:
            stack.enter_context(self.folder)
            environment, evaluation_env = (stack.enter_context(open_environment(self.config)) for _ in range(2))
            bar = Progress(self.config, show_progress, self.episode.number, self.episode.steps)
            stack.enter_context(closing(bar))
            stack.enter_context(paused_garbage_collector())
            stack.enter_context(run_errors(self.folder.path, self._save_unfinished_episode))
            self._train_loop(environment, evaluation_env, bar)

    def _train_loop(self, environment: gymnasium.Env, evaluation_env: gymnasium.Env, bar: Progress) -> None:
        """Train, and at the end of each episode log, evaluate, save and plot what is due."""
        if self.folder.best is None:
            self._evaluate(evaluation_env)  # the untrained policy is point 0 of the curve
            self._save()  # from here on there is always a checkpoint to resume from
        for episode in train(self.agent, environment, self.episode, make_hindsight(environment, self.config)):
            self.episode = episode
            self._log()
            if self._passed(self.config.evaluate_every):
                self._evaluate(evaluation_env)
            if self._passed(self.config.checkpoint_every):
                self._save()
            if time.perf_counter() > self._next_plot:
                self._plot()
            with self.folder.by_products("the progress bar"):
                bar.show(episode)
            if self.folder.stop.signal_number:
                break
        self._save()
        if not self.folder.stop.signal_number and not self._passed(self.config.evaluate_every):
            self._evaluate(evaluation_env, final=True)
        self._plot()

    def _passed(self, every: int) -> bool:
        """Return whether the last episode passed a multiple of so many steps."""
        return self.episode.steps // every > (self.episode.steps - self.episode.length) // every

    def _log(self) -> None:
        episode = self.episode
        row = {
            "episode": episode.number,
            "steps": episode.steps,
            "length": episode.length,
            "return": episode.episode_return,
            "running_average": episode.running_average,
            "seconds": round(self.folder.seconds, 3),
        }
        self.folder.log.add("episodes", row)
        if episode.metrics:
            updates = {"steps": episode.steps, "updates": self.agent.updates}
            self.folder.log.add("updates", updates | episode.metrics._asdict())

    def _evaluate(self, evaluation_env: gymnasium.Env, final: bool = False) -> None:
        """Evaluate the policy, and keep it if it is the best so far.

        Every evaluation of a run uses the same starts, so its curve shows the policy and not the luck of the starts. A
        final one, outside the schedule, is dropped when the run is extended.
        """
        seed = integer_seed(self.config.seed, "evaluation")
        self.evaluation = evaluation = evaluate(self.agent, evaluation_env, self.config.evaluation_episodes, seed)
        row = {"steps": self.episode.steps, "mean": evaluation.mean, "std": evaluation.std}
        self.folder.log.add("evaluations", row | {"episodes": len(evaluation.returns)})
        kept = [self.episode.steps, list(evaluation.returns)]
        self.folder.kept.setdefault("untrained", kept)
        if self.folder.best is None or evaluation.mean > self.folder.best:
            self.folder.kept["best"] = kept
        self.folder.save_if_best(evaluation.mean, self._snapshot, final)

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
        self.folder.save(self._snapshot(), self.agent.replay_buffer)

    def _snapshot(self) -> Snapshot:
        return snapshot_of(self.agent, self.episode, self.folder.state())

    def _plot(self) -> None:
        start = time.perf_counter()
        with self.folder.by_products("the reward curve"):
            draw_reward_curve(self.folder.path, self.config.as_json(), self.plot_path)
        end = time.perf_counter()
        self._next_plot = end + max(SECONDS_BETWEEN_PLOTS, (end - start) / SHARE_FOR_PLOTS)
