"""The generator makes symmetric graphs, and the order of a graph's atoms does not matter to the other networks."""

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg.molgan.networks import GatedAggregation, Generator, GraphNetwork, RelationalGraphConvolution


def random_graphs(count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    atoms = rng.dirichlet(np.ones(5), (count, 9)).astype(np.float32)
    bonds = rng.dirichlet(np.ones(4), (count, 9, 9)).astype(np.float32)
    return atoms, (bonds + bonds.swapaxes(1, 2)) / 2


def test_a_bond_is_the_same_from_both_atoms_and_no_atom_has_one_to_itself():
    atoms, bonds = Generator()(tf.random.stateless_normal([4, 32], [0, 0]))
    assert atoms.shape == (4, 9, 5) and bonds.shape == (4, 9, 9, 4)
    np.testing.assert_array_equal(bonds, tf.transpose(bonds, (0, 2, 1, 3)))
    assert (np.argmax(bonds, axis=-1)[:, range(9), range(9)] == 0).all()


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_the_order_of_the_atoms_does_not_matter(activation):
    atoms, bonds = random_graphs()
    order = np.random.default_rng(1).permutation(9)
    network = GraphNetwork(activation)
    shuffled = network(atoms[:, order], bonds[:, order][:, :, order])
    np.testing.assert_allclose(network(atoms, bonds), shuffled, atol=1e-6)


def test_the_reward_network_has_a_sigmoid_and_shares_no_weights_with_the_discriminator():
    atoms, bonds = random_graphs()
    reward_network, discriminator = GraphNetwork("sigmoid", seed=1), GraphNetwork(None, seed=2)
    rewards = reward_network(100 * atoms, bonds)
    discriminator(atoms, bonds)
    assert (rewards.numpy() > 0).all() and (rewards.numpy() < 1).all()
    assert not {id(v) for v in reward_network.variables} & {id(v) for v in discriminator.variables}
    for one, other in zip(reward_network.variables, discriminator.variables, strict=True):
        assert one.shape == other.shape


def test_the_probability_of_no_bond_carries_no_message():
    atoms, _ = random_graphs(1)
    no_bonds, half = np.zeros((1, 9, 9, 4), np.float32), np.zeros((1, 9, 9, 4), np.float32)
    half[..., 0] = 0.5
    network = GraphNetwork()
    np.testing.assert_array_equal(network(atoms, no_bonds), network(atoms, half))


def test_each_type_of_bond_has_its_own_weights():
    """Two atoms with one number each, joined by a triple bond; the neighbor's weight is that of triple bonds."""
    layer = RelationalGraphConvolution(1)
    h, bonds = np.array([[[1.0], [10.0]]], np.float32), np.zeros((1, 2, 2, 3), np.float32)
    bonds[0, 0, 1, 2] = bonds[0, 1, 0, 2] = 1.0  # triple
    layer(h, bonds)
    layer.self_weights.set_weights([np.array([[0.1]]), np.array([0.01])])
    layer.neighbor_weights.set_weights([np.array([[5.0, 6.0, 0.02]]), np.zeros(3)])
    np.testing.assert_allclose(layer(h, bonds)[0, :, 0], np.tanh([0.1 + 0.01 + 0.2, 1.0 + 0.01 + 0.02]), rtol=1e-6)


def test_the_gate_weights_the_atoms_before_they_are_summed():
    layer = GatedAggregation(1)
    atoms = np.array([[[1.0], [-1.0]]], np.float32)
    layer(atoms)
    layer.gate.set_weights([np.array([[2.0]]), np.zeros(1)])
    layer.content.set_weights([np.array([[0.5]]), np.zeros(1)])
    gates, contents = 1 / (1 + np.exp([-2.0, 2.0])), np.tanh([0.5, -0.5])
    np.testing.assert_allclose(layer(atoms), [[np.tanh((gates * contents).sum())]], rtol=1e-6)
