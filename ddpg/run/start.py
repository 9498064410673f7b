"""Start a new run in a new folder, or resume one at a checkpoint."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import tensorflow as tf

from ddpg.agent import DDPG
from ddpg.config import Config
from ddpg.environment import state_and_action_size
from ddpg.errors import RequestError
from ddpg.run.agent_state import load, open_checkpoint, read_episode
from ddpg.run.compile_cache import use_compile_cache
from ddpg.run.environments import (
    ignores_seed,
    most_steps,
    notes_on,
    open_environment,
    require_same_sizes,
    time_limit,
)
from ddpg.run.files import check_plot_dir
from ddpg.run.memory import require_memory
from ddpg.run.run_folder import RunFolder, resuming
from ddpg.run.run_log import refuse_existing
from ddpg.run.training_run import COLUMNS, TrainingRun

C = TypeVar("C")


def start_run(config: Config, run_dir: Path, plot_dir: Path) -> TrainingRun:
    """Make a new run and its folder; nothing is written unless the whole request can be met.

    Args:
        config: The run's settings.
        run_dir: The run folder, which must not exist yet.
        plot_dir: Where to draw the reward curve.

    Raises:
        RequestError: The task, a setting or a folder cannot be used.
    """
    refuse_existing(run_dir)
    prepare_tensorflow(config.threads)
    with open_environment(config) as environment:
        sizes = state_and_action_size(environment)
        notes = notes_on(config, most_steps(config, time_limit(environment)))
        if ignores_seed(environment):
            notes.append(f"{config.env} ignores reset(seed=...), so runs are not reproducible")
    require_memory(config, *sizes)
    agent = DDPG(*sizes, config)
    check_plot_dir(plot_dir)
    folder = RunFolder.create(run_dir, config, COLUMNS, has_replay=True)
    return TrainingRun(agent, folder, plot_path(config, run_dir, plot_dir), notes=notes)


def resume_run(path: Path, plot_dir: Path, given: dict[str, Any]) -> TrainingRun:
    """Open an interrupted or finished run.

    Args:
        path: The run folder, for its newest checkpoint, or one of its checkpoints.
        plot_dir: Where to draw the reward curve.
        given: Settings: a larger `steps` or `episodes`; any other must be as it was.

    Raises:
        RequestError: There is no complete checkpoint, a setting differs, or another process is using the run.
    """
    with resuming(path) as (checkpoint_dir, lock):
        saved = open_checkpoint(checkpoint_dir)
        episode, config = read_episode(saved), saved.settings(Config)
        planned = {"steps": config.steps or 0, "episodes": 0 if config.steps else config.episodes}
        trained = {"steps": episode.steps, "episodes": episode.number}
        config = extend_config(config, given, {name: max(planned[name], trained[name]) for name in planned})
        if "episodes" in given:  # the length given last is the one that counts
            config = replace(config, steps=None)
        prepare_tensorflow(config.threads)
        agent, segments = load(saved, config)
        with open_environment(config) as environment:
            require_same_sizes(environment, (agent.state_size, agent.action_size), config)
            notes = notes_on(config, most_steps(config, time_limit(environment)))
        check_plot_dir(plot_dir)
        folder = RunFolder.reopen(saved, lock, config, COLUMNS, segments)
    return TrainingRun(agent, folder, plot_path(config, folder.path, plot_dir), episode, notes)


def extend_config(config: C, given: dict[str, Any], min_lengths: dict[str, int]) -> C:
    """Return a run's settings with a larger length.

    Args:
        config: The settings of the run.
        given: Settings given now.
        min_lengths: The settings that may grow, and the least that each may be.

    Raises:
        RequestError: Another setting differs, or a length is less than was planned or trained.
    """
    for name, value in given.items():
        if name in min_lengths:
            if value < min_lengths[name]:
                raise RequestError(f"must be at least {min_lengths[name]}, the length already planned or trained", name)
        elif value != getattr(config, name):
            raise RequestError(f"cannot change from {getattr(config, name)!r} to {value!r} when resuming", name)
    return replace(config, **given)  # type: ignore[type-var]


def prepare_tensorflow(threads: int | None) -> None:
    """Set what TensorFlow reads only once, before it computes: where compiled code is, and its intra-op threads.

    Without a number it uses a thread per core, the better default even for networks this small: see
    `docs/performance.md`. On a GPU it takes memory as it needs it, so that several runs can share the GPU.

    Raises:
        RequestError: This process has already computed with another number, which TensorFlow cannot change.
    """
    use_compile_cache()
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if threads is None or threads == tf.config.threading.get_intra_op_parallelism_threads():
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError:
        raise RequestError(
            "TensorFlow is already initialised in this process; set the threads in a new one", "threads"
        ) from None


def default_run_dir(config: Config, now: time.struct_time) -> Path:
    """Return the default run folder: runs/TASK/TIME-seedS."""
    return Path("runs", task_name(config), f"{time.strftime('%Y%m%d-%H%M%S', now)}-seed{config.seed}")


def plot_path(config: Config, run_dir: Path, plot_dir: Path) -> Path:
    """Return the path of a run's reward curve."""
    return plot_dir / f"{task_name(config)}-{run_dir.resolve().name}.png"


def task_name(config: Config) -> str:
    """Return the task's id as one path component."""
    return config.env.replace("/", "_").replace(":", "_")
