"""How good generated molecules are: sampled and as learned from, counted strictly and as MolGAN's own code counts."""

from collections.abc import Sequence, Set

import numpy as np
from rdkit import Chem

from ddpg.molgan.agent import MolGAN
from ddpg.molgan.molecules import Graphs, to_molecule_as_molgan_counts, to_molecules, to_smiles
from ddpg.molgan.rewards import EACH, Molecules, Reward
from ddpg.molgan.sampling import likeliest, sample

AT_A_TIME = 1_600
SHARES = ("valid", "unique", "novel")
SCORES = tuple(name for name in EACH if name != "validity")
SCORED_DATA = 5_000  # molecules at most; all of QM9 would take minutes


def generate(agent: MolGAN, count: int, seed: int) -> tuple[Graphs, Graphs]:
    """Return so many graphs of the generator's averaged weights, the same for the same seed.

    Returns:
        They as `sample` makes them, and as `likeliest` does from the same logits.
    """
    random = np.random.default_rng(seed)
    config, parts = agent.config, []
    with agent.averaged():
        for first in range(0, count, AT_A_TIME):
            z = random.normal(size=(min(AT_A_TIME, count - first), config.latent_size)).astype(np.float32)
            logits = agent.logits(z)
            parts.append((*sample(*logits, random, config.sampling_noise), *likeliest(*logits)))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Graphs(*columns[:2]), Graphs(*columns[2:])


def evaluate_generator(
    agent: MolGAN, count: int, seed: int, known: Set[str], rewards: dict[str, Reward]
) -> dict[str, float]:
    """Return the figures of so many generated graphs.

    Args:
        agent: Whose generator it is.
        count: How many graphs.
        seed: Of what is drawn.
        known: The data's canonical SMILES.
        rewards: What molecules are scored with, by the names that the mean scores are to have.

    Returns:
        What `measure` tells of the sampled graphs, and with `likeliest_` before each name, of the likeliest ones, whose
        faults no sampler has mended.
    """
    sampled, plain = (measure(graphs, known, rewards) for graphs in generate(agent, count, seed))
    return sampled | {f"likeliest_{name}": value for name, value in plain.items()}


def measure(graphs: Graphs, known: Set[str], rewards: dict[str, Reward]) -> dict[str, float]:
    """Return shares and mean scores of graphs.

    Valid is a share of all graphs; unique and novel are shares of the valid ones; scores are means over the valid ones.
    The `molgan_` figures count as the original code does: padding is an atom, fragments are allowed.
    """
    molecules = to_molecules(graphs)
    loosely = [to_molecule_as_molgan_counts(*graph) for graph in zip(*graphs, strict=True)]
    figures = shares(molecules, known) | {f"molgan_{name}": value for name, value in shares(loosely, known).items()}
    valid = [molecule for molecule in molecules if molecule is not None]
    return figures | {name: mean(reward(valid)) for name, reward in rewards.items()}


def data_scores(known: Sequence[str], rewards: dict[str, Reward]) -> dict[str, float]:
    """Return the data's own mean scores, from 5,000 molecules at most: what one gets who learns nothing else."""
    some = [Chem.MolFromSmiles(smiles) for smiles in known[:: 1 + len(known) // (SCORED_DATA + 1)]]
    return {name: mean(reward(some)) for name, reward in rewards.items()}


def mean(scores: np.ndarray) -> float:
    """Return the mean score, 0 where there is none."""
    return float(scores.mean()) if scores.size else 0.0


def shares(molecules: Molecules, known: Set[str]) -> dict[str, float]:
    """Return the share of valid ones among all, and those of unique and novel ones among the valid."""
    smiles = [to_smiles(molecule) for molecule in molecules if molecule is not None]
    valid = max(1, len(smiles))
    return {
        "valid": len(smiles) / len(molecules),
        "unique": len(set(smiles)) / valid,
        "novel": sum(name not in known for name in smiles) / valid,
    }
