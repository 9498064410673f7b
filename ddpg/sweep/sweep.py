"""Carry out a sweep: hand its unfinished runs to the workers, show the progress, and say what failed."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddpg.command.packages import require_package
from ddpg.command.ray import joined_ray
from ddpg.command.signals import StopRequest
from ddpg.sweep.capacity import check_capacity
from ddpg.sweep.cluster import local_ray
from ddpg.sweep.folder import check_record, open_folder
from ddpg.sweep.jobs import Job, cores_of_run, is_finished
from ddpg.sweep.progress import SweepProgress
from ddpg.sweep.workers import Workers

SECONDS_BETWEEN_LINES = 1.0


@dataclass
class Outcome:
    """How a sweep ended.

    Args:
        failures: Why runs failed, by their folder.
        signal_number: The signal by which the user stopped the sweep, or None.
    """

    failures: dict[Path, str]
    signal_number: int | None = None


@contextmanager
def open_sweep(
    sweep_dir: Path,
    jobs: Sequence[Job],
    extra: dict[str, Any],
    cores: int,
    address: str | None = None,
    may_add_jobs: bool = False,
) -> Iterator[Workers]:
    """Check everything, then create or open a sweep's folder and get the workers ready.

    Nothing is written unless all runs can be made.

    Args:
        sweep_dir: The folder, an absolute path.
        jobs: All runs of the sweep.
        extra: What else must be the same when the sweep is repeated.
        cores: How many cores to use at a time, on all machines together; on a cluster, at most what it has.
        address: A running Ray cluster; None starts Ray on this machine alone.
        may_add_jobs: Get workers even if all of these runs are finished, for others.

    Raises:
        RequestError: The folder, a task, the memory, the disk or the cluster cannot be used.
    """
    require_package("ray", "sweeps need Ray")
    check_record(sweep_dir, jobs, extra)
    todo = [job for job in jobs if not is_finished(job)]
    max_jobs = 1
    with ExitStack() as stack:
        if todo or may_add_jobs:  # else Ray need not start
            machines = stack.enter_context(joined_ray(address) if address else local_ray(cores))
            found = min(cores, sum(machine.cores for machine in machines))
            max_jobs = max(1, found // max(map(cores_of_run, jobs)))
            if todo:
                check_capacity(todo, machines, max_jobs, sweep_dir)
        stack.enter_context(open_folder(sweep_dir, jobs, extra))
        yield Workers(max_jobs)


def run_all(jobs: Sequence[Job], workers: Workers, show_progress: bool, unit: str = "step") -> Outcome:
    """Carry out the jobs that are not finished; the failure of one does not stop the others.

    The first SIGINT or SIGTERM lets the runs that are running save and stop, the second one ends them at once.

    Args:
        jobs: The runs.
        workers: Who carries them out.
        show_progress: Whether to draw a line of progress.
        unit: What the steps of the runs are called.
    """
    outcome = Outcome({})
    todo = [job for job in jobs if not is_finished(job)]
    with StopRequest() as stop, closing(SweepProgress(jobs, show_progress, unit)) as progress:
        while (todo or workers.running) and not stop.signal_number:
            while todo and not workers.is_full:
                workers.submit(todo.pop(0))
            for job, error in workers.wait(SECONDS_BETWEEN_LINES):
                progress.end(job, failed=error is not None)
                if error:
                    outcome.failures[job.folder] = error
            progress.show(len(workers.running))
        if stop.signal_number:
            outcome.signal_number = stop.signal_number
            workers.stop()
    return outcome
