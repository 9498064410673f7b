"""The real molecules: read from a file, or 5,000 random ones that are generated once."""

import csv
import gzip
import hashlib
import io
import itertools
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import numpy as np
from rdkit import Chem
from tqdm import tqdm

from ddpg.command.inputs import require_file
from ddpg.errors import RequestError
from ddpg.molgan.chemistry.molecules import (
    ATOMS,
    MAX_ATOMS,
    VALENCES,
    Graphs,
    UnusableMolecule,
    to_graph,
    to_molecule,
    to_smiles,
)
from ddpg.storage.files import replaced_file

LONGEST = 1_000  # letters of a SMILES: a molecule of 9 heavy atoms has far fewer, and RDKit takes minutes for 10 MB
LONGEST_LINE = 100_000  # letters of a line
RANDOM_MOLECULES, RANDOM_MOLECULES_SIZE = Path("runs", "random-molecules.smi"), 5_000


@dataclass
class Dataset:
    """The usable molecules of a file, and why the others were dropped."""

    graphs: Graphs
    smiles: list[str]  # canonical, in the order of the graphs
    read: int = 0  # entries in the file
    dropped: Counter[str] = field(default_factory=Counter)  # reason -> number of molecules

    @property
    def digest(self) -> str:
        """SHA-256 of the molecules; a resumed run compares it."""
        return hashlib.sha256("\n".join(self.smiles).encode()).hexdigest()

    def __str__(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.dropped.most_common())
        dropped = f"{self.dropped.total()} dropped" + (f": {reasons}" if reasons else "")
        return f"{self.read} molecules read, {len(self.smiles)} used, {dropped}"


def read_molecules(path: Path) -> Dataset:
    """Read a `.smi`, `.csv` or `.tsv` (with a column `smiles`) or `.sdf` file, plain or compressed (`.gz`).

    Raises:
        RequestError: The file is missing, is not in the format of its name, or has no usable molecule.
    """
    readers = {".smi": read_smi, ".smiles": read_smi, ".csv": read_csv, ".tsv": read_csv, ".sdf": read_sdf}
    is_packed = path.suffix.lower() == ".gz"
    suffix = (path.with_suffix("").suffix if is_packed else path.suffix).lower()
    if suffix not in readers:
        raise RequestError(
            f"the name of {path} must end with .smi, .csv or .sdf, also .smiles or .tsv, each perhaps followed by .gz"
        )
    try:
        opened = gzip.open if is_packed else open
        with opened(require_file(path), "rb") as file:
            dataset = as_dataset(readers[suffix](cast(IO[bytes], file)))
    except (OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError) as error:
        raise RequestError(f"cannot read {path} ({error})") from None
    if not dataset.smiles:
        raise RequestError(f"{path} has no usable molecule ({dataset})")
    return dataset


def as_dataset(molecules: Iterable[Chem.Mol | str | None]) -> Dataset:
    """Convert molecules or SMILES to graphs; None counts as a molecule that RDKit cannot read."""
    dataset = Dataset(Graphs(np.zeros(0), np.zeros(0)), [])
    graphs = []
    # All of QM9 takes a minute; disable=None shows the bar only in a terminal.
    for molecule in tqdm(molecules, "reading", unit=" molecules", delay=2, leave=False, disable=None):
        dataset.read += 1
        try:
            if isinstance(molecule, str):
                if len(molecule) > LONGEST:
                    raise UnusableMolecule("so long that RDKit cannot read it quickly")
                molecule = Chem.MolFromSmiles(molecule)
            if molecule is None:
                raise UnusableMolecule("that RDKit cannot read")
            smiles = to_smiles(to_molecule(*to_graph(molecule)))
            graph = to_graph(Chem.MolFromSmiles(smiles))  # in canonical order: the order in the file does not matter
        except UnusableMolecule as reason:
            dataset.dropped[str(reason)] += 1
            continue
        graphs.append(graph)
        dataset.smiles.append(smiles)
    if graphs:
        dataset.graphs = Graphs(*(np.stack(column) for column in zip(*graphs, strict=True)))
    return dataset


def read_smi(file: IO[bytes]) -> Iterator[str]:
    """Read one molecule per line; the SMILES is the first word."""
    for line in lines_of(file):
        if line.strip():
            yield line.split()[0]


def read_csv(file: IO[bytes]) -> Iterator[str | None]:
    """Read one molecule per row, from the column `smiles` in any spelling; the values lie between , or ; or tabs."""
    lines = lines_of(file)
    header = next(lines, "")
    rows = csv.DictReader(itertools.chain([header], lines), delimiter=max(",;\t", key=header.count))
    names = [name for name in rows.fieldnames or () if name.strip().lower() == "smiles"]
    if len(names) != 1:
        raise csv.Error(f"its first line has {'two columns' if names else 'no column'} 'smiles', but {rows.fieldnames}")
    for row in rows:
        yield (row[names[0]] or "").strip() or None


def lines_of(file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a file as text; what is beyond `LONGEST_LINE` letters of a line is left out, unread.

    The text is UTF-8, without the byte order mark that Excel writes at its start.
    """
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        while line := text.readline(LONGEST_LINE):
            rest = line
            while rest and not rest.endswith(("\n", "\r")) and len(rest) == LONGEST_LINE:
                rest = text.readline(LONGEST_LINE)
            yield line


def read_sdf(file: IO[bytes]) -> Iterator[Chem.Mol | None]:
    """Read the molecules of an SDF file, without their hydrogens."""
    yield from Chem.ForwardSDMolSupplier(file)


def random_molecules(path: Path = RANDOM_MOLECULES, size: int = RANDOM_MOLECULES_SIZE) -> Dataset:
    """Return a dataset of random valid molecules, the same on every machine.

    Args:
        path: The `.smi` file that keeps them; it is written on first use and read from then on.
        size: How many different molecules to generate.
    """
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        rng, molecules = np.random.default_rng(0), dict[str, None]()
        while len(molecules) < size:
            smiles = to_smiles(random_molecule(rng))
            if smiles:
                molecules[smiles] = None
        with replaced_file(path) as file:
            file.write("\n".join([*molecules, ""]).encode())
    return read_molecules(path)


def random_molecule(rng: np.random.Generator) -> Chem.Mol | None:
    """Grow a random tree of atoms, then close rings and raise bond orders where valences allow.

    Returns:
        The molecule, or None if the result is not valid.
    """
    count = int(rng.integers(5, MAX_ATOMS + 1))
    atoms, bonds = np.zeros(MAX_ATOMS, np.uint8), np.zeros((MAX_ATOMS, MAX_ATOMS), np.uint8)
    atoms[:count] = rng.choice(len(ATOMS), count, p=(0, 0.7, 0.13, 0.16, 0.01))
    for new in range(1, count):
        raise_bond(int(rng.integers(new)), new, atoms, bonds)
    for _ in range(rng.integers(5)):
        i, j = rng.choice(count, 2, replace=False)
        raise_bond(int(i), int(j), atoms, bonds)
    return to_molecule(atoms, bonds)


def raise_bond(i: int, j: int, atoms: np.ndarray, bonds: np.ndarray) -> None:
    """Raise the order of a bond by one, in place, if both valences allow it and one of the two atoms is carbon."""
    free = VALENCES[atoms[[i, j]]] - bonds[[i, j]].sum(axis=1)
    if (free > 0).all() and bonds[i, j] < 3 and ATOMS.index("C") in atoms[[i, j]]:
        bonds[i, j] += 1
        bonds[j, i] += 1
