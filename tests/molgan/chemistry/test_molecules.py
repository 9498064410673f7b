"""Molecules to graphs and back, and which graphs count as molecules."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from rdkit import Chem

from ddpg.molgan.chemistry.molecules import UnusableMolecule, to_graph, to_molecule, to_molecule_leniently, to_smiles
from tests.helpers.molgan import DOUBLE, SINGLE, TRIPLE, graph_of


@pytest.mark.parametrize("smiles", ["C", "CC(=O)N", "c1ccccc1", "N#CC(CO)NC1CC1", "O=c1cc[nH]cn1", "OC(F)(F)F"])
def test_a_molecule_is_the_same_after_the_way_to_a_graph_and_back(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    assert to_smiles(to_molecule(*to_graph(molecule))) == Chem.MolToSmiles(molecule)


def test_benzene_has_single_and_double_bonds():
    """With aromatic bonds, the generator would have to make whole aromatic rings at once."""
    _, bonds = to_graph(Chem.MolFromSmiles("c1ccccc1"))
    assert sorted(bonds[np.triu_indices(9)])[-6:] == [SINGLE] * 3 + [DOUBLE] * 3


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("CCCCCCCCCC", "with no heavy atom or more than 9"),
        ("", "with no heavy atom or more than 9"),
        ("CCl", "with atoms other than C, N, O, F"),
        ("C[NH3+]", "with charges"),
        ("[CH3]", "with radicals"),
        ("[CH2][NH2+]C", "with charges"),  # the first reason counts
        ("C.C", "of several fragments"),
    ],
)
def test_a_molecule_without_a_graph_is_refused_with_its_reason(smiles, reason):
    with pytest.raises(UnusableMolecule) as caught:
        to_graph(Chem.MolFromSmiles(smiles))
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("graph", "strict", "lenient"),
    [
        (graph_of("CO", (0, 1, SINGLE)), "CO", True),
        (graph_of("C*O", (0, 2, DOUBLE)), "C=O", True),  # padding between the atoms does not matter
        (graph_of("CO"), "", True),  # two fragments
        (graph_of("CO", (0, 1, TRIPLE)), "", False),  # oxygen has two bonds at most
        (graph_of("C", (0, 1, SINGLE)), "", True),  # a bond to padding
        (graph_of(""), "", True),  # no atom at all
    ],
)
def test_fragments_and_bonds_to_padding_are_valid_by_the_lenient_count_alone(graph, strict, lenient):
    assert to_smiles(to_molecule(*graph)) == strict
    assert (to_molecule_leniently(*graph) is not None) is lenient
