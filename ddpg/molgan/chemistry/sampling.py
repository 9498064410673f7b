"""From the generator's logits to graphs: the likeliest ones, or samples whose valences hold and that are connected.

A sampled graph is one valid molecule by construction, with one exception: if all nine atoms are padding, the graph is
empty, and an empty graph is not valid.
"""

import numpy as np

from ddpg.molgan.chemistry.molecules import MAX_ATOMS, VALENCES, Graphs

PAIRS = np.array(np.triu_indices(MAX_ATOMS, 1)).T  # (36, 2)


def sample(atom_logits: np.ndarray, bond_logits: np.ndarray, rng: np.random.Generator, noise: float = 0.0) -> Graphs:
    """Return one sampled graph per row of logits.

    Atoms are chosen first. Then bonds are chosen, in the order of the generator's confidence, each as high as the free
    valences of its two atoms allow. Then the likeliest single bonds connect the fragments. A fragment that no bond can
    connect is removed: only the largest one stays. A graph whose likeliest atoms and bonds form one molecule is
    returned as it is.

    Args:
        atom_logits: `(N, 9, 5)`.
        bond_logits: `(N, 9, 9, 4)`.
        rng: Draws the Gumbel noise.
        noise: Scale of the noise: 0 takes the likeliest atoms and bonds, 1 samples from the generator's distribution.

    Returns:
        N graphs; each is one valid molecule, or empty if all its atoms are padding.
    """
    atoms = np.argmax(atom_logits + noise * rng.gumbel(size=atom_logits.shape), axis=-1)
    scores = bond_logits[:, PAIRS[:, 0], PAIRS[:, 1]]  # (N, 36, 4)
    scores = scores + noise * rng.gumbel(size=scores.shape)
    graphs = PartialGraphs(atoms)
    for pair in np.argsort(scores[..., 0] - scores[..., 1:].max(axis=-1), axis=1, kind="stable").T:
        graphs.add_best_bond(pair, scores)
    for pair in np.argsort(scores[..., 0] - scores[..., 1], axis=1, kind="stable").T:
        graphs.connect(pair)
    return graphs.largest_fragments()


def likeliest(atom_logits: np.ndarray, bond_logits: np.ndarray) -> Graphs:
    """Return the likeliest atom and bond at each position, valid or not: the graphs that are scored in training.

    Args:
        atom_logits: `(N, 9, 5)`.
        bond_logits: `(N, 9, 9, 4)`.
    """
    return Graphs(np.argmax(atom_logits, axis=-1).astype(np.uint8), np.argmax(bond_logits, axis=-1).astype(np.uint8))


class PartialGraphs:
    """N graphs that receive their bonds one pair of atoms at a time, each graph in its own order.

    A `pair (N,)` holds one index into `PAIRS` for each graph.

    Args:
        atoms: `(N, 9)`, indices into `ATOMS`.
    """

    def __init__(self, atoms: np.ndarray) -> None:
        self.rows = np.arange(len(atoms))
        self.atoms = atoms.astype(np.uint8)
        self.bonds = np.zeros((len(atoms), MAX_ATOMS, MAX_ATOMS), np.uint8)
        self.free_valences = VALENCES[atoms]  # (N, 9)
        self.fragment = np.tile(np.arange(MAX_ATOMS), (len(atoms), 1))  # (N, 9), equal numbers for connected atoms

    def add_best_bond(self, pair: np.ndarray, scores: np.ndarray) -> None:
        """Give each graph's pair the bond with the highest score that both free valences allow.

        Args:
            pair: `(N,)`.
            scores: `(N, 36, 4)`, of each bond type of each pair.
        """
        orders = np.arange(scores.shape[-1])
        allowed = np.where(orders <= self._max_order(pair)[:, None], scores[self.rows, pair], -np.inf)
        self._add(pair, np.argmax(allowed, axis=-1).astype(np.uint8))

    def connect(self, pair: np.ndarray) -> None:
        """Give each graph's pair a single bond, if it connects two fragments and both free valences allow it."""
        i, j = PAIRS[pair].T
        separate = self.fragment[self.rows, i] != self.fragment[self.rows, j]
        self._add(pair, (separate & (self._max_order(pair) > 0)).astype(np.uint8))

    def largest_fragments(self) -> Graphs:
        """Return the graphs, each reduced to its largest fragment; a graph without atoms stays empty."""
        is_atom = self.atoms > 0
        same_fragment = self.fragment[:, :, None] == self.fragment[:, None, :]
        sizes = (same_fragment & is_atom[:, None, :]).sum(axis=-1) * is_atom
        largest = self.fragment[self.rows, np.argmax(sizes, axis=-1)]
        kept = is_atom & (self.fragment == largest[:, None])
        return Graphs(self.atoms * kept, self.bonds * (kept[:, :, None] & kept[:, None, :]))

    def _max_order(self, pair: np.ndarray) -> np.ndarray:
        """Return the highest bond order `(N,)` that the free valences of each pair allow."""
        i, j = PAIRS[pair].T
        return np.minimum(self.free_valences[self.rows, i], self.free_valences[self.rows, j])

    def _add(self, pair: np.ndarray, order: np.ndarray) -> None:
        """Add a bond of this order `(N,)` to each pair; 0 adds none."""
        i, j = PAIRS[pair].T
        self.bonds[self.rows, i, j] += order
        self.bonds[self.rows, j, i] += order
        self.free_valences[self.rows, i] -= order
        self.free_valences[self.rows, j] -= order
        connected = (order > 0)[:, None] & (self.fragment == self.fragment[self.rows, j][:, None])
        self.fragment = np.where(connected, self.fragment[self.rows, i][:, None], self.fragment)
