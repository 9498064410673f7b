"""Opening a run: a new one in a new folder, or an interrupted one at a checkpoint."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ddpg.agent import DDPG
from ddpg.checkpoint import Checkpoints, all_checkpoints, find_checkpoint
from ddpg.config import Config
from ddpg.environment import environment_of, ignores_seed, sizes
from ddpg.errors import RequestError
from ddpg.files import Lock
from ddpg.records import Records, refuse_existing
from ddpg.restore import damage_named, load, read_description, read_manifest
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
    environment = environment_of(config)
    agent = DDPG(*sizes(environment), config)
    notice = f"{config.env} ignores its seed: a run of it cannot be repeated" if ignores_seed(environment) else None
    environment.close()
    check_plot_folder(plot_folder)
    records = Records(folder, config)
    checkpoints = Checkpoints(folder / "checkpoints", config.keep)
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
    check_plot_folder(plot_folder)
    folder = place.parent.parent
    lock = Lock(folder)
    try:
        named_as_resume(read_manifest, place)
        config = longer(Config.from_json(read_description(place)["config"]), given)
        agent, description, segments = named_as_resume(load, place, config)
        with damage_named(place / "run.json"):
            returns = tuple(float(value) for value in description["episode"].pop("recent_returns"))
            last = Episode(**description["episode"], recent_returns=returns)
            seconds, best = float(description["seconds"]), description["best"]
        records = Records.reopen(folder, config, description["positions"])
    except RequestError:
        lock.close()
        raise
    checkpoints = Checkpoints(folder / "checkpoints", config.keep, segments)
    checkpoints.forget_after(place)
    picture = picture_path(config, folder, plot_folder)
    return Run(folder, picture, lock, agent, records, checkpoints, last, seconds, best)


def named_as_resume(function, place: Path, *arguments):
    """Call a function that reads a checkpoint; name the flag --resume in its error, and the checkpoint before it."""
    try:
        return function(place, *arguments)
    except RequestError as error:
        if error.setting != "checkpoint":
            raise
        before = [other for other in all_checkpoints(place.parent) if other.name < place.name]
        hint = f"; to go on from the checkpoint before it: --resume {before[-1]}" if before else ""
        raise RequestError(error.message + hint, "resume") from None


def longer(config: Config, given: dict[str, Any]) -> Config:
    """Return a run's settings with a larger `steps` or `episodes`.

    Raises:
        RequestError: A setting other than these two differs, or one of them is smaller.
    """
    for name, value in given.items():
        before = getattr(config, name)
        if name in ("steps", "episodes"):
            if before is not None and value < before:
                raise RequestError(f"the run was to have {before} already; give {before} or more", name)
        elif value != before:
            raise RequestError(f"the run has {before!r}, and a resumed run cannot change it to {value!r}", name)
    return replace(config, **given)


def default_folder(config: Config, now: time.struct_time) -> Path:
    """Return the folder of a run that was given none: runs/TASK/TIME-seedS."""
    return Path("runs", task_name(config), f"{time.strftime('%Y%m%d-%H%M%S', now)}-seed{config.seed}")


def check_plot_folder(folder: Path) -> None:
    """Refuse a folder for the reward curve that could not be made or written to; a refused command writes nothing."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise RequestError(f"cannot write to {folder}: {nearest} is not a folder that can be written to", "plot_dir")


def picture_path(config: Config, folder: Path, plot_folder: Path) -> Path:
    """Return where a run's reward curve goes."""
    return plot_folder / f"{task_name(config)}-{folder.name}.png"


def task_name(config: Config) -> str:
    """Return the task's id as one path component."""
    return config.env.replace("/", "_").replace(":", "_")
