"""From the generator's logits to graphs: the likeliest one, or a random one, that keeps the atoms' valences."""

import numpy as np

from ddpg.molgan.molecules import MOST_ATOMS, VALENCES, Graphs

PAIRS = np.array(np.triu_indices(MOST_ATOMS, 1)).T  # (36, 2)


def sample(atom_logits: np.ndarray, bond_logits: np.ndarray, random: np.random.Generator, noise: float = 0.0) -> Graphs:
    """Return one graph for each row of logits.

    Atoms are chosen first; then bonds, those first of which the generator is surest, each as far as the valences of its
    two atoms still allow.  So the outcome of a graph whose likeliest atoms and bonds keep all valences is that graph.

    Args:
        atom_logits, bond_logits: `(B, 9, 5)` and `(B, 9, 9, 4)`.
        random: Where Gumbel noise is drawn from.
        noise: Its scale: 0 takes the likeliest atoms and bonds, 1 draws them with the generator's own probabilities.
    """
    rows = np.arange(len(atom_logits))
    atoms = np.argmax(atom_logits + noise * random.gumbel(size=atom_logits.shape), axis=-1)
    scores = bond_logits[:, PAIRS[:, 0], PAIRS[:, 1]]  # (B, 36, 4)
    scores = scores + noise * random.gumbel(size=scores.shape)
    surest_first = np.argsort(scores[..., 0] - scores[..., 1:].max(axis=-1), axis=1, kind="stable")
    room = VALENCES[atoms]  # (B, 9), bonds that each atom may still have
    bonds = np.zeros((len(rows), MOST_ATOMS, MOST_ATOMS), np.uint8)
    for pair in surest_first.T:
        one, other = PAIRS[pair].T
        most = np.minimum(room[rows, one], room[rows, other])
        allowed = np.where(np.arange(scores.shape[-1]) <= most[:, None], scores[rows, pair], -np.inf)
        kind = np.argmax(allowed, axis=-1)
        bonds[rows, one, other] = bonds[rows, other, one] = kind
        room[rows, one] -= kind
        room[rows, other] -= kind
    return Graphs(atoms.astype(np.uint8), bonds)
