"""The progress bar: one line on stderr for the whole run, which says what the run is doing."""

import time

from tqdm import tqdm

from ddpg.command.streams import ByProducts, note
from ddpg.command.text import number
from ddpg.config import Config
from ddpg.evaluation import Evaluation
from ddpg.training import Episode

SECONDS_BETWEEN_LOOKS = 0.3  # inside an episode


class Progress:
    """One tqdm bar: the episode, its return, the running average, the last evaluation, steps per second, time left.

    Args:
        config: Says whether the run is counted in episodes or in steps.
        enabled: False shows nothing.
        by_products: Guards the bar: a run goes on without it.
        episodes, steps: Those of the run before a resume.
    """

    def __init__(
        self, config: Config, enabled: bool, by_products: ByProducts, episodes: int = 0, steps: int = 0
    ) -> None:
        self.in_steps, self.by_products = config.steps is not None, by_products
        self.start, self.steps_before = time.perf_counter(), steps
        self.number, self.steps, self.results = episodes, steps, ""  # of the last episode that has ended
        self.first_update = config.first_update_step  # it is compiled first, which takes seconds
        self.evaluation, self._next_look = "", 0.0
        self.bar = tqdm(
            total=config.steps if self.in_steps else config.episodes,
            initial=episodes if config.steps is None else min(steps, config.steps),
            unit="step" if self.in_steps else "episode",
            disable=not enabled,
            dynamic_ncols=True,
            bar_format="{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {unit}s [{elapsed}<{remaining}{postfix}]",
        )

    def doing(self, what: str) -> None:
        """Say what the run is doing."""
        with self.by_products("the progress bar"):
            self.bar.set_description(what)

    def look(self, length: int) -> None:
        """Show a training episode that has had `length` steps, from time to time; called before each step."""
        if self.steps + length + 1 == self.first_update:
            self.doing("compiling the update")
        elif self._is_time():
            self._move(f"episode {self.number + 1}, step {length}", self.steps + length)

    def look_at_round(self, steps: int, simulators: int) -> None:
        """Show a run with several simulators after so many steps, from time to time."""
        if steps < self.first_update <= steps + simulators:
            self.doing("compiling the update")
        elif self._is_time():
            self._move(f"step {steps}", steps)

    def look_at_evaluation(self, length: int) -> None:
        """Show an evaluation of which an episode has had `length` steps; called before each step."""
        if self._is_time():
            self.doing(f"evaluating, step {length} of an episode")

    def _is_time(self) -> bool:
        """Return whether the last look is long enough ago."""
        now = time.perf_counter()
        if now <= self._next_look:
            return False
        self._next_look = now + SECONDS_BETWEEN_LOOKS
        return True

    def evaluated(self, evaluation: Evaluation) -> None:
        """Show the mean of the last evaluation from now on."""
        self.evaluation = f"evaluation {number(evaluation.mean)}, "

    def show(self, episode: Episode) -> None:
        """Move the bar to the end of an episode."""
        self.results = f"return {number(episode.episode_return)}, average {number(episode.running_average)}, "
        self.steps = episode.steps
        self._move(f"episode {episode.number}", episode.steps, episode.number - self.number)
        self.number = episode.number

    def _move(self, what: str, steps: int, episodes: int = 0) -> None:
        """Move the bar to so many steps, or by so many episodes."""
        speed = (steps - self.steps_before) / (time.perf_counter() - self.start)
        with self.by_products("the progress bar"):
            self.bar.set_description(what, refresh=False)
            self.bar.set_postfix_str(f"{self.results}{self.evaluation}{speed:.0f} steps/s", refresh=False)
            self.bar.update(min(steps, self.bar.total) - self.bar.n if self.in_steps else episodes)
            if not episodes:  # inside an episode the bar moves little, or not at all
                self.bar.refresh()

    def note(self, text: str) -> None:
        """Print a line on stderr in the place of the bar."""
        with self.by_products("the progress bar"):
            self.bar.clear()
        note(text)

    def close(self) -> None:
        """Close the bar and keep its last line."""
        with self.by_products("the progress bar"):
            self.bar.close()
