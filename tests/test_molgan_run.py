"""MolGAN's commands, its run folder, and a resumed run that ends where the uninterrupted one ends."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg.checkpoint import all_checkpoints, find_checkpoint
from ddpg.molgan.__main__ import main, with_schedule
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.restore import load, named_variables
from tests.test_checkpoint import rows

SMILES = "C CC CCC CCO CCN C=C C#N CC=O CC(C)C C1CC1 CCF OCCO NCCO CC(=O)O c1ccccc1 C1CCCCC1 CC#N COC CNC C1CO1"
SMALL = (
    "--batch-size 4 --critic-steps 2 --latent-size 3 --rl-start 0 --rl-full 1"
    " --evaluate-every 2 --evaluation-samples 20 --no-jit-compile"
)


def train(folder: Path, epochs: int) -> Path:
    data = folder.parent / "data.smi"
    data.write_text(SMILES.replace(" ", "\n"))
    where = ["--data", data, "--run-dir", folder, "--plot-dir", folder.parent / "plots", "--epochs", epochs]
    assert main(["train", *map(str, where), "--no-progress", *SMALL.split(" ")]) == 0
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of four epochs, which no test may change."""
    return train(tmp_path_factory.mktemp("molgan") / "run", 4)


@pytest.fixture(scope="module")
def half(tmp_path_factory) -> Path:
    """The first two epochs of the same run, which no test may change."""
    return train(tmp_path_factory.mktemp("half") / "run", 2)


@pytest.fixture
def folder(trained, tmp_path) -> Path:
    """The same run, to be done with as one likes."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_a_run_trains_and_is_evaluated_and_sampled(trained, tmp_path, capsys):
    assert [row["epoch"] for row in rows(trained / "epochs.csv")] == ["1", "2", "3", "4"]
    assert [row["steps"] for row in rows(trained / "evaluations.csv")] == ["0", "4", "8"]  # 20 // (2 * 4) an epoch

    assert main(["evaluate", "--checkpoint", str(trained), "--samples", "30", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["samples"] == 30
    assert all(0 <= value <= 1 for name, value in figures.items() if name != "samples")

    out = tmp_path / "molecules.smi"
    assert main(["sample", "--checkpoint", str(trained), "--count", "30", "--out", str(out)]) == 0
    lines = out.read_text().split("\n")
    assert len(lines) == 31 and lines[-1] == ""
    assert capsys.readouterr().out.startswith(f"{sum(map(bool, lines))} valid molecules of 30 graphs")


def test_the_objective_comes_in_between_30_and_80_percent_of_however_many_epochs():
    assert with_schedule({}) == {"rl_start": 90, "rl_full": 240}
    assert with_schedule({"epochs": 10, "rl_full": 9}) == {"epochs": 10, "rl_start": 3, "rl_full": 9}
    for epochs in (1, 2, 3, 7):
        MolGANConfig(**with_schedule({"epochs": epochs}))


@pytest.mark.parametrize("checkpoint", ["", "checkpoints/step-000000000"])
def test_a_resumed_run_ends_where_the_uninterrupted_run_ends(trained, half, tmp_path, checkpoint):
    parts = Path(shutil.copytree(half, tmp_path / "parts"))
    again = ["--resume", str(parts / checkpoint), "--epochs", "4", "--plot-dir", str(tmp_path / "plots")]
    assert main(["train", *again, "--no-progress"]) == 0
    assert {path.name for path in (tmp_path / "plots").iterdir()} >= {"molgan-parts.png"}
    (agent, _), (again, _) = (load(find_checkpoint(folder)) for folder in (trained, parts))
    assert agent.rounds == again.rounds == 8
    for name, variable in named_variables(agent).items():
        np.testing.assert_array_equal(variable, named_variables(again)[name], err_msg=name)
    for name in ("epochs", "evaluations"):
        assert rows(trained / f"{name}.csv") == rows(parts / f"{name}.csv")


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--resume", "RUN", "--epochs", "1"], "--epochs: the run was to have 4 already"),
        (["--resume", "RUN", "--rl-weight", "0.1"], "--rl-weight: a resumed run has its own"),
        (["--run-dir", "RUN"], "--run-dir: RUN exists already"),
        (["--objective", "beauty"], "--objective: 'beauty' is not one of"),
        (["--data", "nowhere.smi"], "--data: cannot read nowhere.smi"),
    ],
)
def test_what_cannot_be_met_is_refused_in_one_line(folder, capsys, flags, reason):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["train", *(str(folder) if flag == "RUN" else flag for flag in flags)]) == 2
    error = capsys.readouterr().err
    assert reason.replace("RUN", str(folder)) in error and error.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_damaged_checkpoint_is_named(folder, capsys):
    for best in all_checkpoints(folder / "checkpoints", "best"):
        (best / "variables.npz").write_bytes(b"")
    assert main(["evaluate", "--checkpoint", str(folder)]) == 2
    assert "variables.npz is damaged" in capsys.readouterr().err
    newest = find_checkpoint(folder)
    (newest / "variables.npz").write_bytes(b"")
    assert main(["train", "--resume", str(folder)]) == 2
    assert f"--resume: {newest / 'variables.npz'} is damaged" in capsys.readouterr().err


def test_a_run_whose_best_generator_came_after_the_checkpoint_finds_another(folder, tmp_path):
    for best in all_checkpoints(folder / "checkpoints", "best"):
        best.rename(best.with_name("best-000000008"))
    checkpoint, *_ = all_checkpoints(folder / "checkpoints")  # of step 4
    assert main(["train", "--resume", str(checkpoint), "--plot-dir", str(tmp_path), "--no-progress"]) == 0
    assert [best.name for best in all_checkpoints(folder / "checkpoints", "best")] == ["best-000000008"]
    assert len(rows(folder / "evaluations.csv")) == 3


@pytest.mark.parametrize("flags", [["train", "--resume"], ["evaluate", "--checkpoint"]])
def test_other_molecules_than_the_runs_own_are_noticed(folder, capsys, flags):
    for change, reason in (("CCCC\n", "holds other molecules than"), (None, "cannot read")):
        (folder / "molecules.smi").write_text(change) if change else (folder / "molecules.smi").unlink()
        assert main([*flags, str(folder)]) == 2
        error = capsys.readouterr().err
        assert reason in error and f"{flags[-1]}: " in error and "molecules.smi" in error and error.count("\n") == 1


def test_networks_that_broke_are_not_kept(folder, tmp_path, capsys, monkeypatch):
    from ddpg.molgan.agent import MolGAN

    def broken(self, *arguments):
        self.rounds += 1
        self.generator.variables[0].assign(self.generator.variables[0] * np.nan)
        return (0.0,) * 5  # of before the update: finite

    monkeypatch.setattr(MolGAN, "update", broken)
    assert main(["train", "--resume", str(folder), "--epochs", "6", "--plot-dir", str(tmp_path), "--no-progress"]) == 1
    assert "the networks became NaN or infinite; the last sound checkpoint is in" in capsys.readouterr().err
    assert find_checkpoint(folder).name == "step-000000008"


def test_without_rdkit_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["train"]) == 2
    assert capsys.readouterr().err == (
        "python -m ddpg.molgan: error: MolGAN needs RDKit; try: pip install -r requirements-molgan.txt\n"
    )
