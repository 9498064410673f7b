"""The two layers that read a graph: relational convolution, and gated aggregation (MolGAN paper, section 3.2)."""

from keras import initializers, layers, ops


class RelationalGraphConvolution(layers.Layer):
    """Each atom hears its neighbours, through weights of its own for each kind of bond.

    h'ᵢ = tanh(f(hᵢ) + Σⱼ Σ_y Aᵢⱼ_y f_y(hⱼ)), where y is single, double or triple (as in the authors' code: the paper
    divides the sum by the number of neighbours).

    Args:
        units: Numbers in each h'ᵢ.
        seed: Seed of the initial weights.
        kinds: How many kinds of bond there are.
    """

    def __init__(self, units: int, seed: int = 0, kinds: int = 3) -> None:
        super().__init__(name=f"convolution_{seed}")
        self.units, self.kinds = units, kinds
        self.own = dense(units, seed)
        self.heard = dense(units * kinds, seed + 1)

    def build(self, atoms_shape, bonds_shape) -> None:
        """Make the weights."""
        self.own.build(atoms_shape)
        self.heard.build(atoms_shape)

    def call(self, atoms, bonds):
        """Return h' `(B, N, units)` for h `(B, N, F)` and `bonds (B, N, N, kinds)`."""
        count = atoms.shape[1]
        messages = ops.reshape(self.heard(atoms), (-1, count * self.kinds, self.units))  # (B, N kinds, units)
        ways = ops.reshape(bonds, (-1, count, count * self.kinds))  # (B, N, N kinds)
        return ops.tanh(self.own(atoms) + ops.matmul(ways, messages))


class GatedAggregation(layers.Layer):
    """One vector for a whole graph: tanh(Σᵢ σ(i(hᵢ)) ⊙ tanh(j(hᵢ))).

    Args:
        units: Numbers in the vector.
        seed: Seed of the initial weights.
    """

    def __init__(self, units: int, seed: int = 0) -> None:
        super().__init__(name=f"aggregation_{seed}")
        self.gate = dense(units, seed, "sigmoid")
        self.content = dense(units, seed + 1, "tanh")

    def build(self, atoms_shape) -> None:
        """Make the weights."""
        self.gate.build(atoms_shape)
        self.content.build(atoms_shape)

    def call(self, atoms):
        """Return `(B, units)` for h `(B, N, F)`."""
        return ops.tanh(ops.sum(self.gate(atoms) * self.content(atoms), axis=1))


def dense(units: int, seed: int, activation: str | None = None) -> layers.Dense:
    """Return a dense layer with its initial weights drawn from a seed, and a name that is the same in every process."""
    initializer = initializers.GlorotUniform(seed=seed)
    return layers.Dense(units, activation, kernel_initializer=initializer, name=f"dense_{seed}")
