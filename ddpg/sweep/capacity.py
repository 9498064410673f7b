"""Refuse a sweep whose runs do not fit into memory or onto the disk on every machine, before the first one starts."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ddpg.config import Config
from ddpg.environment import state_and_action_size
from ddpg.errors import RequestError
from ddpg.run.memory import GIB, available_memory, network_bytes, transition_bytes
from ddpg.storage.files import existing_parent
from ddpg.sweep.cluster import Machine
from ddpg.sweep.jobs import Job, TrainingJob, cores_of_run
from ddpg.task.environments import most_steps, open_environment

WORKER_BYTES = 0.8 * GIB  # a process with TensorFlow and a compiled update, before any transition is stored
SIMULATOR_BYTES = 0.1 * GIB  # a process of --num-envs, with a small task
LOG_BYTES = 4 * 1024**2  # of a run's logs, plots and descriptions
MOLGAN_BYTES = 0.4 * GIB  # of a MolGAN run above that: its networks, the data and RDKit
MOLGAN_DISK_BYTES = 32 * 1024**2


def task_sizes(config: Config) -> tuple[int, int]:
    """Return the state and action sizes of a task; making it shows that its module is installed here.

    Raises:
        RequestError: The task cannot be made.
    """
    with open_environment(config) as environment:
        return state_and_action_size(environment)


def check_capacity(jobs: Sequence[Job], machines: Sequence[Machine], max_jobs: int, folder: Path) -> None:
    """Check that every machine sees the folder, makes each task and holds its runs, and that the disk holds them all.

    Args:
        jobs: The runs that are not finished.
        machines: Where they may run.
        max_jobs: How many may run at a time, on all machines together.
        folder: The sweep's folder, which need not exist.

    Raises:
        RequestError: The folder is not shared, a task cannot be made, or a machine's memory or the disk is too small.
    """
    require_shared(folder, machines)
    tasks = {(job.config.env, str(job.config.env_kwargs)): job.config for job in jobs if isinstance(job, TrainingJob)}
    sizes: dict[tuple[str, str], tuple[int, int]] = {}
    for machine in machines:
        for key, config in tasks.items():
            try:
                sizes[key] = machine.call(task_sizes, config)
            except RequestError as error:
                where = "" if len(machines) == 1 else f" (on {machine.address})"
                raise RequestError(f"{error.message}{where}", error.setting) from None
    needed = [
        bytes_of(job.config, *sizes[job.config.env, str(job.config.env_kwargs)])
        if isinstance(job, TrainingJob)
        else (WORKER_BYTES + MOLGAN_BYTES, MOLGAN_DISK_BYTES)
        for job in jobs
    ]
    largest = sorted((memory for memory, _ in needed), reverse=True)
    for machine in machines:
        at_once = min(max_jobs, machine.cores // min(map(cores_of_run, jobs)), len(jobs))
        require_free(largest[:at_once], machine.call(available_memory), "of memory", "use a smaller --jobs")
    free = shutil.disk_usage(existing_parent(folder)).free
    require_free([disk for _, disk in needed], free, f"on the disk of {folder}", "choose another --sweep-dir")


def require_shared(folder: Path, machines: Sequence[Machine]) -> None:
    """Raise `RequestError` unless every machine sees a file that is made here, where the folder is or will be."""
    if len(machines) == 1:
        return
    try:
        with tempfile.NamedTemporaryFile(dir=existing_parent(folder), prefix=".ddpg-") as probe:
            for machine in machines:
                if not machine.call(os.path.exists, probe.name):
                    raise RequestError(f"{folder} is not shared with {machine.address}", "sweep_dir")
    except OSError as error:
        raise RequestError(f"cannot write to {folder}: {error.strerror}", "sweep_dir") from None


def bytes_of(config: Config, state_size: int, action_size: int) -> tuple[float, float]:
    """Return the bytes that a run of DDPG takes at most: of memory, and on the disk.

    Memory of the replay buffer that is never filled costs nothing. On the disk lie the transitions once, and the
    networks in each checkpoint.
    """
    stored = min(most_steps(config), config.buffer_size) * transition_bytes(state_size, action_size)
    networks = network_bytes(config, state_size, action_size)
    checkpoints = config.keep_checkpoints + 2  # the best one, and the one being written
    simulators = (config.num_envs or 0) * SIMULATOR_BYTES
    return WORKER_BYTES + simulators + networks + stored, LOG_BYTES + stored + checkpoints * networks


def require_free(needed: Sequence[float], free: float, where: str, remedy: str) -> None:
    """Raise `RequestError` unless all of `needed` fit together into `free` bytes."""
    if sum(needed) > free:
        runs = f"{len(needed)} runs" if len(needed) > 1 else "1 run"
        raise RequestError(
            f"{runs} together take up to {sum(needed) / GIB:.1f} GiB {where}, "
            f"but only {free / GIB:.1f} GiB is free; {remedy}"
        )
