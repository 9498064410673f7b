"""A MolGAN run and its folder: the log, the best generator, resuming, and runs that stop."""

import csv
import json
import signal
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg.command.paths import shown
from ddpg.molgan import training_run
from ddpg.molgan.__main__ import main
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.start import start_run
from ddpg.molgan.training_run import COLUMNS
from ddpg.storage.checkpoints import find_checkpoint
from ddpg.storage.run_log import RunLog
from tests.helpers.molgan import SMALL, assert_same_run, dataset_of, resume, stub_updates, train
from tests.helpers.runs import csv_rows, names


def stubbed_run(monkeypatch, run_dir: Path, scores: list[float], **settings):
    """Train a new run of updates that only count, one per epoch, with these scores of its evaluations."""
    stub_updates(monkeypatch)
    answers = iter(scores)
    monkeypatch.setattr(MolGANConfig, "score", lambda self, results: next(answers))
    config = MolGANConfig(**SMALL | {"rl_start": 0, "rl_full": 1, "evaluate_every": 1} | settings)
    run = start_run(config, dataset_of("C", "CC", "CCO"), run_dir, run_dir.parent / "plots")
    run.train(show_progress=False)
    return run


def read_csv(path: Path) -> tuple[tuple[str, ...], list[list[float]]]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return tuple(header), [[float(value) for value in row] for row in rows]


@pytest.mark.slow
def test_a_run_that_repeats_its_last_epochs_ends_where_it_ended_before(trained, run_dir):
    resume(run_dir / "checkpoints" / "step-000000004")
    assert_same_run(trained, run_dir)
    assert names(run_dir.parent / "plots") == ["molgan-run-molecules.png", "molgan-run.png"]


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", ["", "checkpoints/step-000000000"])
def test_an_extended_run_ends_where_a_run_in_one_go_ends(trained, tmp_path, checkpoint):
    run_dir = train(tmp_path / "run", 2)
    resume(run_dir / checkpoint, "--epochs", "4")
    assert_same_run(trained, run_dir)


@pytest.mark.slow
def test_every_column_of_the_log_holds_what_its_name_says(monkeypatch, tmp_path):
    run = stubbed_run(monkeypatch, tmp_path / "run", [0.1, 0.2, 0.3], epochs=2)
    header, (first, second) = read_csv(tmp_path / "run" / "epochs.csv")
    assert header == COLUMNS["epochs"]
    first, second = (dict(zip(header, row, strict=True)) for row in (first, second))
    assert (first["epoch"], first["steps"], first["rl_weight"]) == (1, 1, 0.45)
    assert (second["epoch"], second["steps"], second["rl_weight"]) == (2, 2, 0.9)
    metrics = ("discriminator_loss", "gradient_penalty", "reward_loss", "imitation_loss", "predicted_reward")
    assert [second[name] for name in metrics] == [1, 2, 3, 4, 5]
    assert second["reward"] == run.epoch.reward and 0 < first["seconds"] <= second["seconds"]

    header, rows = read_csv(tmp_path / "run" / "evaluations.csv")
    assert header == COLUMNS["evaluations"]
    assert [(row[0], row[-1]) for row in rows] == [(0, 0.1), (1, 0.2), (2, 0.3)]
    assert dict(zip(header[1:-1], rows[-1][1:-1], strict=True)) == run.results


@pytest.mark.slow
def test_the_generator_with_the_highest_score_is_kept_and_the_first_of_equal_ones(monkeypatch, tmp_path):
    marked = []
    monkeypatch.setattr(training_run, "draw_curves", lambda *arguments: marked.append(arguments[3]))
    run = stubbed_run(monkeypatch, tmp_path / "run", [0.2, 0.5, 0.4, 0.5, 0.3], epochs=4)
    assert names(tmp_path / "run" / "checkpoints") == ["best-000000001", "step-000000003", "step-000000004"]
    assert run.folder.best == 0.5 and marked == [1]


@pytest.mark.slow
def test_two_evaluations_of_one_generator_give_the_same_results(monkeypatch, tmp_path):
    """All use the same z and noise, so the curve shows the generator and not the luck of the draw."""
    stubbed_run(monkeypatch, tmp_path / "run", [0.1, 0.2, 0.3], epochs=2)  # its updates change nothing
    _, (_, one, other) = read_csv(tmp_path / "run" / "evaluations.csv")
    assert one[1:-1] == other[1:-1]


@pytest.mark.slow
def test_an_evaluation_outside_the_schedule_keeps_no_generator(monkeypatch, tmp_path):
    """It is dropped when the run is extended; a longer run would have another best generator than one in one go."""
    stubbed_run(monkeypatch, tmp_path / "run", [0.1, 0.2, 0.9], epochs=3, evaluate_every=2)
    assert names(tmp_path / "run" / "checkpoints", "best-*") == ["best-000000002"]
    assert [row["steps"] for row in csv_rows(tmp_path / "run" / "evaluations.csv")] == ["0", "2", "3"]
    answers = iter([0.3])
    monkeypatch.setattr(MolGANConfig, "score", lambda self, results: next(answers))
    resume(tmp_path / "run", "--epochs", "4")
    assert [row["steps"] for row in csv_rows(tmp_path / "run" / "evaluations.csv")] == ["0", "2", "4"]
    assert names(tmp_path / "run" / "checkpoints", "best-*") == ["best-000000004"]


