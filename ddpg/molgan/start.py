"""Start a new MolGAN run in a new folder, or resume one at a checkpoint."""

import time
from pathlib import Path
from typing import Any

from ddpg.command.paths import absolute
from ddpg.command.tensorflow import prepare_tensorflow
from ddpg.molgan.agent import MolGAN
from ddpg.molgan.agent_state import MOLECULES, load, open_checkpoint, read_dataset, read_epoch
from ddpg.molgan.chemistry.dataset import Dataset
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.training_run import COLUMNS, TrainingRun
from ddpg.storage.files import check_plot_dir, new_file
from ddpg.storage.resuming import extend_config, resuming
from ddpg.storage.run_folder import RunFolder
from ddpg.storage.run_log import refuse_existing


def start_run(config: MolGANConfig, dataset: Dataset, run_dir: Path, plot_dir: Path) -> TrainingRun:
    """Make a new run and its folder; nothing is written unless the whole request can be met.

    Args:
        config: The run's settings.
        dataset: The real molecules.
        run_dir: The run folder, which must not exist yet.
        plot_dir: Where to draw the plots.

    Raises:
        RequestError: A setting or a folder cannot be used.
    """
    refuse_existing(run_dir)
    check_plot_dir(plot_dir)
    prepare_tensorflow(config.threads)
    agent = MolGAN(config)
    folder = RunFolder.create(run_dir, config, COLUMNS, has_replay=False)
    with new_file(run_dir / MOLECULES) as file:
        file.write("\n".join([*dataset.smiles, ""]).encode())
    return TrainingRun(agent, dataset, folder, plot_dir, notes=notes_on(config, dataset))


def resume_run(path: Path, plot_dir: Path, given: dict[str, Any]) -> TrainingRun:
    """Open an interrupted or finished run.

    Args:
        path: The run folder, for its newest checkpoint, or one of its checkpoints.
        plot_dir: Where to draw the plots.
        given: Settings: a larger `epochs`; any other must be as it was.

    Raises:
        RequestError: There is no complete checkpoint, a setting differs, or another process is using the run.
    """
    with resuming(path) as (checkpoint_dir, lock):
        saved = open_checkpoint(checkpoint_dir)
        epoch, config = read_epoch(saved), saved.settings(MolGANConfig)
        config = extend_config(config, given, {"epochs": max(config.epochs, epoch.number)})
        prepare_tensorflow(config.threads)
        agent, dataset = load(saved, config), read_dataset(saved)
        check_plot_dir(plot_dir)
        folder = RunFolder.reopen(saved, lock, config, COLUMNS)
    return TrainingRun(agent, dataset, folder, plot_dir, epoch, notes_on(config, dataset))


def notes_on(config: MolGANConfig, dataset: Dataset) -> list[str]:
    """Return what a user should know about settings and data that are allowed but perhaps unintended."""
    size, available, notes = config.discriminator_steps * config.batch_size, len(dataset.smiles), []
    if available < size:
        notes.append(
            f"an update takes {size} molecules (--discriminator-steps times --batch-size), more than the {available} "
            "of the data; each is used several times"
        )
    if again := available - len(set(dataset.smiles)):
        notes.append(
            f"of the {available} molecules, {again} repeat an earlier one; each counts as often as it is there"
        )
    return notes


def default_run_dir(config: MolGANConfig, now: time.struct_time) -> Path:
    """Return the default run folder: runs/molgan/TIME-seedS."""
    return absolute("runs/molgan") / f"{time.strftime('%Y%m%d-%H%M%S', now)}-seed{config.seed}"
