"""The quality of generated molecules: sampled and likeliest graphs, by the strict count and by the authors' count."""

from collections.abc import Sequence, Set

import numpy as np
from rdkit import Chem

from ddpg.molgan.agent import MolGAN
from ddpg.molgan.chemistry.molecules import Graphs, to_molecule_leniently, to_molecules, to_smiles
from ddpg.molgan.chemistry.rewards import SCORES, Molecules, Reward
from ddpg.molgan.chemistry.sampling import likeliest, sample

CHUNK = 1_600  # graphs generated in one call
SHARES = ("valid", "unique", "novel")
OBJECTIVE_SCORES = tuple(name for name in SCORES if name != "validity")
MAX_SCORED_DATA = 5_000  # molecules; scoring all of QM9 would take minutes


def generate(agent: MolGAN, count: int, seed: int) -> tuple[Graphs, Graphs]:
    """Generate graphs with the generator's averaged weights; the same seed gives the same graphs.

    Args:
        agent: The agent.
        count: Number of graphs.
        seed: Seed of z and of the sampling noise.

    Returns:
        The sampled graphs (`sampling.sample`), and the likeliest graphs of the same logits (`sampling.likeliest`).
    """
    rng = np.random.default_rng(seed)
    config, parts = agent.config, []
    for first in range(0, count, CHUNK):
        z = rng.normal(size=(min(CHUNK, count - first), config.latent_size)).astype(np.float32)
        logits = agent.logits(z)
        parts.append((*sample(*logits, rng, config.sampling_noise), *likeliest(*logits)))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Graphs(*columns[:2]), Graphs(*columns[2:])


def evaluate_generator(
    agent: MolGAN, count: int, seed: int, data_smiles: Set[str], rewards: dict[str, Reward]
) -> dict[str, float]:
    """Generate graphs and measure them.

    Args:
        agent: The agent whose generator is measured.
        count: Number of graphs.
        seed: Seed of `generate`.
        data_smiles: The data's canonical SMILES.
        rewards: Scores to average, by name.

    Returns:
        The results of `measure` for the sampled graphs, and, with the prefix `likeliest_`, those for the likeliest
        graphs, which the sampler has not repaired.
    """
    sampled, unrepaired = (measure(graphs, data_smiles, rewards) for graphs in generate(agent, count, seed))
    return sampled | {f"likeliest_{name}": value for name, value in unrepaired.items()}


def measure(graphs: Graphs, data_smiles: Set[str], rewards: dict[str, Reward]) -> dict[str, float]:
    """Return shares and mean scores of graphs.

    Args:
        graphs: The graphs.
        data_smiles: The data's canonical SMILES.
        rewards: Scores to average, by name.

    Returns:
        "valid", a share of all graphs; "unique" and "novel", shares of the valid ones; the same three with the prefix
        `molgan_`, by the authors' count (padding is an atom, fragments are allowed); and each mean score of the valid
        ones.
    """
    molecules = to_molecules(graphs)
    lenient = [to_molecule_leniently(*graph) for graph in zip(*graphs, strict=True)]
    authors_count = {f"molgan_{name}": value for name, value in shares(lenient, data_smiles).items()}
    valid = [molecule for molecule in molecules if molecule is not None]
    scores = {name: mean(reward(valid)) for name, reward in rewards.items()}
    return shares(molecules, data_smiles) | authors_count | scores


def data_scores(data_smiles: Sequence[str], rewards: dict[str, Reward]) -> dict[str, float]:
    """Return the data's own mean scores, over at most 5,000 molecules: the baseline of a generator's scores.

    Args:
        data_smiles: The data's canonical SMILES.
        rewards: Scores to average, by name.
    """
    subset = [Chem.MolFromSmiles(smiles) for smiles in data_smiles[:: 1 + len(data_smiles) // (MAX_SCORED_DATA + 1)]]
    return {name: mean(reward(subset)) for name, reward in rewards.items()}


def mean(scores: np.ndarray) -> float:
    """Return the mean of scores, or 0 if there are none."""
    return float(scores.mean()) if scores.size else 0.0


def shares(molecules: Molecules, data_smiles: Set[str]) -> dict[str, float]:
    """Return the share of valid molecules among all, and the shares of unique and novel ones among the valid."""
    smiles = [to_smiles(molecule) for molecule in molecules if molecule is not None]
    valid = max(1, len(smiles))
    return {
        "valid": len(smiles) / len(molecules),
        "unique": len(set(smiles)) / valid,
        "novel": sum(name not in data_smiles for name in smiles) / valid,
    }
