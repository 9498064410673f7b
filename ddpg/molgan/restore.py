"""A MolGAN agent as a snapshot for the disk, and back."""

from pathlib import Path
from typing import Any

from ddpg.errors import RequestError
from ddpg.molgan.agent import MolGAN
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.dataset import Dataset, read_molecules
from ddpg.snapshot import (
    Snapshot,
    check_snapshot,
    damage_named,
    fill_variables,
    natural,
    numbered,
    read_description,
    read_settings,
)

KIND = "molgan"
MOLECULES = "molecules.smi"  # the data, as a run uses them, in its folder


def snapshot_of(agent: MolGAN, loop: dict[str, Any]) -> Snapshot:
    """Return all of an agent: three networks, three optimizers, and the round, the root of every random number.

    Args:
        agent: The agent.
        loop: What the training loop must know to go on, JSON-ready.
    """
    description = {"config": agent.config.as_json(), "rounds": agent.rounds, **loop}
    arrays = {name: variable.numpy() for name, variable in named_variables(agent).items()}
    return Snapshot(KIND, agent.rounds, arrays, description)


def named_variables(agent: MolGAN) -> dict[str, Any]:
    """Return every variable that learning changes, under a name that says whose it is."""
    names = ("generator", "discriminator", "reward_network")
    optimizers = ("generator_optimizer", "discriminator_optimizer", "reward_optimizer")
    return numbered({name: getattr(agent, name) for name in names + optimizers})


def describe(place: Path) -> dict[str, Any]:
    """Check a checkpoint's files against its manifest, and return its description."""
    check_snapshot(place, KIND)
    return read_description(place, {"config": dict, "rounds": int, "molecules": str})


def saved_config(place: Path, description: dict[str, Any]) -> MolGANConfig:
    """Return the settings that a checkpoint was made with; one that is not allowed is damage to its file."""
    return read_settings(place, description, MolGANConfig)


def dataset_of(place: Path, description: dict[str, Any]) -> Dataset:
    """Return the molecules that the run of a checkpoint was made with, which lie in the run folder.

    Raises:
        RequestError: They are missing, or others than they were.
    """
    path = place.parent.parent / MOLECULES
    try:
        dataset = read_molecules(path)
    except RequestError as error:
        raise RequestError(error.message, "checkpoint") from None
    if dataset.digest != description["molecules"]:
        raise RequestError(f"{path} holds other molecules than those that the run was made with", "checkpoint")
    return dataset


def load(place: Path, config: MolGANConfig | None = None) -> tuple[MolGAN, dict[str, Any]]:
    """Rebuild an agent from a checkpoint's folder, with its own settings or others; also return its description.

    Raises:
        RequestError: The checkpoint is damaged or not one of MolGAN's.
    """
    description = describe(place)
    agent = MolGAN(config or saved_config(place, description))
    with damage_named(place / "run.json"):
        agent.rounds = natural(description["rounds"])
    with damage_named(place / "variables.npz"):
        fill_variables(place / "variables.npz", named_variables(agent))
    return agent, description
