"""Opening a run: a new one in a new folder, or an interrupted one at a checkpoint."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from ddpg.agent import DDPG
from ddpg.checkpoint import Checkpoints, find_checkpoint, named_as_resume
from ddpg.config import Config
from ddpg.environment import environment_of, ignores_seed, require_sizes, sizes
from ddpg.errors import RequestError
from ddpg.files import Lock, check_plot_folder
from ddpg.records import Records, check_records, refuse_existing
from ddpg.replay_files import ReplayFiles
from ddpg.restore import describe, load, read_loop, saved_config
from ddpg.run import Run
from ddpg.training import Episode


def start_run(config: Config, folder: Path, plot_folder: Path) -> Run:
    """Make a new run and its folder; nothing is written unless all of the request can be met.

    Args:
        config: The run's settings.
        folder: The run folder, which must not exist yet.
        plot_folder: Where the reward curve goes.

    Raises:
        RequestError: The task, a setting or the folder will not do.
    """
    refuse_existing(folder)
    use_threads(config.threads)
    environment = environment_of(config)
    agent = DDPG(*sizes(environment), config)
    notice = f"{config.env} ignores its seed: a run of it cannot be repeated" if ignores_seed(environment) else None
    environment.close()
    check_plot_folder(plot_folder)
    records = Records(folder, config)
    place = folder / "checkpoints"
    checkpoints = Checkpoints(place, config.keep, ReplayFiles(place / "replay"))
    picture = picture_path(config, folder, plot_folder)
    return Run(folder, picture, Lock(folder), agent, records, checkpoints, notice=notice)


def resume_run(path: Path, plot_folder: Path, given: dict[str, Any]) -> Run:
    """Open an interrupted or finished run.

    Args:
        path: The run folder, for its newest checkpoint, or one of its checkpoints.
        plot_folder: Where the reward curve goes.
        given: Settings given anew: a larger `steps` or `episodes`; any other must be as it was.

    Raises:
        RequestError: There is no whole checkpoint, a setting differs, or the run is going on elsewhere.
    """
    place = named_as_resume(find_checkpoint, path)
    if not place.name.startswith("step-"):
        raise RequestError(f"{place} holds no replay buffer; go on from {place.parent.parent}", "resume")
    folder = place.parent.parent
    lock = Lock(folder)
    try:
        description = named_as_resume(describe, place)
        last, seconds, best, positions = named_as_resume(read_loop, place, description)
        config = longer(named_as_resume(saved_config, place, description), given, last)
        use_threads(config.threads)
        agent, _, segments = named_as_resume(load, place, config)
        environment = environment_of(config)
        require_sizes(environment, (agent.state_size, agent.action_size), config, "resume")
        environment.close()
        check_records(folder, positions)
        check_plot_folder(plot_folder)
        # All is sound.  Only now is anything changed, later checkpoints first: they count on rows that are cut next.
        checkpoints = Checkpoints(place.parent, config.keep, ReplayFiles(place.parent / "replay", segments))
        checkpoints.forget_after(place)
        records = Records.reopen(folder, config, positions)
    except BaseException:
        lock.close()
        raise
    picture = picture_path(config, folder, plot_folder)
    return Run(folder, picture, lock, agent, records, checkpoints, last, seconds, best)


def use_threads(threads: int | None) -> None:
    """Let TensorFlow compute with so many threads; None leaves it to TensorFlow, which takes one per core.

    All cores are the better default even for networks this small: on two cores, one thread was up to 1.1 times as fast
    in some minutes and 0.9 times in others with minibatches of 64, and 0.8 times with 256 or with 50 updates in a call.
    Threads between operations make no difference: the update is one operation (see benchmarks/README.md).

    Raises:
        RequestError: This process has computed with another number already, and TensorFlow cannot change it any more.
    """
    if threads is None or threads == tf.config.threading.get_intra_op_parallelism_threads():
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError:
        raise RequestError("TensorFlow is at work in this process already; start a new one", "threads") from None


def longer(config: Config, given: dict[str, Any], last: Episode) -> Config:
    """Return a run's settings with a larger `steps` or `episodes`; the one that is given now is the run's length.

    Raises:
        RequestError: A setting other than these two differs, or one of them is smaller than it was or than was done.
    """
    for name, value in given.items():
        if name in ("steps", "episodes"):
            planned = None if name == "episodes" and config.steps else getattr(config, name)
            least = max(planned or 0, last.steps if name == "steps" else last.episode)
            if value < least:
                raise RequestError(f"the run has or was to have {least} already; give {least} or more", name)
        elif value != getattr(config, name):
            before = getattr(config, name)
            raise RequestError(f"the run has {before!r}, and a resumed run cannot change it to {value!r}", name)
    instead: dict[str, Any] = {"steps": None} if "episodes" in given else {}
    return replace(config, **instead, **given)


def default_folder(config: Config, now: time.struct_time) -> Path:
    """Return the folder of a run that was given none: runs/TASK/TIME-seedS."""
    return Path("runs", task_name(config), f"{time.strftime('%Y%m%d-%H%M%S', now)}-seed{config.seed}")


def picture_path(config: Config, folder: Path, plot_folder: Path) -> Path:
    """Return where a run's reward curve goes."""
    return plot_folder / f"{task_name(config)}-{folder.resolve().name}.png"


def task_name(config: Config) -> str:
    """Return the task's id as one path component."""
    return config.env.replace("/", "_").replace(":", "_")
