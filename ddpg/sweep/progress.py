"""One line of progress on stderr for a whole sweep."""

import time
from collections.abc import Sequence

from tqdm import tqdm

from ddpg.sweep.jobs import Job, is_finished

SECONDS_FOR_SPEED = 30  # the speed shown is that of the last so many seconds


class SweepProgress:
    """A tqdm bar over all runs: how many are done, running and waiting, steps per second together, the time left.

    Args:
        jobs: The runs.
        enabled: False shows nothing.
        unit: What the steps of the runs are called.
    """

    def __init__(self, jobs: Sequence[Job], enabled: bool, unit: str = "step") -> None:
        self.jobs, self.unit = jobs, unit
        self.done = {job.folder: job.progress()[1] for job in jobs if is_finished(job)}
        self.failed: set = set()
        self.history = [(time.monotonic(), self._measure()[1])]
        self.bar = tqdm(
            total=float(len(jobs)),
            initial=self._measure()[0],
            disable=not enabled,
            dynamic_ncols=True,
            bar_format="{desc}{percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]",
        )

    def end(self, job: Job, failed: bool = False) -> None:
        """Count a run that came back."""
        self.done[job.folder] = job.progress()[1]
        if failed:
            self.failed.add(job.folder)

    def show(self, running: int) -> None:
        """Draw the line.

        Args:
            running: How many runs are running.
        """
        progress, steps = self._measure()
        now = time.monotonic()
        self.history = [point for point in self.history if point[0] > now - SECONDS_FOR_SPEED] or self.history[-1:]
        then, before = self.history[0]
        speed = (steps - before) / (now - then) if now > then else 0.0
        self.history.append((now, steps))
        failed = f", {len(self.failed)} failed" if self.failed else ""
        waiting = len(self.jobs) - len(self.done) - running
        testing = sum(job.folder not in self.done and job.progress()[0] >= 1.0 for job in self.jobs)
        tested = f" ({testing} of them testing)" if testing else ""
        counts = f"{len(self.done) - len(self.failed)} done, {running} running{tested}, {waiting} waiting{failed} "
        self.bar.set_description_str(counts, refresh=False)
        self.bar.set_postfix_str(f"{speed:.0f} {self.unit}s/s together", refresh=False)
        self.bar.update(max(0.0, progress - self.bar.n))
        self.bar.refresh()

    def close(self) -> None:
        """Close the bar and keep its last line."""
        self.bar.close()

    def _measure(self) -> tuple[float, int]:
        """Return how many runs' worth of work is done, and the steps of all runs together."""
        running = [job.progress() for job in self.jobs if job.folder not in self.done]
        return len(self.done) + sum(share for share, _ in running), sum(self.done.values()) + sum(n for _, n in running)
