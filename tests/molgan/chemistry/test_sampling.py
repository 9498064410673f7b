"""Sampled graphs: valences, connections, and what happens to atoms that cannot be connected."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from rdkit import Chem

from ddpg.molgan.chemistry.molecules import VALENCES, to_graph, to_molecules, to_smiles
from ddpg.molgan.chemistry.sampling import likeliest, sample
from tests.helpers.molgan import DOUBLE, NONE, SINGLE, TRIPLE, graph_of


def logits_of(symbols: str, *bonds: tuple[int, int, int, float], no_bond: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of one graph: its atoms, and bonds as (atom, atom, order, logit); others get `no_bond`."""
    atoms, _ = graph_of(symbols)
    logits = np.zeros((9, 9, 4))
    logits[..., NONE] = no_bond
    for i, j, order, logit in bonds:
        logits[i, j, order] = logits[j, i, order] = logit
    return np.eye(5)[atoms][None], logits[None]


def sample_without_noise(*logits):
    return sample(*logits, np.random.default_rng(0))


def test_a_valid_graph_is_returned_as_it_is():
    atoms, bonds = to_graph(Chem.MolFromSmiles("N#CC(CO)NC1CC1"))
    graphs = sample_without_noise(np.eye(5)[atoms][None], np.eye(4)[bonds][None])
    assert (graphs.atoms[0] == atoms).all() and (graphs.bonds[0] == bonds).all()


def test_the_surest_bonds_come_first_and_valences_hold():
    (graph,) = sample_without_noise(
        *logits_of("OCC", (0, 1, SINGLE, 2.0), (0, 2, DOUBLE, 3.0), (1, 2, TRIPLE, 2.5), no_bond=1.0)
    ).bonds
    # The double bond comes first and uses up the oxygen's valences. The second carbon has two of four left, too few for
    # the triple bond, which is left out; then a single bond connects the two fragments.
    assert (graph[0, 1], graph[0, 2], graph[1, 2]) == (NONE, DOUBLE, SINGLE)


def test_fragments_are_connected_by_the_likeliest_bond_that_the_valences_allow():
    # Two fragments, C=O and N=C. O-N is the likeliest connection, but the oxygen has no valence left.
    logits = logits_of("CONC", (0, 1, DOUBLE, 9.0), (2, 3, DOUBLE, 9.0), (1, 2, SINGLE, 4.0), (0, 3, SINGLE, 2.0))
    (molecule,) = to_molecules(sample_without_noise(*logits))
    assert to_smiles(molecule) == Chem.CanonSmiles("O=CC=N")


def test_a_fragment_that_cannot_be_connected_is_removed():
    graphs = sample_without_noise(*logits_of("OCOF", (0, 1, DOUBLE, 9.0), (1, 2, DOUBLE, 9.0)))
    assert to_smiles(to_molecules(graphs)[0]) == "O=C=O"
    assert graphs.atoms[0].tolist() == [3, 1, 3, 0, 0, 0, 0, 0, 0]  # without the fluorine


def test_a_graph_of_padding_alone_is_empty_and_not_valid():
    """The exception to "valid by construction"."""
    graphs = sample_without_noise(*logits_of("", (0, 1, SINGLE, 9.0)))
    assert not graphs.atoms.any() and not graphs.bonds.any()
    assert to_molecules(graphs) == [None]


def test_every_other_random_graph_is_one_molecule():
    rng = np.random.default_rng(1)
    bonds = rng.normal(size=(200, 9, 9, 4))
    graphs = sample(rng.normal(size=(200, 9, 5)), bonds + bonds.swapaxes(1, 2), rng, noise=1.0)
    assert graphs.atoms.any(axis=1).all()
    assert None not in to_molecules(graphs)
    assert (graphs.bonds == graphs.bonds.swapaxes(1, 2)).all()
    assert (graphs.bonds.sum(axis=2) <= VALENCES[graphs.atoms]).all()
    assert (graphs.bonds.any(axis=2) <= (graphs.atoms > 0)).all()


def test_the_noise_samples_from_the_generators_distribution():
    """With scale 1 the Gumbel noise draws each atom with its softmax probability; with scale 0 it draws none."""
    logits = np.broadcast_to(np.log([0.1, 0.6, 0.2, 0.06, 0.04]), (4_000, 9, 5))
    no_bonds = np.zeros((4_000, 9, 9, 4))
    scores = logits + 1.0 * np.random.default_rng(0).gumbel(size=logits.shape)
    shares = np.bincount(np.argmax(scores, axis=-1).ravel(), minlength=5) / scores[..., 0].size
    np.testing.assert_allclose(shares, [0.1, 0.6, 0.2, 0.06, 0.04], atol=0.01)
    for noise in (0.0, 1.0):
        graphs = sample(logits, no_bonds, np.random.default_rng(0), noise)
        carbon = (graphs.atoms == 1).mean()
        assert carbon == 1.0 if noise == 0.0 else 0.55 < carbon < 0.7


def test_the_likeliest_graphs_are_not_repaired():
    atoms, bonds = logits_of("OC", (0, 1, TRIPLE, 9.0))
    graphs = likeliest(atoms, bonds)
    assert graphs.bonds[0, 0, 1] == TRIPLE and graphs.atoms[0].tolist() == [3, 1, 0, 0, 0, 0, 0, 0, 0]
    assert to_molecules(graphs) == [None]
