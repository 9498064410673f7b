"""Start a new run in a new folder, or resume one at a checkpoint."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ddpg.agent import DDPG
from ddpg.checked_environment import reported_success
from ddpg.command.paths import absolute
from ddpg.command.ray import Machine
from ddpg.command.tensorflow import prepare_tensorflow
from ddpg.config import Config
from ddpg.environment import TaskUnits, state_and_action_size
from ddpg.errors import RequestError
from ddpg.experience.controllers import load_controller
from ddpg.experience.hindsight import make_hindsight
from ddpg.experience.logged import store
from ddpg.run.agent_state import load, open_checkpoint, read_episode
from ddpg.run.data import read_data
from ddpg.run.memory import require_memory
from ddpg.run.simulation import notes_on_simulators, require_room
from ddpg.run.start_from import find_source, start_from
from ddpg.run.training_run import TrainingRun, columns_of
from ddpg.storage.checkpoint_format import read_kept
from ddpg.storage.files import check_plot_dir, short_name
from ddpg.storage.replay_files import require_all
from ddpg.storage.resuming import extend_config, resuming
from ddpg.storage.run_folder import RunFolder
from ddpg.storage.run_log import refuse_existing
from ddpg.task.environments import (
    first_step,
    most_steps,
    notes_on,
    open_environment,
    require_same_sizes,
    time_limit,
)
from ddpg.task.record import record_of, require_recorded
from ddpg.task.reported import check_reported
from ddpg.task.states import notes_on_images


def start_run(config: Config, run_dir: Path, plot_dir: Path, machines: Sequence[Machine] = ()) -> TrainingRun:
    """Make a new run and its folder; nothing is written unless the whole request can be met.

    Args:
        config: The run's settings.
        run_dir: The run folder, which must not exist yet.
        plot_dir: Where to draw the reward curve.
        machines: Those of a Ray cluster that this process has joined, for its simulators; none means this machine.

    Raises:
        RequestError: The task, a setting, a folder or the cluster cannot be used.
    """
    refuse_existing(run_dir)
    require_room(config, machines)
    if config.warm_up_controller:
        load_controller(config.warm_up_controller, "warm_up_controller")
    prepare_tensorflow(config.threads)
    with open_environment(config) as environment:
        sizes = state_and_action_size(environment)
        make_hindsight(environment, config)  # refuses a task without goals
        require_memory(config, *sizes)
        notes = notes_on(config, most_steps(config, time_limit(environment)))
        ignores_seed, info = first_step(environment)
        if ignores_seed:
            notes.append(f"{config.env} ignores reset(seed=...), so runs are not reproducible")
        notes += check_reported(config, info) + notes_on_simulators(config, time_limit(environment))
        notes += notes_on_images(TaskUnits(environment).state_space)
        task = record_of(environment)
        data = read_data(config, environment) if config.data else None
        if data:
            config, notes = replace(config, data=data.checksums), [*notes, *data.notes]
        if config.start_from:
            source, checksums = find_source(config)
            config = replace(config, start_from=checksums)
        agent = DDPG(*sizes, config)
        if config.start_from:
            notes += start_from(agent, source, environment)
    if data:
        store(agent, data.rows)
    check_plot_dir(plot_dir)
    columns = columns_of(config, reports_success := reported_success(info) is not None)
    folder = RunFolder.create(run_dir, config, columns, has_replay=True)
    folder.kept |= {"reports_success": reports_success, "task": task}
    folder.kept |= {"data": data.mean_return} if data else {}
    return TrainingRun(agent, folder, plot_path(config, run_dir, plot_dir), notes=notes, on_cluster=bool(machines))


def resume_run(path: Path, plot_dir: Path, given: dict[str, Any], machines: Sequence[Machine] = ()) -> TrainingRun:
    """Open an interrupted or finished run.

    Args:
        path: The run folder, for its newest checkpoint, or one of its checkpoints.
        plot_dir: Where to draw the reward curve.
        given: Settings: a larger `steps` or `episodes`; any other must be as it was.
        machines: As in `start_run`; they need not be those of before.

    Raises:
        RequestError: There is no complete checkpoint, a setting differs, another process is using the run, or the
            cluster cannot be used.
    """
    with resuming(path) as (checkpoint_dir, lock):
        saved = open_checkpoint(checkpoint_dir)
        if not saved.description["run"]:
            raise RequestError(f"{path} is from save_agent; continue it in your own loop, with ddpg.load_agent")
        episode, config = read_episode(saved), saved.settings(Config)
        planned = {"steps": config.steps or 0, "episodes": config.episodes if config.steps is None else 0}
        trained = {"steps": episode.steps, "episodes": episode.number}
        config = extend_config(config, given, {name: max(planned[name], trained[name]) for name in planned})
        if "episodes" in given:  # the length given last is the one that counts
            config = replace(config, steps=None)
        require_room(config, machines)
        prepare_tensorflow(config.threads)
        agent, segments = load(saved, config)
        require_all(segments, agent.replay_buffer, saved)
        with open_environment(config) as environment:
            require_same_sizes(environment, (agent.state_size, agent.action_size), config)
            require_recorded(environment, saved, config)
            notes = notes_on(config, most_steps(config, time_limit(environment)))
        check_plot_dir(plot_dir)
        with saved.reading("run.json"):
            columns = columns_of(config, read_kept(saved).get("reports_success", False))
        folder = RunFolder.reopen(saved, lock, config, columns, segments)
        if given.keys() & {"stop_at", "stop_at_success", "stop_evaluations"}:
            folder.kept["good_evaluations"] = 0  # the user asks to go on
    return TrainingRun(agent, folder, plot_path(config, folder.path, plot_dir), episode, notes, bool(machines))


def default_run_dir(config: Config, now: time.struct_time) -> Path:
    """Return the default run folder: runs/TASK/TIME-seedS."""
    return absolute("runs") / task_name(config) / f"{time.strftime('%Y%m%d-%H%M%S', now)}-seed{config.seed}"


def plot_path(config: Config, run_dir: Path, plot_dir: Path) -> Path:
    """Return the path of a run's reward curve."""
    return plot_dir / short_name(f"{task_name(config)}-{run_dir.resolve().name}", ".png")


def task_name(config: Config) -> str:
    """Return the task's id as one path component."""
    return config.env.replace("/", "_").replace(":", "_")
