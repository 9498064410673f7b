"""What RDKit says of molecules, as numbers from 0 to 1: the external software that the reward network learns from."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rdkit import Chem, DataStructs, RDConfig
from rdkit.Chem import QED, rdFingerprintGenerator, rdMolDescriptors

from ddpg.molgan.molecules import to_smiles

sys.path.append(str(Path(RDConfig.RDContribDir, "SA_Score")))
import sascorer

Molecules = Sequence[Chem.Mol | None]
# The ends of the scales, MolGAN's own: logP of the 1st and 99th percentile of its data, and synthetic accessibility
# scores, where less is easier.
LOG_P = (-2.12178879609, 6.0429063424)
SYNTHETIC_ACCESSIBILITY = (5.0, 1.5)
SAMPLED_FOR_DIVERSITY = 100


def rescaled(value: float, zero: float, one: float) -> float:
    """Map the interval from `zero` to `one` onto 0 to 1, and what lies outside onto its ends."""
    return float(np.clip((value - zero) / (one - zero), 0.0, 1.0))


def druglikeness(molecule: Chem.Mol) -> float:
    """Return the quantitative estimate of druglikeness (Bickerton et al., 2012)."""
    return QED.qed(molecule)


def solubility(molecule: Chem.Mol) -> float:
    """Return the normalised octanol-water partition coefficient logP (Wildman and Crippen, 1999)."""
    return rescaled(rdMolDescriptors.CalcCrippenDescriptors(molecule)[0], *LOG_P)


def synthesisability(molecule: Chem.Mol) -> float:
    """Return the normalised synthetic accessibility score (Ertl and Schuffenhauer, 2009)."""
    return rescaled(sascorer.calculateScore(molecule), *SYNTHETIC_ACCESSIBILITY)


def validity(molecule: Chem.Mol) -> float:
    """Return 1: only valid molecules are asked."""
    return 1.0


EACH: dict[str, Callable[[Chem.Mol], float]] = {
    "validity": validity,
    "druglikeness": druglikeness,
    "solubility": solubility,
    "synthesisability": synthesisability,
}


class Reward:
    """The score of molecules, each from 0 to 1, as a product of objectives; an invalid molecule scores 0.

    Args:
        objectives: Names out of `config.OBJECTIVES`: those above, and "uniqueness", "novelty", "diversity".
        known: The canonical SMILES of the data, for novelty and diversity.
    """

    def __init__(self, objectives: Sequence[str], known: Sequence[str] = ()) -> None:
        self.objectives, self.known = tuple(objectives), set(known)
        self.fingerprints = rdFingerprintGenerator.GetMorganGenerator(radius=4, fpSize=2048)
        step = max(1, len(known) // SAMPLED_FOR_DIVERSITY)
        wanted = known[::step] if "diversity" in objectives else ()
        self.sampled = [self.fingerprints.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in wanted]
        self._scores: dict[str, float] = {}  # what a generator makes, it makes often

    def __call__(self, molecules: Molecules) -> np.ndarray:
        """Return the scores `(M, 1)` float32 of M molecules, None standing for an invalid one."""
        smiles = [to_smiles(molecule) for molecule in molecules]
        counts = Counter(smiles)
        scores = [
            self._alone(name, molecule) * self._together(name, molecule, counts[name]) if molecule else 0.0
            for name, molecule in zip(smiles, molecules, strict=True)
        ]
        return np.array(scores, np.float32)[:, None]

    def _alone(self, smiles: str, molecule: Chem.Mol) -> float:
        """Return the product of the objectives that a molecule meets by itself."""
        if smiles not in self._scores:
            functions = [EACH[name] for name in self.objectives if name in EACH]
            self._scores[smiles] = float(np.prod([function(molecule) for function in functions]))
        return self._scores[smiles]

    def _together(self, smiles: str, molecule: Chem.Mol, count: int) -> float:
        """Return the product of those that depend on the other molecules: these, or the data's."""
        score = 1.0
        if "uniqueness" in self.objectives:
            score /= count
        if "novelty" in self.objectives:
            score *= smiles not in self.known
        if "diversity" in self.objectives:
            fingerprint = self.fingerprints.GetFingerprint(molecule)
            score *= 1.0 - float(np.mean(DataStructs.BulkTanimotoSimilarity(fingerprint, self.sampled)))
        return score
