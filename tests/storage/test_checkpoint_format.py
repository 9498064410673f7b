"""A checkpoint folder on the disk: what it holds, and what is refused in one line before anything is used."""

import json
import re
import zipfile

import keras
import numpy as np
import pytest

from ddpg import Config, RequestError
from ddpg.policy import evaluate
from ddpg.run import train
from ddpg.storage.checkpoint_format import (
    CorruptFileError,
    SavedCheckpoint,
    Snapshot,
    as_corrupt_file,
    named_variables,
    non_negative_int,
    read_json,
    take_snapshot,
    write_snapshot,
)
from ddpg.storage.files import checksum
from tests.helpers.runs import names

ARRAYS = {"weight": np.float32([[1, 2, 3]]), "iterations": np.int64(7)}
FORMAT_1 = {"format": "ddpg checkpoint 1", "files": {}, "replay": []}
FORMAT_2 = {"kind": "ddpg", "format": 2, "files": {}, "replay": []}


@pytest.fixture
def saved(tmp_path):
    """A tiny checkpoint in a run folder."""
    path = tmp_path / "run" / "checkpoints" / "step-000000010"
    path.parent.mkdir(parents=True)
    write_snapshot(path, Snapshot("ddpg", 10, ARRAYS, {"number": 3, "words": {}}), [(0, 10, "abc")])
    return path


def dense(units: int = 3):
    layer = keras.layers.Dense(units)
    layer.build((None, 2))
    return layer


def saved_layer(folder):
    """Return a layer, and a checkpoint of it that has been opened."""
    layer = dense()
    write_snapshot(folder / "step-000000001", take_snapshot("ddpg", 1, {"layer": layer}, {}))
    return layer, SavedCheckpoint(folder / "step-000000001", "ddpg", {})


def test_the_manifest_holds_kind_format_and_the_sizes_and_checksums_of_the_other_files(saved):
    assert names(saved) == ["manifest.json", "run.json", "variables.npz"]
    files = {name: [(saved / name).stat().st_size, checksum(saved / name)] for name in ("run.json", "variables.npz")}
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest == {"kind": "ddpg", "format": 3, "files": files, "replay": [[0, 10, "abc"]]}


def test_what_was_written_is_read_back(saved):
    checkpoint = SavedCheckpoint(saved, "ddpg", {"number": int, "words": dict})
    assert checkpoint.description == {"number": 3, "words": {}}
    assert (checkpoint.path, checkpoint.run_dir) == (saved, saved.parent.parent)
    with np.load(saved / "variables.npz") as arrays:
        assert {name: arrays[name].tolist() for name in arrays.files} == {"weight": [[1, 2, 3]], "iterations": 7}


def test_variables_come_back_bit_for_bit(tmp_path):
    layer, checkpoint = saved_layer(tmp_path)
    other = dense()
    checkpoint.fill({"layer": other})
    for one, again in zip(layer.variables, other.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), again.numpy())


def test_variables_of_other_names_or_shapes_are_refused_with_nothing_assigned(tmp_path):
    _, checkpoint = saved_layer(tmp_path)
    for owners in ({"another": dense()}, {"layer": dense(4)}, {"layer": dense(), "more": dense()}, {}):
        before = {name: variable.numpy() for name, variable in named_variables(owners).items()}
        with pytest.raises(CorruptFileError, match=r"variables\.npz is corrupt or not a checkpoint of this project"):
            checkpoint.fill(owners)
        for name, variable in named_variables(owners).items():
            np.testing.assert_array_equal(variable.numpy(), before[name])


@pytest.mark.parametrize("kind", ["compressed", "version 2", "object", "fortran order"])
def test_arrays_in_another_form_are_refused(tmp_path, kind):
    """A compressed or pickled file could be far larger, or worse, than it looks."""
    layer, checkpoint = saved_layer(tmp_path)
    path = checkpoint.path / "variables.npz"
    arrays = {name: variable.numpy() for name, variable in named_variables({"layer": layer}).items()}
    if kind == "compressed":
        np.savez_compressed(path, **arrays)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w") as file:
                    array = array.astype(object) if kind == "object" else array
                    array = np.asfortranarray(array) if kind == "fortran order" else array
                    version = (2, 0) if kind == "version 2" else (1, 0)
                    np.lib.format.write_array(file, array, version, allow_pickle=kind == "object")
    with pytest.raises(CorruptFileError, match=r"variables\.npz is corrupt"):
        checkpoint.fill({"layer": dense()})


@pytest.mark.parametrize("part", ["run.json", "variables.npz"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "link"])
def test_a_damaged_file_is_named_by_its_path(saved, tmp_path, part, damage):
    path, data = saved / part, bytearray((saved / part).read_bytes())
    path.unlink()
    message = rf"^{re.escape(str(path))} is missing$"
    if damage == "cut":
        path.write_bytes(data[:-1])
        message = rf"^{re.escape(str(path))} is corrupt .*expected {len(data)} bytes, got {len(data) - 1}\)$"
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        message = rf"^{re.escape(str(path))} is corrupt .*\(checksum mismatch\)$"
    elif damage == "link":
        (tmp_path / "elsewhere").write_bytes(data)
        path.symlink_to(tmp_path / "elsewhere")
        message = rf"^{re.escape(str(path))} is a symbolic link"
    with pytest.raises(RequestError, match=message):
        SavedCheckpoint(saved, "ddpg", {})


