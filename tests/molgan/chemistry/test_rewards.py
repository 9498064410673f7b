"""What molecules score."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from rdkit import Chem

from ddpg.molgan.chemistry.rewards import Reward
from ddpg.molgan.config import OBJECTIVES
from tests.molgan.chemistry.test_dataset import QM9


@pytest.mark.slow
@pytest.mark.skipif(not QM9.exists(), reason="needs ../shared/data/qm9_5k.smi")
def test_the_scales_are_those_of_the_authors():
    """The data's means are known: with another scale, no result could be compared."""
    molecules = [Chem.MolFromSmiles(smiles) for smiles in QM9.read_text().split()[::5]]
    for objective, mean in (("druglikeness", 0.468), ("solubility", 0.298), ("synthesisability", 0.232)):
        assert float(Reward([objective])(molecules).mean()) == pytest.approx(mean, abs=0.005)


@pytest.mark.parametrize(
    ("objective", "smiles", "score"),
    [
        ("solubility", "CCCCCCCCC", (3.757 + 2.122) / (6.043 + 2.122)),  # of its logP on the authors' scale
        ("solubility", "CCO", (-0.001 + 2.122) / (6.043 + 2.122)),
        ("synthesisability", "CCO", (5.0 - 1.980) / (5.0 - 1.5)),  # a lower score means easier to make
        ("synthesisability", "OC1CC2CC1C2=O", (5.0 - 4.766) / (5.0 - 1.5)),
        ("synthesisability", "c1ccccc1", 1.0),  # beyond the end of the scale
        ("druglikeness", "c1ccccc1", 0.443),
    ],
)
def test_a_score_is_rdkits_number_on_the_authors_scale(objective, smiles, score):
    assert float(Reward([objective])([Chem.MolFromSmiles(smiles)])[0, 0]) == pytest.approx(score, abs=1e-3)


def test_rewards_lie_between_0_and_1_and_are_multiplied():
    molecules = [Chem.MolFromSmiles(smiles) for smiles in ("CCO", "CCO", "c1ccccc1F")] + [None]
    data = ["CCO", "CCN"]
    single = {name: Reward([name], data)(molecules) for name in OBJECTIVES}
    for name, scores in single.items():
        assert scores.shape == (4, 1) and scores.dtype == np.float32, name
        assert (scores >= 0).all() and (scores <= 1).all(), name
        assert scores[3] == 0, name  # None is invalid
    assert single["validity"][:3, 0].tolist() == [1.0, 1.0, 1.0]
    assert single["uniqueness"][:3, 0].tolist() == [0.5, 0.5, 1.0]
    assert single["novelty"][:3, 0].tolist() == [0.0, 0.0, 1.0]
    assert single["diversity"][0] < single["diversity"][2]
    for one, other in (("solubility", "uniqueness"), ("solubility", "druglikeness")):
        np.testing.assert_allclose(Reward([one, other], data)(molecules), single[one] * single[other], rtol=1e-6)


def test_a_molecule_scores_the_same_the_second_time():
    """Scores are cached by SMILES; those that depend on the other molecules must not be."""
    reward = Reward(["solubility", "uniqueness"])
    molecule, other = Chem.MolFromSmiles("CCO"), Chem.MolFromSmiles("CCN")
    first = reward([molecule, other])
    np.testing.assert_array_equal(reward([molecule, molecule]), [first[0] / 2] * 2)
    np.testing.assert_array_equal(reward([molecule, other]), first)
