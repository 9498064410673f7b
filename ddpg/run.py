"""A whole run: the training loop with its consumers, which record, evaluate, keep and draw what it does."""

import gc
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gymnasium

from ddpg.agent import DDPG
from ddpg.checkpoint import Checkpoints
from ddpg.environment import environment_of
from ddpg.errors import RunStopped
from ddpg.evaluation import Evaluation, evaluate
from ddpg.files import Lock
from ddpg.plotting import draw_reward_curve
from ddpg.progress import Progress
from ddpg.records import Records
from ddpg.restore import named_variables, snapshot_of
from ddpg.seeding import integer_seed
from ddpg.signals import StopRequest
from ddpg.snapshot import all_finite
from ddpg.training import Episode, train

SECONDS_BETWEEN_PICTURES = 15


class Run:
    """One run and its folder; `ddpg.opening` makes it, `go` carries it through.

    Args:
        folder: The run folder.
        picture: Where the reward curve goes.
        lock: Keeps other runs out of the folder.
        agent, records, checkpoints: What learns, and what writes it down.
        last: Where the run stands.
        seconds: Wall-clock time that earlier sittings took.
        best: The best mean of the run's evaluations so far.
        notice: What the user should know before it starts.
    """

    def __init__(
        self,
        folder: Path,
        picture: Path,
        lock: Lock,
        agent: DDPG,
        records: Records,
        checkpoints: Checkpoints,
        last: Episode = Episode(),
        seconds: float = 0.0,
        best: float | None = None,
        notice: str | None = None,
    ) -> None:
        self.folder, self.picture, self.lock = folder, picture, lock
        self.agent, self.config = agent, agent.config
        self.records, self.checkpoints = records, checkpoints
        self.last, self.best, self.notice = last, best, notice
        self.began = time.perf_counter() - seconds
        self.evaluation: Evaluation | None = None
        self.stop = StopRequest()
        self.next_picture = 0.0

    def go(self, show_progress: bool = True) -> None:
        """Train to the end, or to the end of the episode in which the user stops it.

        Raises:
            RunStopped: The task, the network or the disk failed; what was learned until then is in the run folder.
        """
        config = self.config
        with ExitStack() as stack:
            for thing in (self.lock, self.records):
                stack.enter_context(closing(thing))
            environment, own = (stack.enter_context(closing(environment_of(config))) for _ in range(2))
            bar = stack.enter_context(closing(Progress(config, show_progress, self.last.episode, self.last.steps)))
            stack.enter_context(quiet_collector())
            stack.enter_context(self.stop)
            try:
                try:
                    self._consume(environment, own, bar)
                except RunStopped as error:
                    what = "the last sound checkpoint"
                    with suppress(RunStopped):  # the networks have broken too
                        self._save()
                        what = "what was learned until then"
                    raise RunStopped(f"{error}; {what} is in {self.folder}") from error.__cause__
            except OSError as error:
                reason = f"cannot write {error.filename or self.folder}: {error.strerror}"
                raise RunStopped(f"{reason}; the last whole checkpoint in {self.folder} stands") from None

    def _consume(self, environment: gymnasium.Env, own: gymnasium.Env, bar: Progress) -> None:
        """Train, and do what is due at the end of each episode."""
        if self.best is None:
            self._evaluate(own)  # the untrained policy is point 0 of the curve
            self._save()  # from here on there is always a checkpoint to go on from
        for episode in train(self.agent, environment, self.last):
            self.last = episode
            self._record()
            if self._passed(self.config.evaluate_every):
                self._evaluate(own)
            if self._passed(self.config.checkpoint_every):
                self._save()
            if time.perf_counter() > self.next_picture:
                self._draw()
            bar.show(episode)
            if self.stop.number:
                break
        self._save()
        if not self.stop.number and not self._passed(self.config.evaluate_every):
            self._evaluate(own, final=True)
        self._draw()

    @property
    def seconds(self) -> float:
        """Wall-clock time of the run so far, earlier sittings included."""
        return time.perf_counter() - self.began

    def _passed(self, every: int) -> bool:
        """Say whether the last episode passed a multiple of so many steps."""
        return self.last.steps // every > (self.last.steps - self.last.length) // every

    def _record(self) -> None:
        last = self.last
        self.records.add(
            "episodes",
            {
                "episode": last.episode,
                "steps": last.steps,
                "length": last.length,
                "return": last.episode_return,
                "running_average": last.running_average,
                "seconds": round(self.seconds, 3),
            },
        )
        if last.metrics:
            updates = {"steps": last.steps, "updates": self.agent.updates}
            self.records.add("updates", updates | last.metrics._asdict())

    def _evaluate(self, environment: gymnasium.Env, final: bool = False) -> None:
        """Measure the policy, and keep it if it is the best so far.

        Every evaluation of a run meets the same starts, so that its curve shows the policy and not their luck.  A final
        one, which falls between the regular ones, is cut off again when the run is made longer.
        """
        first_seed = integer_seed(self.config.seed, "evaluation")
        self.evaluation = evaluate(self.agent, environment, self.config.evaluation_episodes, first_seed)
        self.records.add(
            "evaluations",
            {
                "steps": self.last.steps,
                "mean": self.evaluation.mean,
                "std": self.evaluation.std,
                "episodes": len(self.evaluation.returns),
            },
        )

        mean = self.evaluation.mean
        if self.best is None or (mean > self.best and not final):
            self.best = mean
            self.checkpoints.save_best(snapshot_of(self.agent, self._loop()))

    def _save(self) -> None:
        """Write a checkpoint, unless the networks have broken: those must not replace sound ones."""
        if not all_finite(named_variables(self.agent)):
            raise RunStopped(f"episode {self.last.episode}: the networks became NaN or infinite")
        self.checkpoints.save(snapshot_of(self.agent, self._loop()), self.agent.replay_buffer)

    def _loop(self) -> dict[str, Any]:
        """Return what the loop must know to go on, JSON-ready."""
        return {
            "episode": asdict(replace(self.last, metrics=None)),
            "seconds": self.seconds,
            "best": self.best,
            "positions": self.records.positions(),
        }

    def _draw(self) -> None:
        draw_reward_curve(self.folder, self.picture)
        self.next_picture = time.perf_counter() + SECONDS_BETWEEN_PICTURES


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep the garbage collector from walking through TensorFlow's many objects, which live as long as the run."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
