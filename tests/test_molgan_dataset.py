"""Reading molecules from files, the set that the project makes itself, and what molecules score."""

from pathlib import Path

import numpy as np
import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg import RequestError  # noqa: E402
from ddpg.molgan.config import OBJECTIVES  # noqa: E402
from ddpg.molgan.dataset import own_molecules, read_molecules  # noqa: E402
from ddpg.molgan.rewards import Reward  # noqa: E402

QM9 = Path(__file__).parent.parent.parent / "shared" / "data" / "qm9_5k.smi"
SMILES = ["CCO", "c1ccccc1", "CCCCCCCCCCCC", "C[NH3+]", "nonsense", "CCO"]


def write_sdf(path: Path, smiles: list[str]) -> None:
    with Chem.SDWriter(str(path)) as writer:
        for each in smiles:
            writer.write(Chem.AddHs(Chem.MolFromSmiles(each)))


def test_each_kind_of_file_says_what_it_read_used_and_dropped(tmp_path):
    lines = "\n".join(f"{smiles} name {number}" for number, smiles in enumerate(SMILES))
    (tmp_path / "a.smi").write_text(f"{lines}\n\n")
    rows = "".join(f"{number},{smiles}\n" for number, smiles in enumerate(SMILES))
    (tmp_path / "a.csv").write_text(f"idx,smiles\n{rows}")
    for name in ("a.smi", "a.csv"):
        dataset = read_molecules(tmp_path / name)
        assert dataset.smiles == ["CCO", "c1ccccc1", "CCO"]
        assert dataset.graphs.atoms.shape == (3, 9) and dataset.graphs.bonds.shape == (3, 9, 9)
        assert (dataset.read, dataset.dropped.total()) == (6, 3)
        assert str(dataset).startswith("6 molecules read, 3 used, 3 dropped, 1 ")
    write_sdf(tmp_path / "a.sdf", ["CCO", "CCCCCCCCCCCC"])
    assert read_molecules(tmp_path / "a.sdf").smiles == ["CCO"]  # its hydrogens are no atoms of the graph


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"C\n", "ends with none of .smi, .csv, .sdf"),
        ("a.smi", None, "cannot read"),
        ("a.smi", b"", "no molecule that can be used"),
        ("a.smi", b"\xff\xfe\x00", "cannot read"),
        ("a.csv", b"idx,structure\n1,C\n", "no column 'smiles'"),
        ("a.csv", b"", "no column 'smiles'"),
        ("a.csv", b"smiles\n" + b"C" * 200_000 + b"\n", "not a CSV file"),
        ("a.sdf", b"not an SDF file\n", "no molecule that can be used"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_refused_in_one_line(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=reason) as caught:
        read_molecules(tmp_path / name)
    assert caught.value.setting == "data" and "\n" not in str(caught.value)


def test_the_set_that_is_made_here_is_valid_distinct_and_kept(tmp_path):
    dataset = own_molecules(tmp_path / "own.smi", size=50)
    assert len(set(dataset.smiles)) == 50 and not dataset.dropped
    written = (tmp_path / "own.smi").read_bytes()
    assert own_molecules(tmp_path / "own.smi", size=99).smiles == dataset.smiles  # read, not made again
    own_molecules(tmp_path / "other.smi", size=50)
    assert (tmp_path / "other.smi").read_bytes() == written


@pytest.mark.skipif(not QM9.exists(), reason="needs ../shared/data/qm9_5k.smi")
def test_the_scales_are_molgans_own():
    """The data's means are known: a wrong scale would make every figure incomparable."""
    smiles = QM9.read_text().split()
    molecules = [Chem.MolFromSmiles(each) for each in smiles]
    for objective, mean in (("druglikeness", 0.468), ("solubility", 0.302), ("synthesisability", 0.232)):
        assert float(Reward([objective])(molecules).mean()) == pytest.approx(mean, abs=0.005)


def test_rewards_lie_between_0_and_1_and_multiply():
    molecules = [Chem.MolFromSmiles(smiles) for smiles in ("CCO", "CCO", "c1ccccc1F")] + [None]
    known = ["CCO", "CCN"]
    alone = {name: Reward([name], known)(molecules) for name in OBJECTIVES}
    for name, scores in alone.items():
        assert scores.shape == (4, 1) and scores.dtype == np.float32, name
        assert (scores >= 0).all() and (scores <= 1).all() and scores[3] == 0, name  # None is invalid
    assert alone["uniqueness"][:3, 0].tolist() == [0.5, 0.5, 1.0]
    assert alone["novelty"][:3, 0].tolist() == [0.0, 0.0, 1.0]
    assert alone["diversity"][0] < alone["diversity"][2]
    together = Reward(["solubility", "uniqueness"], known)(molecules)
    np.testing.assert_allclose(together, alone["solubility"] * alone["uniqueness"])