@pytest.mark.parametrize(
    "manifest",
    [
        '{"model": "theirs"}',
        '{"kind": "ddpg", "format": "three", "files": {}}',
        '{"kind": "td3", "format": 3, "files": {}}',
        '{"kind": "ddpg", "format": 3, "files": {}}',
        '{"kind": "ddpg", "format": 3, "files": {"run.json": [1, ""], "../../passwords": [1, ""]}}',
        "[]",
        "{",
        "",
    ],
)
def test_a_manifest_of_another_project_or_version_is_refused(saved, manifest):
    (saved / "manifest.json").write_text(manifest)
    message = r"manifest\.json is corrupt or not a checkpoint of this project"
    with pytest.raises(CorruptFileError, match=message):
        SavedCheckpoint(saved, "ddpg", {})


@pytest.mark.parametrize("change", [{"format": 3.5}, {"format": "ddpg"}, {"kind": "td3"}])
def test_an_undamaged_checkpoint_of_another_format_or_kind_is_refused_before_its_files_are_read(saved, change):
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps(manifest | change))
    with pytest.raises(CorruptFileError, match=r"manifest\.json is corrupt .*its format is "):
        SavedCheckpoint(saved, "ddpg", {})


@pytest.mark.parametrize("fields", [{"number": str}, {"missing": int}, {"words": list}])
def test_values_that_are_missing_or_of_another_type_are_refused(saved, fields):
    with pytest.raises(CorruptFileError, match=r"run\.json is corrupt"):
        SavedCheckpoint(saved, "ddpg", fields)


@pytest.mark.parametrize("config", [{"speed": 9}, {"tau": 0}, {"hidden_units": 400}])
def test_settings_that_are_not_allowed_are_damage_to_the_file(tmp_path, config):
    path = tmp_path / "step-000000001"
    write_snapshot(path, Snapshot("ddpg", 1, {}, {"config": config}))
    with pytest.raises(CorruptFileError, match=rf"run\.json is corrupt .*{next(iter(config))}"):
        SavedCheckpoint(path, "ddpg", {"config": dict}).settings(Config)


def command_line_error(command, capsys, *flags: str) -> str:
    """Return the one line that a command prints as it exits with 2."""
    assert command.main(list(flags)) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    return captured.err


@pytest.mark.parametrize(
    ("content", "number"), [(FORMAT_1, 1), (FORMAT_1 | {"format": "molgan checkpoint 1"}, 1), (FORMAT_2, 2)]
)
def test_a_checkpoint_of_an_earlier_format_is_refused_in_one_plain_line(saved, capsys, content, number):
    (saved / "manifest.json").write_text(json.dumps(content))
    message = (
        f"{saved} has checkpoint format {number}, but this version reads format 3; "
        "train again, or use the version that wrote it\n"
    )
    run_dir = str(saved.parent.parent)
    assert command_line_error(train, capsys, "--resume", run_dir) == f"train.py: error: --resume: {message}"
    line = command_line_error(evaluate, capsys, "--checkpoint", run_dir)
    assert line == f"evaluate.py: error: --checkpoint: {message}"


def test_a_molgan_checkpoint_names_the_command_to_use(tmp_path, capsys):
    path = tmp_path / "run" / "checkpoints" / "step-000000010"
    path.parent.mkdir(parents=True)
    write_snapshot(path, Snapshot("molgan", 10, ARRAYS, {}))
    for command, flag in ((train, "--resume"), (evaluate, "--checkpoint")):
        line = command_line_error(command, capsys, flag, str(path))
        assert line.endswith(f"{flag}: {path} is a MolGAN checkpoint; use python -m ddpg.molgan\n")


def test_a_ddpg_checkpoint_given_to_molgan_names_the_commands_to_use(saved):
    with pytest.raises(RequestError) as caught:
        SavedCheckpoint(saved, "molgan", {})
    assert str(caught.value) == f"{saved} is a DDPG checkpoint; use train.py and evaluate.py"


def test_a_checkpoint_written_again_after_a_failure_has_nothing_of_the_first_try(tmp_path):
    partial = tmp_path / "step-000000001.partial"
    partial.mkdir()
    (partial / "left-over").touch()
    write_snapshot(tmp_path / "step-000000001", Snapshot("ddpg", 1, ARRAYS, {}))
    assert names(tmp_path) == ["step-000000001"]
    assert names(tmp_path / "step-000000001") == ["manifest.json", "run.json", "variables.npz"]


def test_a_huge_json_file_is_not_read(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"a": "b" * 100}))
    assert read_json(tmp_path / "a.json")["a"] == "b" * 100
    with pytest.raises(ValueError, match="it has 109 bytes"):
        read_json(tmp_path / "a.json", max_size=108)


def test_counters_are_whole_numbers_from_zero_on():
    assert [non_negative_int(value) for value in (0, 7)] == [0, 7]
    for value in (-1, 1.0, True, "1", None):
        with pytest.raises(ValueError, match="is not a non-negative whole number"):
            non_negative_int(value)


def test_a_reason_of_many_lines_becomes_one_short_line(tmp_path):
    with pytest.raises(CorruptFileError) as caught, as_corrupt_file(tmp_path):
        raise KeyError("one\ntwo\n" + "x" * 1_000)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(tmp_path)) + 300
