"""MolGAN's networks: the generator (the actor), and the graph network (the discriminator; the critic with a sigmoid).

The sizes are those of the authors' code.
"""

from itertools import count

import keras
import numpy as np
from keras import layers, ops

from ddpg.molgan.chemistry.molecules import ATOMS, BONDS, MAX_ATOMS

# Added to the bond logits (9, 9, 4): on the diagonal, "no bond" always wins.
NO_SELF_BONDS = np.where(np.eye(MAX_ATOMS)[:, :, None] * np.arange(len(BONDS)), -1e4, 0.0).astype(np.float32)


class Generator(keras.Model):
    """The policy: maps z ~ N(0, I) to a graph, which is one action and a whole episode.

    Args:
        hidden_units: Units of the tanh layers.
        seed: Seed of the initial weights.
    """

    def __init__(self, hidden_units: tuple[int, ...] = (128, 256, 512), seed: int = 0, name: str = "generator") -> None:
        super().__init__(name=name)
        seeds = count(seed)
        self.hidden = [dense(units, next(seeds), "tanh") for units in hidden_units]
        self.atom_logits = dense(MAX_ATOMS * len(ATOMS), next(seeds))
        self.bond_logits = dense(MAX_ATOMS * MAX_ATOMS * len(BONDS), next(seeds))

    def call(self, z):
        """Return the logits of a graph.

        Args:
            z: `(N, latent_size)`.

        Returns:
            Logits of the atoms `(N, 9, 5)` and of the bonds `(N, 9, 9, 4)`; the bonds i-j and j-i have the same.
        """
        for layer in self.hidden:
            z = layer(z)
        atoms = ops.reshape(self.atom_logits(z), (-1, MAX_ATOMS, len(ATOMS)))
        bonds = ops.reshape(self.bond_logits(z), (-1, MAX_ATOMS, MAX_ATOMS, len(BONDS)))
        return atoms, (bonds + ops.transpose(bonds, (0, 2, 1, 3))) / 2 + NO_SELF_BONDS


class GraphNetwork(keras.Model):
    """Maps a graph to one number: a discriminator, or with a sigmoid output a reward network.

    Args:
        activation: Of the output: None for the discriminator, "sigmoid" for rewards from 0 to 1.
        convolution_units: Units of the relational graph convolutions.
        aggregation_units: Units of the vector that represents the graph.
        hidden_units: Units of the tanh layers after it.
        seed: Seed of the initial weights.
    """

    def __init__(
        self,
        activation: str | None = None,
        convolution_units: tuple[int, ...] = (128, 64),
        aggregation_units: int = 128,
        hidden_units: tuple[int, ...] = (128, 64),
        seed: int = 0,
        name: str = "discriminator",
    ) -> None:
        super().__init__(name=name)
        seeds = count(seed, step=2)  # a graph layer holds two dense layers
        self.convolutions = [RelationalGraphConvolution(units, next(seeds)) for units in convolution_units]
        self.aggregation = GatedAggregation(aggregation_units, next(seeds))
        self.hidden = [dense(units, next(seeds), "tanh") for units in hidden_units]
        self.score = dense(1, next(seeds), activation)

    def features(self, atoms, bonds):
        """Return φ, the input of the last layer, `(N, 64)`.

        Args:
            atoms: `(N, 9, 5)`.
            bonds: `(N, 9, 9, 4)`.
        """
        h = atoms
        for convolution in self.convolutions:
            h = convolution(h, bonds[..., 1:])  # "no bond" carries no message
            h = ops.concatenate([h, atoms], axis=-1)  # (N, 9, units + 5)
        h = self.aggregation(h)  # (N, 128)
        for layer in self.hidden:
            h = layer(h)
        return h

    def call(self, atoms, bonds):
        """Return the score `(N, 1)` of graphs with atoms `(N, 9, 5)` and bonds `(N, 9, 9, 4)`."""
        return self.score(self.features(atoms, bonds))


class RelationalGraphConvolution(layers.Layer):
    """A graph convolution with separate weights for each type of bond (MolGAN paper, section 3.2).

    h'ᵢ = tanh(f(hᵢ) + Σⱼ Σ_y Aᵢⱼ_y f_y(hⱼ)), where y is single, double or triple. As in the authors' code, the sum is
    not divided by the number of neighbors, as it is in the paper.

    Args:
        units: Numbers in each h'ᵢ.
        seed: Seed of the initial weights.
        bond_types: Number of types y.
    """

    def __init__(self, units: int, seed: int = 0, bond_types: int = 3) -> None:
        super().__init__(name=f"convolution_{seed}")
        self.units, self.bond_types = units, bond_types
        self.self_weights = dense(units, seed)
        self.neighbor_weights = dense(units * bond_types, seed + 1)

    def build(self, atoms_shape, bonds_shape) -> None:
        """Create the weights."""
        self.self_weights.build(atoms_shape)
        self.neighbor_weights.build(atoms_shape)

    def call(self, atoms, bonds):
        """Return h' `(N, N, units)` for h `(N, N, F)` and bonds A `(N, N, N, bond_types)`."""
        n = atoms.shape[1]
        messages = ops.reshape(
            self.neighbor_weights(atoms), (-1, n * self.bond_types, self.units)
        )  # (N, n types, units)
        adjacency = ops.reshape(bonds, (-1, n, n * self.bond_types))  # (N, n, n types)
        return ops.tanh(self.self_weights(atoms) + ops.matmul(adjacency, messages))


class GatedAggregation(layers.Layer):
    """One vector for a whole graph: tanh(Σᵢ σ(i(hᵢ)) ⊙ tanh(j(hᵢ))) (MolGAN paper, section 3.2).

    Args:
        units: Numbers in the vector.
        seed: Seed of the initial weights.
    """

    def __init__(self, units: int, seed: int = 0) -> None:
        super().__init__(name=f"aggregation_{seed}")
        self.gate = dense(units, seed, "sigmoid")
        self.content = dense(units, seed + 1, "tanh")

    def build(self, atoms_shape) -> None:
        """Create the weights."""
        self.gate.build(atoms_shape)
        self.content.build(atoms_shape)

    def call(self, atoms):
        """Return the vectors `(N, units)` for h `(N, N, F)`."""
        return ops.tanh(ops.sum(self.gate(atoms) * self.content(atoms), axis=1))


def dense(units: int, seed: int, activation: str | None = None) -> layers.Dense:
    """Return a dense layer whose initial weights and name depend on the seed alone."""
    glorot = keras.initializers.GlorotUniform(seed=seed)
    return layers.Dense(units, activation, kernel_initializer=glorot, name=f"dense_{seed}")
