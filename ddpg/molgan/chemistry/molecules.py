"""Molecules as dense graphs, and back: at most nine heavy atoms, and a bond type for each pair of them.

A graph is `atoms (9,)`, indices into `ATOMS`, and `bonds (9, 9)`, indices into `BONDS`, symmetric and with a zero
diagonal. Molecules are kekulized: bonds are single, double or triple, never aromatic.
"""

from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase

rdBase.DisableLog("rdApp.*")  # RDKit would print a line for each molecule it cannot read; the dataset counts them

MAX_ATOMS = 9
ATOMS = ("*", "C", "N", "O", "F")  # 0 is padding: no atom
BONDS = (Chem.BondType.ZERO, Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)  # 0 is no bond
VALENCES = np.array([0, 4, 3, 2, 1])  # of `ATOMS`, uncharged


class Graphs(NamedTuple):
    """M molecules as uint8 arrays."""

    atoms: np.ndarray  # (M, 9)
    bonds: np.ndarray  # (M, 9, 9)


class UnusableMolecule(ValueError):
    """A molecule that has no graph; the message is the reason, with the same words for all molecules of a kind."""


def to_graph(molecule: Chem.Mol) -> tuple[np.ndarray, np.ndarray]:
    """Return the graph of a molecule.

    Args:
        molecule: The molecule; explicit hydrogens are removed first.

    Returns:
        `atoms (9,)` and `bonds (9, 9)`, uint8.

    Raises:
        UnusableMolecule: It has other elements, too many atoms, charges, radicals or several fragments.
    """
    molecule = Chem.RemoveHs(molecule)
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    if not 0 < molecule.GetNumAtoms() <= MAX_ATOMS:
        raise UnusableMolecule(f"with no heavy atom or more than {MAX_ATOMS}")
    if len(Chem.GetMolFrags(molecule)) > 1:
        raise UnusableMolecule("of several fragments")
    if any(atom.GetSymbol() not in ATOMS[1:] for atom in molecule.GetAtoms()):
        raise UnusableMolecule(f"with atoms other than {', '.join(ATOMS[1:])}")
    if any(atom.GetFormalCharge() for atom in molecule.GetAtoms()):
        raise UnusableMolecule("with charges")
    if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
        raise UnusableMolecule("with radicals")
    atoms, bonds = np.zeros(MAX_ATOMS, np.uint8), np.zeros((MAX_ATOMS, MAX_ATOMS), np.uint8)
    for index, atom in enumerate(molecule.GetAtoms()):
        atoms[index] = ATOMS.index(atom.GetSymbol())
    for bond in molecule.GetBonds():
        if bond.GetBondType() not in BONDS[1:]:
            raise UnusableMolecule("with bonds other than single, double and triple")
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        bonds[i, j] = bonds[j, i] = BONDS.index(bond.GetBondType())
    return atoms, bonds


def to_molecule(atoms: np.ndarray, bonds: np.ndarray) -> Chem.Mol | None:
    """Return the molecule of a graph, or None if the graph is not valid.

    This is the strict count: RDKit can sanitize the molecule, it is a single fragment of at least one atom, and no bond
    leads to padding.

    Args:
        atoms: `(9,)`.
        bonds: `(9, 9)`.
    """
    is_atom = atoms > 0
    if not is_atom.any() or bonds[~is_atom].any():
        return None
    molecule = build(atoms[is_atom], bonds[np.ix_(is_atom, is_atom)])
    return molecule if molecule is not None and len(Chem.GetMolFrags(molecule)) == 1 else None


def to_molecules(graphs: Graphs) -> list[Chem.Mol | None]:
    """Return the molecule of each graph by the strict count; None for a graph that is not valid."""
    return [to_molecule(*graph) for graph in zip(*graphs, strict=True)]


def to_molecule_leniently(atoms: np.ndarray, bonds: np.ndarray) -> Chem.Mol | None:
    """Return the molecule as the authors' code counts it: padding is an atom `*`, and fragments are allowed."""
    return build(atoms, bonds)


def build(atoms: np.ndarray, bonds: np.ndarray) -> Chem.Mol | None:
    """Return the sanitized molecule of `atoms (N,)` and `bonds (N, N)`, or None if RDKit rejects it."""
    molecule = Chem.RWMol()
    for atom in atoms:
        molecule.AddAtom(Chem.Atom(ATOMS[atom]))
    for i, j in zip(*np.nonzero(np.triu(bonds)), strict=True):
        molecule.AddBond(int(i), int(j), BONDS[bonds[i, j]])
    failed = Chem.SanitizeMol(molecule, catchErrors=True)
    return None if failed else molecule


def to_smiles(molecule: Chem.Mol | None) -> str:
    """Return the canonical SMILES of a molecule, or an empty string for None."""
    return "" if molecule is None else Chem.MolToSmiles(molecule)
