"""Reading molecules from files, and the random molecules that the package generates."""

import gzip
from pathlib import Path

import pytest

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from rdkit import Chem

from ddpg import RequestError
from ddpg.molgan.chemistry.dataset import random_molecules, read_molecules
from tests.helpers.pages import ROOT

QM9 = ROOT.parent / "shared" / "data" / "qm9_5k.smi"
SMILES = ["CCO", "c1ccccc1", "CCCCCCCCCCCC", "C[NH3+]", "[CH3]", "nonsense", "CCO"]
SMI = "\n".join(f"{smiles} name {number}" for number, smiles in enumerate(SMILES)) + "\n\n"
CSV = "idx,smiles\n" + "".join(f"{number},{smiles}\n" for number, smiles in enumerate(SMILES))


def sdf(path: Path, smiles: list[str]) -> bytes:
    with Chem.SDWriter(str(path)) as writer:
        for each in smiles:
            writer.write(Chem.AddHs(Chem.MolFromSmiles(each)))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.smi", SMI.encode()),
        ("a.smi", SMI.replace("\n", "\r\n").encode()),
        ("a.smi.gz", gzip.compress(SMI.encode(), mtime=0)),
        ("a.csv", CSV.encode()),
        ("a.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
    ],
)
def test_no_molecule_of_a_file_disappears_without_a_reason(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    dataset = read_molecules(tmp_path / name)
    assert dataset.smiles == ["CCO", "c1ccccc1", "CCO"]
    assert dataset.graphs.atoms.shape == (3, 9) and dataset.graphs.bonds.shape == (3, 9, 9)
    assert str(dataset) == (
        "7 molecules read, 3 used, 4 dropped: 1 with no heavy atom or more than 9, 1 with charges, 1 with radicals, "
        "1 that RDKit cannot read"
    )


@pytest.mark.parametrize("name", ["a.SMI", "a.smiles", "a.SMI.GZ", "a.tsv", "a.CSV", "b.csv", "c.csv"])
def test_the_names_and_columns_that_people_have_are_read(tmp_path, name):
    content = {
        "a.tsv": "idx\tSMILES\n1\tCCO\n",
        "a.CSV": "idx, smiles\n1, CCO\n",
        "b.csv": "Smiles;idx\nCCO;1\n",
        "c.csv": 'idx,smiles\n1,"CCO"\n',
    }.get(name, "CCO\n")
    packed = gzip.compress(content.encode(), mtime=0) if name.endswith("GZ") else content.encode()
    (tmp_path / name).write_bytes(packed)
    assert read_molecules(tmp_path / name).smiles == ["CCO"]


@pytest.mark.parametrize("name", ["a.smi", "a.csv"])
def test_a_line_of_megabytes_is_dropped_unread_and_counted(tmp_path, name):
    """RDKit takes minutes for it, and does not listen to signals meanwhile."""
    header = "smiles\n" if name == "a.csv" else ""
    (tmp_path / name).write_text(f"{header}CCO\n{'C' * 10_000_000}\nCC\n")
    dataset = read_molecules(tmp_path / name)
    assert dataset.smiles == ["CCO", "CC"] and dataset.read == 3
    assert dict(dataset.dropped) == {"so long that RDKit cannot read it quickly": 1}


def test_molecules_that_are_there_more_than_once_are_counted():
    from ddpg.molgan.chemistry.dataset import as_dataset
    from ddpg.molgan.config import MolGANConfig
    from ddpg.molgan.start import notes_on

    config = MolGANConfig(batch_size=2, discriminator_steps=1)
    said = "of the 3 molecules, 2 repeat an earlier one; each counts as often as it is there"
    assert notes_on(config, as_dataset(["CCO", "OCC", "C(O)C"])) == [said]
    assert notes_on(config, as_dataset(["CCO", "CC", "C"])) == []


@pytest.mark.parametrize("compressed", [False, True])
def test_the_hydrogens_of_an_sdf_file_are_no_atoms_of_the_graph(tmp_path, compressed):
    content = sdf(tmp_path / "a.sdf", ["CCO", "CCCCCCCCCCCC"])
    path = tmp_path / ("a.sdf.gz" if compressed else "a.sdf")
    path.write_bytes(gzip.compress(content) if compressed else content)
    assert read_molecules(path).smiles == ["CCO"]


@pytest.mark.parametrize(("name", "text"), [("a.csv", "smiles,idx\nCCO,1\n"), ("a.smi", "CCO\n")])
def test_the_byte_order_mark_that_excel_writes_is_not_part_of_the_first_word(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    dataset = read_molecules(tmp_path / name)
    assert dataset.smiles == ["CCO"] and not dataset.dropped


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"C\n", "must end with .smi, .csv or .sdf"),
        ("a.gz", b"C\n", "must end with .smi, .csv or .sdf"),
        ("a.smi", None, "cannot read"),
        ("a.smi", b"", "has no usable molecule"),
        ("a.smi", b"\xff\xfe\x00", "cannot read"),
        ("a.smi.gz", b"C\n", "cannot read"),  # not compressed
        ("a.smi.gz", gzip.compress(SMI.encode(), mtime=0)[:-9], "cannot read"),  # cut short
        ("a.csv", b"idx,structure\n1,C\n", "its first line has no column 'smiles', but .'idx', 'structure'."),
        ("a.csv", b"", "its first line has no column 'smiles'"),
        ("a.csv", b"smiles\n" + b"C" * 200_000 + b"\n", "cannot read"),
        ("a.sdf", b"not an SDF file\n", "has no usable molecule"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_in_one_line(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=reason) as caught:
        read_molecules(tmp_path / name)
    assert "\n" not in str(caught.value) and name in str(caught.value)


def test_the_random_molecules_are_valid_distinct_and_the_same_every_time(tmp_path):
    dataset = random_molecules(tmp_path / "one.smi", size=50)
    assert len(set(dataset.smiles)) == 50 and not dataset.dropped
    written = (tmp_path / "one.smi").read_bytes()
    assert random_molecules(tmp_path / "one.smi", size=99).smiles == dataset.smiles  # read, not made again
    random_molecules(tmp_path / "other.smi", size=50)
    assert (tmp_path / "other.smi").read_bytes() == written


@pytest.mark.slow
@pytest.mark.skipif(not QM9.exists(), reason="needs ../shared/data/qm9_5k.smi")
def test_radicals_are_not_reported_as_charges():
    """Of QM9's molecules that have no graph, most have radicals; few have charges."""
    assert read_molecules(QM9).dropped == {"with radicals": 461, "with charges": 20}


@pytest.mark.parametrize("change", ["CCN", ""])
def test_a_changed_dataset_has_another_digest(tmp_path, change):
    digests = set()
    for smiles in ("CCO\nCC\n", f"CCO\nCC\n{change}\n"):
        (tmp_path / "a.smi").write_text(smiles)
        digests.add(read_molecules(tmp_path / "a.smi").digest)
    assert len(digests) == (2 if change else 1)
