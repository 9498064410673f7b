"""Jobs as Ray tasks: Ray places them, and repeats those whose process or machine is lost."""

import signal
import traceback
from contextlib import suppress

from ddpg.errors import RequestError, RunStopped
from ddpg.storage.files import remove, replaced_file
from ddpg.sweep.jobs import Job, cores_of_run

RETRIES = 3  # how often a job begins again whose process was killed or whose machine was lost
SECONDS_TO_STOP = 60


class Workers:
    """Runs jobs, each in its own process.

    Args:
        max_jobs: How many may run at the same time.

    Attributes:
        running: The jobs that have been handed to Ray and have not come back, by their Ray reference.
    """

    def __init__(self, max_jobs: int) -> None:
        import ray

        self.max_jobs = max_jobs
        self.running: dict[ray.ObjectRef, Job] = {}
        self._task = ray.remote(max_retries=RETRIES, max_calls=1)(carry_out)

    @property
    def is_full(self) -> bool:
        """Whether no further job may be submitted now."""
        return len(self.running) >= self.max_jobs

    def submit(self, job: Job) -> None:
        """Hand a job to Ray."""
        self.running[self._task.options(num_cpus=cores_of_run(job)).remote(job)] = job

    def wait(self, seconds: float) -> list[tuple[Job, str | None]]:
        """Wait until a job comes back, but not longer than so many seconds.

        Returns:
            The jobs that came back, each with the reason if it failed. A job that was asked to stop is handed in again.
        """
        import ray

        ended = []
        done, _ = ray.wait(list(self.running), timeout=seconds)
        for reference in done:
            job = self.running.pop(reference)
            try:
                finished, error = ray.get(reference)
            except ray.exceptions.RayError as lost:
                finished, error = False, reason_for_loss(lost)
            if finished or error:
                ended.append((job, error))
            else:
                self.submit(job)
        return ended

    def stop(self) -> None:
        """Ask the runs that are running to stop, and wait until they have saved."""
        import ray

        references = list(self.running)
        for reference in references:
            ray.cancel(reference)
        ray.wait(references, num_returns=len(references), timeout=SECONDS_TO_STOP) if references else None
        self.running.clear()


def carry_out(job: Job) -> tuple[bool, str | None]:
    """Run a job in a worker process; return whether it came to its end, and the reason if it failed.

    The traceback of a failure is written beside the run folder, to FOLDER.error.txt.
    """
    # Ray asks a task to stop as SIGINT does, which a sweep that a script started with `&` ignores, and its workers too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    report = job.folder.with_name(f"{job.folder.name}.error.txt")
    try:
        finished = job.run()
        remove(report)
        return finished, None
    except Exception as error:
        with suppress(OSError):  # the disk may be full
            report.parent.mkdir(parents=True, exist_ok=True)
            with replaced_file(report) as file:
                file.write("".join(traceback.format_exception(error)).encode(errors="replace"))
        return False, reason_for(error)


def reason_for(error: Exception) -> str:
    """Return in one line why a run failed."""
    if isinstance(error, OSError):
        return f"{error.filename or 'the disk'}: {error.strerror or error}"
    named = str(error) if isinstance(error, (RequestError, RunStopped)) else f"{type(error).__name__}: {error}"
    return " ".join(named.split())


def reason_for_loss(error: Exception) -> str:
    """Return in one line why Ray gave a job up."""
    import ray

    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return "the machine ran out of memory; use fewer --jobs"
    if isinstance(error, (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError)):
        return f"its process was killed {RETRIES + 1} times"
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
