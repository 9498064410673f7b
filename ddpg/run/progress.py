"""The progress bar: one line on stderr for the whole run."""

import time

from tqdm import tqdm

from ddpg.config import Config
from ddpg.training import Episode


class Progress:
    """One tqdm bar: the episode, its return, the running average, steps per second, the time left.

    Args:
        config: Says whether the run is counted in episodes or in steps.
        enabled: False shows nothing.
        episodes, steps: Those of the run before a resume.
    """

    def __init__(self, config: Config, enabled: bool, episodes: int = 0, steps: int = 0) -> None:
        self.in_steps = config.steps is not None
        self.start, self.steps_before = time.perf_counter(), steps
        self.bar = tqdm(
            total=config.steps if self.in_steps else config.episodes,
            initial=min(steps, config.steps) if config.steps else episodes,
            unit="step" if self.in_steps else "episode",
            disable=not enabled,
            dynamic_ncols=True,
            bar_format="{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {unit}s [{elapsed}<{remaining}{postfix}]",
        )
        self.bar.set_description(f"{config.env}: compiling the update")

    def show(self, episode: Episode) -> None:
        """Move the bar to the end of an episode."""
        speed = (episode.steps - self.steps_before) / (time.perf_counter() - self.start)
        self.bar.set_description(f"episode {episode.number}", refresh=False)
        self.bar.set_postfix_str(
            f"return {episode.episode_return:.1f}, average {episode.running_average:.1f}, {speed:.0f} steps/s",
            refresh=False,
        )
        self.bar.update(min(episode.steps, self.bar.total) - self.bar.n if self.in_steps else 1)

    def close(self) -> None:
        """Close the bar and keep its last line."""
        self.bar.close()
