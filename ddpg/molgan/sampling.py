"""From the generator's logits to graphs: the likeliest, or random ones, that keep valences and are in one piece."""

import numpy as np

from ddpg.molgan.molecules import MOST_ATOMS, VALENCES, Graphs

PAIRS = np.array(np.triu_indices(MOST_ATOMS, 1)).T  # (36, 2)


def sample(atom_logits: np.ndarray, bond_logits: np.ndarray, random: np.random.Generator, noise: float = 0.0) -> Graphs:
    """Return one graph for each row of logits.

    Atoms are chosen first; then bonds, those first of which the generator is surest, each as far as the valences of its
    two atoms still allow; then the likeliest single bonds join what is still in pieces.  What no bond can join is left
    away, all but the largest piece.  A graph whose likeliest atoms and bonds make one molecule stays as it is.

    Args:
        atom_logits, bond_logits: `(B, 9, 5)` and `(B, 9, 9, 4)`.
        random: Where Gumbel noise is drawn from.
        noise: Its scale: 0 takes the likeliest atoms and bonds, 1 draws them with the generator's own probabilities.
    """
    atoms = np.argmax(atom_logits + noise * random.gumbel(size=atom_logits.shape), axis=-1)
    scores = bond_logits[:, PAIRS[:, 0], PAIRS[:, 1]]  # (B, 36, 4)
    scores = scores + noise * random.gumbel(size=scores.shape)
    growing = GrowingGraphs(atoms)
    for pair in np.argsort(scores[..., 0] - scores[..., 1:].max(axis=-1), axis=1, kind="stable").T:
        growing.bond(pair, scores)
    for pair in np.argsort(scores[..., 0] - scores[..., 1], axis=1, kind="stable").T:
        growing.join(pair)
    return growing.largest_pieces()


def likeliest(atom_logits: np.ndarray, bond_logits: np.ndarray) -> Graphs:
    """Return the likeliest atoms and bonds, valid together or not: what is scored while learning."""
    return Graphs(np.argmax(atom_logits, axis=-1).astype(np.uint8), np.argmax(bond_logits, axis=-1).astype(np.uint8))


class GrowingGraphs:
    """Graphs that get their bonds one pair of atoms after the other, each graph in an order of its own.

    Args:
        atoms: `(B, 9)`, numbers into `ATOMS`.
    """

    def __init__(self, atoms: np.ndarray) -> None:
        self.rows = np.arange(len(atoms))
        self.atoms = atoms.astype(np.uint8)
        self.bonds = np.zeros((len(atoms), MOST_ATOMS, MOST_ATOMS), np.uint8)
        self.room = VALENCES[atoms]  # (B, 9), bonds that each atom may still have
        self.piece = np.tile(np.arange(MOST_ATOMS), (len(atoms), 1))  # (B, 9), the same number for bonded atoms

    def bond(self, pair: np.ndarray, scores: np.ndarray) -> None:
        """Give one pair `(B,)` of each graph the best bond by its scores, `(B, 36, 4)`, that there is room for."""
        kinds = np.arange(scores.shape[-1])
        allowed = np.where(kinds <= self._room_between(pair)[:, None], scores[self.rows, pair], -np.inf)
        self._add(pair, np.argmax(allowed, axis=-1).astype(np.uint8))

    def join(self, pair: np.ndarray) -> None:
        """Give one pair `(B,)` of each graph a single bond, where it joins two pieces and there is room for it."""
        one, other = PAIRS[pair].T
        apart = self.piece[self.rows, one] != self.piece[self.rows, other]
        self._add(pair, (apart & (self._room_between(pair) > 0)).astype(np.uint8))

    def largest_pieces(self) -> Graphs:
        """Return the graphs, each without what is not bonded to its largest piece."""
        there = self.atoms > 0
        sizes = ((self.piece[:, :, None] == self.piece[:, None, :]) & there[:, None, :]).sum(axis=-1) * there
        largest = self.piece[self.rows, np.argmax(sizes, axis=-1)]
        kept = there & (self.piece == largest[:, None])
        return Graphs(self.atoms * kept, self.bonds * (kept[:, :, None] & kept[:, None, :]))

    def _room_between(self, pair: np.ndarray) -> np.ndarray:
        one, other = PAIRS[pair].T
        return np.minimum(self.room[self.rows, one], self.room[self.rows, other])

    def _add(self, pair: np.ndarray, kind: np.ndarray) -> None:
        one, other = PAIRS[pair].T
        self.bonds[self.rows, one, other] += kind
        self.bonds[self.rows, other, one] += kind
        self.room[self.rows, one] -= kind
        self.room[self.rows, other] -= kind
        joined = (kind > 0)[:, None] & (self.piece == self.piece[self.rows, other][:, None])
        self.piece = np.where(joined, self.piece[self.rows, one][:, None], self.piece)