@pytest.mark.slow
def test_a_run_resumed_before_its_best_generator_keeps_a_new_best_one(run_dir, monkeypatch):
    """Otherwise, if the repeated epochs score lower, as on another machine, no generator would ever be kept."""
    stub_updates(monkeypatch)
    for best in (run_dir / "checkpoints").glob("best-*"):
        best.rename(best.with_name("best-000000008"))
    resume(run_dir / "checkpoints" / "step-000000004")
    assert names(run_dir / "checkpoints", "best-*") == ["best-000000008"]
    assert len(csv_rows(run_dir / "evaluations.csv")) == 3


@pytest.mark.slow
def test_a_stopped_run_is_saved_as_of_its_last_epoch_and_says_how_to_resume(tmp_path, capsys, monkeypatch):
    signals = iter([signal.SIGTERM])  # the resumed run makes the third update once more
    stub_updates(
        monkeypatch,
        then=lambda agent: [signal.raise_signal(number) for number in signals] if agent.updates == 3 else None,
    )
    run_dir = train(tmp_path / "run", 4, code=143)
    places = (shown(path, Path.cwd()) for path in (run_dir, tmp_path / "plots"))
    command = "python -m ddpg.molgan train --resume {} --plot-dir {}".format(*places)
    assert capsys.readouterr().err.splitlines()[-1] == f"python -m ddpg.molgan: stopped; resume with: {command}"
    assert find_checkpoint(run_dir).name == "step-000000002"  # left before the fourth update
    assert [row["epoch"] for row in csv_rows(run_dir / "epochs.csv")] == ["1"]
    assert main(command.split()[3:]) == 0
    assert [row["epoch"] for row in csv_rows(run_dir / "epochs.csv")] == ["1", "2", "3", "4"]


def test_a_second_signal_ends_the_run_at_once_and_prints_the_command_too(tmp_path, capsys, monkeypatch):
    def raise_twice(agent):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    stub_updates(monkeypatch, then=raise_twice)
    run_dir = train(tmp_path / "run", 4, code=130)
    command = f"python -m ddpg.molgan train --resume {run_dir} --plot-dir {tmp_path / 'plots'}"
    assert capsys.readouterr().err.splitlines()[-1] == f"python -m ddpg.molgan: interrupted; resume with: {command}"
    assert find_checkpoint(run_dir).name == "step-000000000"


def test_broken_networks_are_not_kept(run_dir, capsys, monkeypatch):
    def break_generator(agent):
        agent.generator.variables[0].assign(agent.generator.variables[0] * np.nan)

    stub_updates(monkeypatch, then=break_generator)  # the metrics, computed before the step, are finite
    resume(run_dir, "--epochs", "6", code=1)
    assert f"the networks became NaN or infinite; the last valid checkpoint is in {run_dir}" in capsys.readouterr().err
    assert find_checkpoint(run_dir).name == "step-000000008"


def test_a_full_disk_stops_the_run_in_one_line(run_dir, capsys, monkeypatch):
    def add(self, name, row):
        raise OSError(28, "No space left on device", f"{name}.csv")

    monkeypatch.setattr(RunLog, "add", add)
    stub_updates(monkeypatch)
    resume(run_dir, "--epochs", "6", code=1)
    assert capsys.readouterr().err == (
        "python -m ddpg.molgan: stopped: cannot write epochs.csv: No space left on device; "
        f"the last complete checkpoint in {run_dir} is intact\n"
    )


@pytest.mark.slow
def test_the_plots_are_drawn_even_if_no_generated_graph_is_valid(monkeypatch, tmp_path):
    stubbed_run(monkeypatch, tmp_path / "run", [0.1, 0.2, 0.3], epochs=2)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (tmp_path / "plots").iterdir())
    assert names(tmp_path / "plots") == ["molgan-run-molecules.png", "molgan-run.png"]
    monkeypatch.setattr("ddpg.molgan.training_run.to_molecules", lambda graphs: [None] * len(graphs.atoms))
    stubbed_run(monkeypatch, tmp_path / "empty", [0.1, 0.2, 0.3], epochs=2)
    assert names(tmp_path / "plots", "molgan-empty*") == ["molgan-empty.png"]


@pytest.mark.parametrize(("change", "file"), [({"updates": -1}, "run.json"), ({"latent_size": 10**9}, "variables.npz")])
def test_a_checkpoint_with_impossible_numbers_is_named_and_takes_no_memory(run_dir, capsys, change, file):
    """Its checksums are right: whoever changed it has changed them, too."""
    from ddpg.storage.files import checksum

    checkpoint_dir = find_checkpoint(run_dir)
    description, manifest = (json.loads((checkpoint_dir / f"{name}.json").read_text()) for name in ("run", "manifest"))
    description.update({name: value for name, value in change.items() if name in description})
    description["config"].update({name: value for name, value in change.items() if name in description["config"]})
    (checkpoint_dir / "run.json").write_text(json.dumps(description))
    manifest["files"]["run.json"] = [
        (checkpoint_dir / "run.json").stat().st_size,
        checksum(checkpoint_dir / "run.json"),
    ]
    (checkpoint_dir / "manifest.json").write_text(json.dumps(manifest))
    resume(run_dir, code=2)
    assert f"--resume: {checkpoint_dir / file} is corrupt or not a checkpoint" in capsys.readouterr().err
