"""Molecules to graphs and back, and what counts as one."""

import numpy as np
import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg.molgan.evaluation import measure  # noqa: E402
from ddpg.molgan.molecules import (  # noqa: E402
    ATOMS,
    VALENCES,
    Graphs,
    Unusable,
    to_graph,
    to_molecule,
    to_molecule_as_molgan_counts,
    to_molecules,
    to_smiles,
)
from ddpg.molgan.rewards import Reward  # noqa: E402
from ddpg.molgan.sampling import sample  # noqa: E402

NONE, SINGLE, DOUBLE, TRIPLE = range(4)


def graph_of(symbols: str, *bonds: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A graph by hand: one letter per place, padded to nine, and (place, place, kind)."""
    atoms = np.array([ATOMS.index(symbol) for symbol in symbols.ljust(9, "*")], np.uint8)
    matrix = np.zeros((9, 9), np.uint8)
    for one, other, kind in bonds:
        matrix[one, other] = matrix[other, one] = kind
    return atoms, matrix


@pytest.mark.parametrize("smiles", ["C", "CC(=O)N", "c1ccccc1", "N#CC(CO)NC1CC1", "O=c1cc[nH]cn1", "OC(F)(F)F"])
def test_a_molecule_survives_the_way_to_a_graph_and_back(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    assert to_smiles(to_molecule(*to_graph(molecule))) == Chem.MolToSmiles(molecule)


def test_benzene_is_kekulised():
    """There is no aromatic bond: the generator would have to invent whole aromatic rings at once."""
    _, bonds = to_graph(Chem.MolFromSmiles("c1ccccc1"))
    assert sorted(bonds[np.triu_indices(9)])[-6:] == [SINGLE] * 3 + [DOUBLE] * 3


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("CCCCCCCCCC", "more than 9"),
        ("", "no heavy atom"),
        ("CCl", "atoms other than"),
        ("C[NH3+]", "charges"),
        ("[CH3]", "radicals"),
        ("C.C", "fragments"),
    ],
)
def test_what_has_no_graph_is_named(smiles, reason):
    with pytest.raises(Unusable, match=reason):
        to_graph(Chem.MolFromSmiles(smiles))


@pytest.mark.parametrize(
    ("graph", "strict", "molgan"),
    [
        (graph_of("CO", (0, 1, SINGLE)), "CO", True),
        (graph_of("C*O", (0, 2, DOUBLE)), "C=O", True),  # padding in between is nothing
        (graph_of("CO"), "", True),  # two fragments
        (graph_of("CO", (0, 1, TRIPLE)), "", False),  # oxygen has two bonds to give
        (graph_of("C", (0, 1, SINGLE)), "", True),  # a bond to padding
        (graph_of(""), "", True),  # no atom at all
    ],
)
def test_the_strict_count_and_molgans_own(graph, strict, molgan):
    assert to_smiles(to_molecule(*graph)) == strict
    assert (to_molecule_as_molgan_counts(*graph) is not None) is molgan


def test_the_figures_of_four_graphs_counted_by_hand():
    carbonate = graph_of("OC*O", (0, 1, SINGLE), (1, 3, DOUBLE))
    graphs = [graph_of("CO", (0, 1, SINGLE))] * 2 + [carbonate, graph_of("CO")]  # methanol twice, an acid, two pieces
    figures = measure(Graphs(*map(np.stack, zip(*graphs, strict=True))), {"CO"}, {"points": Reward(["validity"])})
    assert figures == {
        "valid": 3 / 4,
        "unique": 2 / 3,
        "novel": 1 / 3,
        "molgan_valid": 1.0,
        "molgan_unique": 3 / 4,
        "molgan_novel": 1.0,  # with their padding, none is in the data
        "points": 1.0,
    }


def test_sampling_takes_the_likeliest_graph_where_its_valences_allow_it():
    atoms, bonds = to_graph(Chem.MolFromSmiles("N#CC(CO)NC1CC1"))
    logits = np.eye(5)[atoms][None], np.eye(4)[bonds][None]
    graphs = sample(*logits, np.random.default_rng(0))
    assert (graphs.atoms[0] == atoms).all() and (graphs.bonds[0] == bonds).all()


def test_sampling_keeps_valences_the_surest_bonds_first():
    atoms, _ = graph_of("OCC")
    bonds = np.zeros((9, 9, 4))
    bonds[..., NONE] = 1.0
    for one, other, kind, logit in ((0, 1, DOUBLE, 3.0), (0, 2, SINGLE, 2.0), (1, 2, TRIPLE, 2.5)):
        bonds[one, other, kind] = bonds[other, one, kind] = logit
    (graph,) = sample(np.eye(5)[atoms][None], bonds[None], np.random.default_rng(0)).bonds
    # The oxygen has spent its two; the carbon has two of its four left, too few for a triple bond; one joins them.
    assert (graph[0, 1], graph[0, 2], graph[1, 2]) == (DOUBLE, NONE, SINGLE)


def logits_of(graph, *likely) -> tuple[np.ndarray, np.ndarray]:
    """Return logits for one graph's atoms, with no bond but those that are said to be likely."""
    bonds = np.zeros((9, 9, 4))
    bonds[..., NONE] = 5.0
    for one, other, kind, logit in likely:
        bonds[one, other, kind] = bonds[other, one, kind] = logit
    return np.eye(5)[graph[0]][None], bonds[None]


def test_pieces_are_joined_by_the_likeliest_bond_that_there_is_room_for():
    # Two pieces, C-O and N=C; O-N would be likeliest, but the oxygen has no room left beside its double bond.
    logits = logits_of(
        graph_of("CONC"), (0, 1, DOUBLE, 9.0), (2, 3, DOUBLE, 9.0), (1, 2, SINGLE, 4.0), (0, 3, SINGLE, 2.0)
    )
    (molecule,) = to_molecules(sample(*logits, np.random.default_rng(0)))
    assert to_smiles(molecule) == Chem.CanonSmiles("O=CC=N")


def test_what_cannot_be_joined_is_left_away():
    logits = logits_of(graph_of("OCOF"), (0, 1, DOUBLE, 9.0), (1, 2, DOUBLE, 9.0))
    graphs = sample(*logits, np.random.default_rng(0))
    assert to_smiles(to_molecules(graphs)[0]) == "O=C=O"
    assert graphs.atoms[0].tolist() == [3, 1, 3, 0, 0, 0, 0, 0, 0]  # the fluorine is gone


def test_every_random_graph_is_one_molecule():
    random = np.random.default_rng(1)
    bonds = random.normal(size=(200, 9, 9, 4))
    graphs = sample(random.normal(size=(200, 9, 5)), bonds + bonds.swapaxes(1, 2), random, noise=1.0)
    assert None not in to_molecules(graphs)
    assert (graphs.bonds == graphs.bonds.swapaxes(1, 2)).all()
    assert (graphs.bonds.sum(axis=2) <= VALENCES[graphs.atoms]).all()
    assert (graphs.bonds.any(axis=2) <= (graphs.atoms > 0)).all()
