"""MolGAN's commands as they are typed: what they print, what they refuse, what they exit with."""

import importlib.util
import json
import shutil

import pytest

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg import Config
from ddpg.molgan.__main__ import main, with_schedule
from ddpg.molgan.config import MolGANConfig
from ddpg.policy import evaluate
from ddpg.run import train
from ddpg.storage.checkpoints import find_checkpoint
from tests.helpers.molgan import FLAGS, resume, stub_updates
from tests.helpers.runs import contents, csv_rows, finished_run


def test_train_evaluate_and_sample_work_on_one_run(trained, tmp_path, capsys):
    assert [row["steps"] for row in csv_rows(trained / "evaluations.csv")] == ["0", "4", "8"]  # 20 // (2 · 4) an epoch
    (best,) = (trained / "checkpoints").glob("best-*")

    assert main(["evaluate", "--checkpoint", str(trained), "--samples", "30"]) == 0
    first, _, head, *rows = capsys.readouterr().out.splitlines()
    assert first == f"checkpoint  {best}" and head.split() == ["sampled", "likeliest", "data"]
    assert [row.split()[0] for row in rows] == [
        *("valid", "unique", "novel", "druglikeness", "solubility", "synthesisability", "objective")
    ]
    assert main(["evaluate", "--checkpoint", str(trained), "--samples", "30", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["samples"] == 30
    assert all(0 <= value <= 1 for name, value in results.items() if name != "samples")

    out = tmp_path / "molecules.smi"
    sample = ["sample", "--checkpoint", str(trained), "--count", "30", "--out", str(out)]
    assert main(sample) == 0
    lines = out.read_text().split("\n")
    assert len(lines) == 31 and lines[-1] == ""
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f"checkpoint  {best}",
        f"sampled     {sum(map(bool, lines))} valid molecules of 30 graphs: {out}",
    ]
    assert main(sample) == 2
    assert f"--out: {out} already exists" in capsys.readouterr().err


@pytest.mark.slow
def test_train_prints_the_results_and_the_next_command(run_dir, capsys):
    resume(run_dir)
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["trained"] == "4 epochs, 8 updates"
    assert lines["next"] == f"python -m ddpg.molgan evaluate --checkpoint {run_dir}"
    for path in lines["plots"].split(", "):
        assert path.startswith(str(run_dir.parent / "plots"))


def test_the_schedule_fits_any_number_of_epochs():
    assert with_schedule({}) == {"rl_start": 90, "rl_full": 240, "evaluate_every": 10}
    given = {"epochs": 10, "rl_full": 9}
    assert with_schedule(given) == {"epochs": 10, "rl_start": 3, "rl_full": 9, "evaluate_every": 10}
    for epochs in (1, 2, 3, 7):
        assert MolGANConfig(**with_schedule({"epochs": epochs})).evaluate_every == epochs
    assert MolGANConfig(**with_schedule({})) == MolGANConfig()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--resume", "RUN", "--epochs", "1"], "--epochs: must be at least 4, the length already planned or trained"),
        (["--resume", "RUN", "--rl-weight", "0.1"], "--rl-weight: cannot change from 0.9 to 0.1 when resuming"),
        (["--resume", "RUN", "--data", "x.smi"], "--data: cannot be combined with --resume"),
        (["--resume", "RUN", "--run-dir", "other"], "--run-dir: cannot be combined with --resume"),
        (["--resume", "RUN/nowhere"], "--resume: there is no folder RUN/nowhere"),
        (["--run-dir", "RUN"], "--run-dir: RUN already exists"),
        (["--objective", "beauty"], "--objective: 'beauty' is not one of"),
        (["--data", "nowhere.smi"], "--data: cannot read nowhere.smi"),
        (["--threads", "61"], "--threads: TensorFlow is already initialized"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_in_one_line_and_changes_nothing(
    run_dir, tmp_path, capsys, monkeypatch, flags, reason
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "random-molecules.smi").write_text("CCO\nCCN\n")  # so that they are not made here
    before = contents(tmp_path)
    assert main(["train", *(flag.replace("RUN", str(run_dir)) for flag in flags)]) == 2
    error = capsys.readouterr().err
    assert reason.replace("RUN", "run") in error and error.count("\n") == 1
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_settings_that_have_not_changed_may_be_given_again_when_resuming(run_dir, monkeypatch):
    stub_updates(monkeypatch)
    resume(run_dir, *FLAGS, "--epochs", "5", "--seed", "0", "--rl-weight", "0.9")
    assert len(csv_rows(run_dir / "epochs.csv")) == 5


@pytest.mark.parametrize("flags", [["train", "--resume"], ["evaluate", "--checkpoint"]])
def test_a_damaged_checkpoint_is_named_together_with_the_flag(run_dir, capsys, flags):
    for checkpoint_dir in (run_dir / "checkpoints").iterdir():
        (checkpoint_dir / "variables.npz").write_bytes(b"")
    kind = "step-000000008" if flags[0] == "train" else "best-*"
    (checkpoint_dir,) = (run_dir / "checkpoints").glob(kind)
    assert main([*flags, str(run_dir)]) == 2
    error = capsys.readouterr().err
    assert f"{flags[1]}: {checkpoint_dir / 'variables.npz'} is corrupt" in error and error.count("\n") == 1


@pytest.mark.parametrize("flags", [["train", "--resume"], ["evaluate", "--checkpoint"]])
@pytest.mark.parametrize(("content", "reason"), [("CCCC\n", "has changed"), (None, "cannot read")])
def test_a_run_whose_molecules_have_changed_or_gone_is_refused(run_dir, capsys, flags, content, reason):
    path = run_dir / "molecules.smi"
    path.write_text(content) if content else path.unlink()
    assert main([*flags, str(run_dir)]) == 2
    error = capsys.readouterr().err
    assert reason in error and f"{flags[1]}: " in error and str(path) in error and error.count("\n") == 1


@pytest.mark.slow
def test_a_checkpoint_of_the_other_system_is_refused_with_the_command_to_use(trained, tmp_path, capsys):
    ddpg_run = tmp_path / "ddpg"
    finished_run(
        Config(env="Matching-v0", episodes=1, hidden_units=(8, 8), jit_compile=False, evaluation_episodes=1), ddpg_run
    )
    capsys.readouterr()
    for command, program, flag in (
        (train.main, "train.py", "--resume"),
        (evaluate.main, "evaluate.py", "--checkpoint"),
    ):
        assert command([flag, str(trained)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"{program}: error: {flag}: {trained}")
        assert error.endswith(" is a MolGAN checkpoint; use python -m ddpg.molgan\n")
    for flags in (["train", "--resume"], ["evaluate", "--checkpoint"]):
        assert main([*flags, str(ddpg_run)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"python -m ddpg.molgan: error: {flags[1]}: {ddpg_run}")
        assert error.endswith(" is a DDPG checkpoint; use train.py and evaluate.py\n")


def test_a_run_without_a_best_checkpoint_is_evaluated_at_its_newest(run_dir, capsys):
    for best in (run_dir / "checkpoints").glob("best-*"):
        shutil.rmtree(best)
    assert main(["evaluate", "--checkpoint", str(run_dir), "--samples", "5"]) == 0
    assert capsys.readouterr().out.startswith(f"checkpoint  {find_checkpoint(run_dir)}\n")


@pytest.mark.slow
def test_data_smaller_than_one_update_are_pointed_out(tmp_path, capsys, monkeypatch):
    stub_updates(monkeypatch)
    (tmp_path / "two.smi").write_text("CCO\nCCN\n")
    paths = ["--data", tmp_path / "two.smi", "--run-dir", tmp_path / "run", "--plot-dir", tmp_path]
    assert main(["train", *FLAGS, *map(str, paths), "--epochs", "2", "--no-progress"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("data        2 molecules read, 2 used, 0 dropped\n")
    assert "note: an update takes 8 molecules" in captured.err and "more than the 2 of the data" in captured.err


def test_without_rdkit_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["train"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("python -m ddpg.molgan: error: MolGAN needs RDKit; install it with: ")
    assert err.endswith("pip install rdkit\n")
