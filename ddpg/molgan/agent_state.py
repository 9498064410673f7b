"""A MolGAN agent as a snapshot for the disk, and back."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ddpg.errors import RequestError
from ddpg.molgan.agent import MolGAN
from ddpg.molgan.chemistry.dataset import Dataset, read_molecules
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.training import Epoch
from ddpg.storage.checkpoint_format import SavedCheckpoint, Snapshot, non_negative_int, take_snapshot

KIND = "molgan"
FIELDS = {"config": dict, "updates": int, "molecules": str, "epoch": dict, "run": dict}
MOLECULES = "molecules.smi"  # in the run folder: the molecules that the run uses


def variable_owners(agent: MolGAN) -> dict[str, Any]:
    """Return the networks and optimizers, whose variables are all that training changes in TensorFlow."""
    networks = ("generator", "evaluated_generator", "discriminator", "reward_network")
    optimizers = ("generator_optimizer", "discriminator_optimizer", "reward_optimizer")
    return {name: getattr(agent, name) for name in networks + optimizers}


def snapshot_of(agent: MolGAN, epoch: Epoch, molecules: str, run_state: dict[str, Any]) -> Snapshot:
    """Copy everything of an agent: four networks, three optimizers, and the updates, the root of every random number.

    Args:
        agent: The agent.
        epoch: The last epoch.
        molecules: The digest of the run's data.
        run_state: The state of the run folder, JSON-ready.
    """
    description = {
        "config": agent.config.as_json(),
        "updates": agent.updates,
        "molecules": molecules,
        "epoch": asdict(replace(epoch, metrics=None)),
        "run": run_state,
    }
    return take_snapshot(KIND, agent.updates, variable_owners(agent), description)


def open_checkpoint(checkpoint_dir: Path) -> SavedCheckpoint:
    """Check the files of a MolGAN checkpoint, and return what can be read from it."""
    return SavedCheckpoint(checkpoint_dir, KIND, FIELDS)


def load(saved: SavedCheckpoint, config: MolGANConfig | None = None) -> MolGAN:
    """Rebuild an agent.

    Args:
        saved: The checkpoint.
        config: Settings to use instead of the saved ones.

    Raises:
        CorruptFileError: A file is damaged or is not this agent's.
    """
    config = config or saved.settings(MolGANConfig)
    with saved.reading("variables.npz"):
        if 4 * config.latent_size > (saved.path / "variables.npz").stat().st_size:
            raise ValueError("it is too small for the networks that run.json describes")
        agent = MolGAN(config)
    saved.fill(variable_owners(agent))
    with saved.reading("run.json"):
        agent.updates = non_negative_int(saved.description["updates"])
    return agent


def read_epoch(saved: SavedCheckpoint) -> Epoch:
    """Return the last epoch before a checkpoint."""
    with saved.reading("run.json"):
        epoch = saved.description["epoch"]
        return Epoch(non_negative_int(epoch["number"]), non_negative_int(epoch["updates"]))


def read_dataset(saved: SavedCheckpoint) -> Dataset:
    """Read the molecules of a checkpoint's run, which are kept in the run folder.

    Raises:
        RequestError: The file is missing or has changed.
    """
    path = saved.run_dir / MOLECULES
    dataset = read_molecules(path)
    if dataset.digest != saved.description["molecules"]:
        raise RequestError(f"{path} has changed: its molecules are not those that the run was started with")
    return dataset
