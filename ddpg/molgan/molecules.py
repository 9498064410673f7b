"""Molecules as dense graphs, and back: up to nine heavy atoms, and the bonds between each two of them.

A graph is `atoms (9,)`, numbers into `ATOMS`, and `bonds (9, 9)`, numbers into `BONDS`, symmetric and with a zero
diagonal.  Molecules are kekulised: bonds are single, double or triple, never aromatic.
"""

from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase

rdBase.DisableLog("rdApp.*")  # it writes a line for each molecule that it cannot read; they are counted instead

MOST_ATOMS = 9
ATOMS = ("*", "C", "N", "O", "F")  # 0 is padding: no atom
BONDS = (Chem.BondType.ZERO, Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)  # 0 is no bond
VALENCES = np.array([0, 4, 3, 2, 1])  # of `ATOMS`, without a charge


class Graphs(NamedTuple):
    """Some molecules as arrays of numbers, uint8."""

    atoms: np.ndarray  # (M, 9)
    bonds: np.ndarray  # (M, 9, 9)


class Unusable(ValueError):
    """A molecule that has no such graph; the message is the reason, the same for all of a kind."""


def to_graph(molecule: Chem.Mol) -> tuple[np.ndarray, np.ndarray]:
    """Return a molecule's `atoms (9,)` and `bonds (9, 9)`.

    Raises:
        Unusable: It has other elements, too many atoms, charges, radicals or several fragments.
    """
    molecule = Chem.RemoveHs(molecule)
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    if not 0 < molecule.GetNumAtoms() <= MOST_ATOMS:
        raise Unusable(f"with no heavy atom or more than {MOST_ATOMS}")
    if len(Chem.GetMolFrags(molecule)) > 1:
        raise Unusable("of several fragments")
    atoms, bonds = np.zeros(MOST_ATOMS, np.uint8), np.zeros((MOST_ATOMS, MOST_ATOMS), np.uint8)
    for place, atom in enumerate(molecule.GetAtoms()):
        if atom.GetSymbol() not in ATOMS[1:]:
            raise Unusable(f"with atoms other than {', '.join(ATOMS[1:])}")
        if atom.GetFormalCharge() or atom.GetNumRadicalElectrons():
            raise Unusable("with charges or radicals")
        atoms[place] = ATOMS.index(atom.GetSymbol())
    for bond in molecule.GetBonds():
        if bond.GetBondType() not in BONDS[1:]:
            raise Unusable("with bonds other than single, double and triple")
        pair = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        bonds[pair] = bonds[pair[::-1]] = BONDS.index(bond.GetBondType())
    return atoms, bonds


def to_molecule(atoms: np.ndarray, bonds: np.ndarray) -> Chem.Mol | None:
    """Return the molecule of a graph, or None where there is none.

    Strict: RDKit can sanitise it, it is one fragment, it has an atom, and nothing is bonded to padding.
    """
    there = atoms > 0
    if not there.any() or bonds[~there].any():
        return None
    molecule = build(atoms[there], bonds[np.ix_(there, there)])
    return molecule if molecule is not None and len(Chem.GetMolFrags(molecule)) == 1 else None


def to_molecules(graphs: Graphs) -> list[Chem.Mol | None]:
    """Return the molecule of each graph, strictly."""
    return [to_molecule(*graph) for graph in zip(*graphs, strict=True)]


def to_molecule_as_molgan_counts(atoms: np.ndarray, bonds: np.ndarray) -> Chem.Mol | None:
    """Return the molecule as MolGAN's own code counts it: padding is an atom `*`, and fragments are allowed."""
    return build(atoms, bonds)


def build(atoms: np.ndarray, bonds: np.ndarray) -> Chem.Mol | None:
    """Return the sanitised molecule of these atoms and bonds, or None if RDKit refuses it."""
    molecule = Chem.RWMol()
    for atom in atoms:
        molecule.AddAtom(Chem.Atom(ATOMS[atom]))
    for one, other in zip(*np.nonzero(np.triu(bonds)), strict=True):
        molecule.AddBond(int(one), int(other), BONDS[bonds[one, other]])
    failed = Chem.SanitizeMol(molecule, catchErrors=True)
    return None if failed else molecule


def to_smiles(molecule: Chem.Mol | None) -> str:
    """Return the canonical SMILES, empty for None."""
    return "" if molecule is None else Chem.MolToSmiles(molecule)
