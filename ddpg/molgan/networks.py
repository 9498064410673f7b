"""MolGAN's three networks: the generator, which is the actor, and two readers of graphs, one of which is the critic.

Sizes are those of the authors' code.
"""

from itertools import count

import keras
import numpy as np
from keras import ops

from ddpg.molgan.layers import GatedAggregation, RelationalGraphConvolution, dense
from ddpg.molgan.molecules import ATOMS, BONDS, MOST_ATOMS

# Added to the logits, it leaves the diagonal no choice but "no bond".
NO_SELF_BONDS = np.where(np.eye(MOST_ATOMS)[:, :, None] * np.arange(len(BONDS)), -1e4, 0.0).astype(np.float32)


class Generator(keras.Model):
    """The policy: from z ~ N(0, I) to a graph, one action and one whole episode.

    Args:
        hidden_units: Units of the tanh layers.
        seed: Seed of the initial weights.
    """

    def __init__(self, hidden_units: tuple[int, ...] = (128, 256, 512), seed: int = 0, name: str = "generator") -> None:
        super().__init__(name=name)
        seeds = count(seed)
        self.hidden = [dense(units, next(seeds), "tanh") for units in hidden_units]
        self.atom_logits = dense(MOST_ATOMS * len(ATOMS), next(seeds))
        self.bond_logits = dense(MOST_ATOMS * MOST_ATOMS * len(BONDS), next(seeds))

    def call(self, z):
        """Return the logits of atoms `(B, 9, 5)` and of bonds `(B, 9, 9, 4)`, the same for i-j and j-i."""
        for layer in self.hidden:
            z = layer(z)
        atoms = ops.reshape(self.atom_logits(z), (-1, MOST_ATOMS, len(ATOMS)))
        bonds = ops.reshape(self.bond_logits(z), (-1, MOST_ATOMS, MOST_ATOMS, len(BONDS)))
        return atoms, (bonds + ops.transpose(bonds, (0, 2, 1, 3))) / 2 + NO_SELF_BONDS


class GraphNetwork(keras.Model):
    """One number for a graph: a discriminator, or with a sigmoid output a reward network.

    Args:
        activation: Of the output: None for the discriminator, "sigmoid" for rewards from 0 to 1.
        convolutions: Units of the relational graph convolutions.
        aggregation: Units of the graph's vector.
        hidden_units: Units of the tanh layers after it.
        seed: Seed of the initial weights.
    """

    def __init__(
        self,
        activation: str | None = None,
        convolutions: tuple[int, ...] = (128, 64),
        aggregation: int = 128,
        hidden_units: tuple[int, ...] = (128, 64),
        seed: int = 0,
        name: str = "discriminator",
    ) -> None:
        super().__init__(name=name)
        seeds = count(seed, step=2)  # a layer for graphs holds two dense ones
        self.convolutions = [RelationalGraphConvolution(units, next(seeds)) for units in convolutions]
        self.aggregation = GatedAggregation(aggregation, next(seeds))
        self.hidden = [dense(units, next(seeds), "tanh") for units in hidden_units]
        self.score = dense(1, next(seeds), activation)

    def features(self, atoms, bonds):
        """Return what the last layer sees, `(B, 64)`, for atoms `(B, 9, 5)` and bonds `(B, 9, 9, 4)`."""
        h = atoms
        for convolution in self.convolutions:
            h = convolution(h, bonds[..., 1:])  # no bond carries no message
            h = ops.concatenate([h, atoms], axis=-1)
        h = self.aggregation(h)
        for layer in self.hidden:
            h = layer(h)
        return h

    def call(self, atoms, bonds):
        """Return the score `(B, 1)`."""
        return self.score(self.features(atoms, bonds))
