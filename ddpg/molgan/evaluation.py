"""How good generated molecules are, counted strictly and as MolGAN's own code counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ddpg.molgan.agent import MolGAN
from ddpg.molgan.molecules import Graphs, to_molecule, to_molecule_as_molgan_counts, to_smiles
from ddpg.molgan.rewards import EACH, Reward
from ddpg.molgan.sampling import sample

AT_A_TIME = 1_600


def generate(agent: MolGAN, count: int, seed: int) -> Graphs:
    """Return so many graphs of the generator's averaged weights, the same for the same seed."""
    random = np.random.default_rng(seed)
    parts = []
    with agent.averaged():
        for first in range(0, count, AT_A_TIME):
            z = random.normal(size=(min(AT_A_TIME, count - first), agent.config.latent_size)).astype(np.float32)
            parts.append(sample(*agent.logits(z), random, agent.config.sampling_noise))
    return Graphs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def measure(graphs: Graphs, known: Sequence[str], objectives: Sequence[str] = ("solubility",)) -> dict[str, Any]:
    """Return shares and scores of generated graphs.

    Valid is a share of all graphs; unique and novel are shares of the valid ones; each objective is a mean over the
    valid ones.  The `molgan_` figures count as the original code does: padding is an atom, fragments are allowed.

    Args:
        graphs: What was generated.
        known: The data's canonical SMILES.
        objectives: Those whose product the generator was trained for, `objective` in the figures.
    """
    figures: dict[str, Any] = {"samples": len(graphs.atoms)}
    for prefix, function in (("", to_molecule), ("molgan_", to_molecule_as_molgan_counts)):
        molecules = [function(*graph) for graph in zip(*graphs, strict=True)]
        smiles = [to_smiles(molecule) for molecule in molecules if molecule is not None]
        figures |= {f"{prefix}{name}": value for name, value in shares(smiles, len(molecules), known).items()}
        if not prefix:
            valid = [molecule for molecule in molecules if molecule is not None]
            for name in list(EACH)[1:]:
                figures[name] = mean(Reward([name])(valid))
            figures["objective"] = mean(Reward(objectives, known)(valid))
    return figures


def mean(scores: np.ndarray) -> float:
    """Return the mean score, 0 where there is none."""
    return float(scores.mean()) if scores.size else 0.0


def shares(smiles: Sequence[str], count: int, known: Sequence[str]) -> dict[str, float]:
    """Return valid, unique and novel for the SMILES of the valid ones among `count` graphs."""
    valid = max(1, len(smiles))
    novel = set(known)
    return {
        "valid": len(smiles) / count,
        "unique": len(set(smiles)) / valid,
        "novel": sum(name not in novel for name in smiles) / valid,
    }
