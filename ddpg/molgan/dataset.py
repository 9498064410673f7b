"""Where the real molecules come from: a file, or a small set that is made here."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rdkit import Chem
from tqdm import tqdm

from ddpg.errors import RequestError
from ddpg.files import new_file
from ddpg.molgan.molecules import ATOMS, MOST_ATOMS, VALENCES, Graphs, Unusable, to_graph, to_molecule, to_smiles

OWN_SET, OWN_SET_SIZE = Path("runs", "own-molecules.smi"), 5_000


@dataclass
class Dataset:
    """The molecules of a file that could be used, and what became of the others."""

    graphs: Graphs
    smiles: list[str]  # canonical, in the order of the graphs
    read: int = 0  # entries in the file
    dropped: Counter[str] = field(default_factory=Counter)  # how many for which reason

    @property
    def digest(self) -> str:
        """SHA-256 of the molecules, by which a run knows its data again."""
        return hashlib.sha256("\n".join(self.smiles).encode()).hexdigest()

    def __str__(self) -> str:
        reasons = "".join(f", {count} {reason}" for reason, count in self.dropped.most_common())
        return f"{self.read} molecules read, {len(self.smiles)} used, {self.dropped.total()} dropped{reasons}"


def read_molecules(path: Path) -> Dataset:
    """Read a `.smi`, `.csv` (its column `smiles`) or `.sdf` file.

    Raises:
        RequestError: The file is missing, is not what its name says, or holds no molecule that can be used.
    """
    readers = {".smi": smiles_of_lines, ".csv": smiles_of_csv, ".sdf": molecules_of_sdf}
    if path.suffix not in readers:
        raise RequestError(f"{path} ends with none of {', '.join(readers)}", "data")
    try:
        dataset = as_dataset(readers[path.suffix](path))
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"cannot read {path} ({error})", "data") from None
    if not dataset.smiles:
        raise RequestError(f"{path} holds no molecule that can be used ({dataset})", "data")
    return dataset


def as_dataset(molecules: Iterable[Chem.Mol | None]) -> Dataset:
    """Turn molecules into graphs; None is one that could not be read."""
    dataset = Dataset(Graphs(np.zeros(0), np.zeros(0)), [])
    graphs = []
    # All of QM9 takes a minute; disable=None shows no bar where nobody sees it.
    for molecule in tqdm(molecules, "reading", unit=" molecules", delay=2, leave=False, disable=None):
        dataset.read += 1
        try:
            if molecule is None:
                raise Unusable("that RDKit cannot read")
            smiles = to_smiles(to_molecule(*to_graph(molecule)))
            graph = to_graph(Chem.MolFromSmiles(smiles))  # its atoms in canonical order: the file's does not matter
        except Unusable as reason:
            dataset.dropped[str(reason)] += 1
            continue
        graphs.append(graph)
        dataset.smiles.append(smiles)
    if graphs:
        dataset.graphs = Graphs(*(np.stack(column) for column in zip(*graphs, strict=True)))
    return dataset


def smiles_of_lines(path: Path) -> Iterator[Chem.Mol | None]:
    """Read a molecule per line: the SMILES is the first word."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield Chem.MolFromSmiles(line.split()[0])


def smiles_of_csv(path: Path) -> Iterator[Chem.Mol | None]:
    """Read a molecule per row of a CSV file with a column `smiles`."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        try:
            if "smiles" not in (rows.fieldnames or ()):
                raise RequestError(f"{path} has no column 'smiles', but {rows.fieldnames}", "data")
            for row in rows:
                yield Chem.MolFromSmiles(row["smiles"] or "?")
        except csv.Error as error:
            raise RequestError(f"{path} is not a CSV file ({error})", "data") from None


def molecules_of_sdf(path: Path) -> Iterator[Chem.Mol | None]:
    """Read the molecules of an SDF file, without their hydrogens."""
    with path.open("rb") as file:
        yield from Chem.ForwardSDMolSupplier(file)


def own_molecules(path: Path = OWN_SET, size: int = OWN_SET_SIZE) -> Dataset:
    """Return a set of random valid molecules, the same on every machine; it is made once and kept in a file."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        random, seen = np.random.default_rng(0), dict[str, None]()
        while len(seen) < size:
            smiles = to_smiles(random_molecule(random))
            if smiles:
                seen[smiles] = None
        partial = path.with_suffix(".partial")
        with new_file(partial) as file:
            file.write("\n".join([*seen, ""]).encode())
        partial.replace(path)
    return read_molecules(path)


def random_molecule(random: np.random.Generator) -> Chem.Mol | None:
    """Grow a random tree of atoms, close rings and raise bonds where valences allow; None if that came to nothing."""
    count = int(random.integers(5, MOST_ATOMS + 1))
    atoms, bonds = np.zeros(MOST_ATOMS, np.uint8), np.zeros((MOST_ATOMS, MOST_ATOMS), np.uint8)
    atoms[:count] = random.choice(len(ATOMS), count, p=(0, 0.7, 0.13, 0.16, 0.01))
    for new in range(1, count):
        bond(int(random.integers(new)), new, atoms, bonds)
    for _ in range(random.integers(5)):
        one, other = random.choice(count, 2, replace=False)
        bond(int(one), int(other), atoms, bonds)
    return to_molecule(atoms, bonds)


def bond(one: int, other: int, atoms: np.ndarray, bonds: np.ndarray) -> None:
    """Add or raise the bond of two atoms, if their valences allow it and they are not both other than carbon."""
    room = VALENCES[atoms[[one, other]]] - bonds[[one, other]].sum(axis=1)
    if (room > 0).all() and bonds[one, other] < 3 and ATOMS.index("C") in atoms[[one, other]]:
        bonds[one, other] += 1
        bonds[other, one] += 1
