"""RDKit's scores of molecules, from 0 to 1: the rewards that the reward network learns to predict."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import QED, rdFingerprintGenerator, rdMolDescriptors
from rdkit.Contrib.SA_Score import sascorer

from ddpg.molgan.chemistry.molecules import to_smiles

Molecules = Sequence[Chem.Mol | None]
# The authors' scales: the 1st and 99th percentile of logP in their data, and synthetic accessibility scores, of which
# a lower one means a molecule that is easier to make.
LOG_P = (-2.12178879609, 6.0429063424)
SYNTHETIC_ACCESSIBILITY = (5.0, 1.5)
DIVERSITY_SAMPLE = 100  # molecules of the data, about


def rescale(value: float, zero: float, one: float) -> float:
    """Map the interval from `zero` to `one` linearly to [0, 1], and clip."""
    return float(np.clip((value - zero) / (one - zero), 0.0, 1.0))


def druglikeness(molecule: Chem.Mol) -> float:
    """Return the quantitative estimate of druglikeness (Bickerton et al., 2012)."""
    return QED.qed(molecule)


def solubility(molecule: Chem.Mol) -> float:
    """Return the rescaled octanol-water partition coefficient logP (Wildman and Crippen, 1999)."""
    return rescale(rdMolDescriptors.CalcCrippenDescriptors(molecule)[0], *LOG_P)


def synthesisability(molecule: Chem.Mol) -> float:
    """Return the rescaled synthetic accessibility score (Ertl and Schuffenhauer, 2009)."""
    return rescale(sascorer.calculateScore(molecule), *SYNTHETIC_ACCESSIBILITY)


def validity(molecule: Chem.Mol) -> float:
    """Return 1: only valid molecules are scored."""
    return 1.0


SCORES: dict[str, Callable[[Chem.Mol], float]] = {
    "validity": validity,
    "druglikeness": druglikeness,
    "solubility": solubility,
    "synthesisability": synthesisability,
}


class Reward:
    """The reward of molecules, from 0 to 1: the product of the objectives, and 0 for an invalid molecule.

    Args:
        objectives: Names from `config.OBJECTIVES`: those in `SCORES`, and "uniqueness", "novelty", "diversity".
        data_smiles: The canonical SMILES of the data, for novelty and diversity.
    """

    def __init__(self, objectives: Sequence[str], data_smiles: Sequence[str] = ()) -> None:
        self.objectives, self.data_smiles = tuple(objectives), set(data_smiles)
        self.fingerprints = rdFingerprintGenerator.GetMorganGenerator(radius=4, fpSize=2048)
        step = max(1, len(data_smiles) // DIVERSITY_SAMPLE)
        sample = data_smiles[::step] if "diversity" in objectives else ()
        self.data_fingerprints = [self.fingerprints.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in sample]
        self._scores: dict[str, float] = {}  # a generator repeats itself: each molecule is scored once

    def __call__(self, molecules: Molecules) -> np.ndarray:
        """Return the rewards of molecules.

        Args:
            molecules: M molecules; None is an invalid one.

        Returns:
            `(M, 1)`, float32.
        """
        smiles = [to_smiles(molecule) for molecule in molecules]
        counts = Counter(smiles)
        rewards = [
            self._score(name, molecule) * self._score_in_context(name, molecule, counts[name]) if molecule else 0.0
            for name, molecule in zip(smiles, molecules, strict=True)
        ]
        return np.array(rewards, np.float32)[:, None]

    def _score(self, smiles: str, molecule: Chem.Mol) -> float:
        """Return the product of the objectives that depend on the molecule alone."""
        if smiles not in self._scores:
            functions = [SCORES[name] for name in self.objectives if name in SCORES]
            self._scores[smiles] = float(np.prod([function(molecule) for function in functions]))
        return self._scores[smiles]

    def _score_in_context(self, smiles: str, molecule: Chem.Mol, count: int) -> float:
        """Return the product of the objectives that compare the molecule with others: of this call, or of the data."""
        score = 1.0
        if "uniqueness" in self.objectives:
            score /= count
        if "novelty" in self.objectives:
            score *= smiles not in self.data_smiles
        if "diversity" in self.objectives:
            fingerprint = self.fingerprints.GetFingerprint(molecule)
            score *= 1.0 - float(np.mean(DataStructs.BulkTanimotoSimilarity(fingerprint, self.data_fingerprints)))
        return score
