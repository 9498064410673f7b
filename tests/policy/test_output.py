"""What an export may replace, and how far a file may be from the agent."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ddpg import RequestError
from ddpg.export.__main__ import outputs_of
from ddpg.policy import export
from ddpg.policy.export import Source, check_output, is_own_folder, write_policy
from ddpg.policy.formats import format_of, format_to_write, require_packages

OWN = '{"task": "T", "state": [], "action": {}}'
STATES = np.zeros((30, 3), np.float32)
LOW, HIGH = np.array([-2.0, 0.0]), np.array([2.0, 1.0])
ACTIONS = np.tile(np.array([[1.0, 0.5]]), (30, 1))


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return a function that exports a policy whose file answers `run(states)`; it returns what was exported."""

    def write(model, metadata, path):
        path.write_text("policy")

    def written(run, quantize=False, tolerance=1e-5, usual=30):
        functions = SimpleNamespace(
            write=write, write_quantized=lambda *arguments: write(*arguments[:3]), open_runtime=lambda path: run
        )
        monkeypatch.setitem(export.FORMATS, "made up", SimpleNamespace(functions=functions))
        policy = SimpleNamespace(bounds=lambda: (LOW, HIGH))
        source = Source(policy, None, {}, STATES, ACTIONS, usual, tolerance)
        return write_policy(source, tmp_path / "policy", "made up", quantize)

    return written


def off_by(first=0.0, second=0.0, row=17):
    """Return a policy that is wrong in one row of many."""

    def run(states):
        actions = ACTIONS[: len(states)].copy()
        if len(states) > row:
            actions[row] += (first, second)
        return actions

    return run


@pytest.mark.parametrize(("wrong", "share"), [((0.4, 0), 0.1), ((0, -0.1), 0.1), ((0.4, 0.2), 0.2)])
def test_the_difference_is_the_largest_of_all_actions_in_shares_of_each_range(written, wrong, share):
    exported = written(off_by(*wrong), tolerance=0.5)
    assert exported.difference == pytest.approx(share) and exported.states == 30
    assert exported.path.read_text() == "policy"


def test_states_go_in_all_at_once_and_one_by_one(written):
    assert written(lambda states: ACTIONS[: len(states)] + 0.1 * (len(states) == 1), tolerance=1).difference > 0.09


def refused(written, tmp_path, *arguments, **words):
    with pytest.raises(RequestError, match=r"differs from the agent by .* so it was not kept"):
        written(*arguments, **words)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_further_away_than_the_tolerance_is_not_kept(written, tmp_path):
    refused(written, tmp_path, off_by(0.41), tolerance=0.1)
    written(off_by(0.39), tolerance=0.1)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1.1])
def test_an_action_that_is_no_number_or_beyond_its_bounds_is_not_kept_at_any_tolerance(written, tmp_path, wrong):
    refused(written, tmp_path, off_by(wrong), tolerance=9.0)
    refused(written, tmp_path, off_by(-2 * 3.1 if np.isfinite(wrong) else wrong), tolerance=9.0)


def test_a_quantized_file_may_differ_and_is_compared_in_usual_states_alone(written, tmp_path):
    assert written(off_by(0.4, row=7), quantize=True, usual=10).difference == pytest.approx(0.1)
    assert written(off_by(0.4, row=17), quantize=True, usual=10).difference == 0
    assert written(off_by(1.2), quantize=True).difference == pytest.approx(0.3)  # rounded beyond its bound
    (tmp_path / "policy").unlink()
    refused(written, tmp_path, off_by(np.nan), quantize=True)


def test_a_folder_takes_the_place_of_the_one_before_and_nothing_of_that_is_left(tmp_path, monkeypatch):
    def write(model, metadata, path):
        path.mkdir()
        (path / "saved_model.pb").write_text("new")

    functions = SimpleNamespace(write=write, open_runtime=lambda path: lambda states: ACTIONS[: len(states)])
    monkeypatch.setitem(export.FORMATS, "made up", SimpleNamespace(functions=functions))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "fingerprint.pb").write_text("old")
    policy = SimpleNamespace(bounds=lambda: (LOW, HIGH))
    write_policy(Source(policy, None, {}, STATES, ACTIONS, 30, 1e-5), tmp_path / "model", "made up")
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "saved_model.pb"]


def test_the_ranges_of_integers_come_from_the_usual_states_alone(tmp_path, monkeypatch):
    """At most about 500 of them; random and large states would make the steps too coarse."""
    given = {}

    def write_quantized(model, metadata, path, states):
        given[len(given)] = states
        path.write_text("policy")

    functions = SimpleNamespace(
        write_quantized=write_quantized, open_runtime=lambda path: lambda x: np.zeros((len(x), 2))
    )
    monkeypatch.setitem(export.FORMATS, "made up", SimpleNamespace(functions=functions))
    states = np.arange(5_000, dtype=np.float32).reshape(-1, 1)
    policy, actions = SimpleNamespace(bounds=lambda: (LOW, HIGH)), np.zeros((5_000, 2))
    for usual in (10, 1_200):
        write_policy(Source(policy, None, {}, states, actions, usual, 1.0), tmp_path / "p", "made up", quantize=True)
    assert given[0].ravel().tolist() == list(range(10))
    assert given[1].ravel().tolist() == list(range(0, 1_200, 3))


def test_only_a_folder_and_metadata_of_this_program_are_replaced(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for overwrite, message in ((False, "already exists"), (True, "is a folder that this program did not export")):
        with pytest.raises(RequestError, match=message):
            check_output(folder, overwrite, "saved_model")
    (folder / "saved_model.pb").touch()
    assert not is_own_folder(folder)
    (folder / "metadata.json").write_text(OWN)
    (folder / "variables").mkdir()
    assert is_own_folder(folder)
    check_output(folder, True, "saved_model")
    (tmp_path / "link").symlink_to(folder)
    assert not is_own_folder(tmp_path / "link")
    (folder / "notes.txt").touch()
    assert not is_own_folder(folder)


@pytest.mark.parametrize("name", ["policy.keras", "policy.keras.json"])
def test_a_file_and_the_metadata_beside_it_are_replaced_only_if_asked(tmp_path, name):
    check_output(tmp_path / "policy.keras", False, "keras")
    (tmp_path / name).write_text(OWN)
    with pytest.raises(RequestError, match=f"{name} already exists"):
        check_output(tmp_path / "policy.keras", False, "keras")
    check_output(tmp_path / "policy.keras", True, "keras")
    (tmp_path / "policy.keras.json").write_text('{"task": "mine"}')
    with pytest.raises(RequestError, match="holds no metadata of this program"):
        check_output(tmp_path / "policy.keras", True, "keras")
    check_output(tmp_path / "policy.keras", True)  # another format has no file beside it


def test_endings_name_formats_and_several_formats_have_their_endings(tmp_path):
    names = {"a.onnx": "onnx", "a.tflite": "litert", "a.keras": "keras"}
    for name, format in names.items():
        assert format_to_write(Path(name)) == format
        (tmp_path / name).touch()
        assert format_of(tmp_path / name) == format
    assert format_of(tmp_path) == "saved_model"
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "plain").touch()
    for path, message in (("folder.onnx", "is not a policy file"), ("plain", "is not a policy"), ("no", "is no file")):
        with pytest.raises(RequestError, match=message):
            format_of(tmp_path / path)
    assert outputs_of(Path("x/p"), ["onnx", "saved_model", "onnx"]) == {
        "onnx": Path("x/p.onnx"),
        "saved_model": Path("x/p"),
    }
    assert outputs_of(Path("x/p.q"), ["onnx"]) == {"onnx": Path("x/p.q")}


def test_a_missing_package_is_the_fault_of_the_format(monkeypatch):
    monkeypatch.setitem(export.FORMATS, "made up", SimpleNamespace(packages=("no_such_package",)))
    with pytest.raises(RequestError, match="the format made up needs no_such_package") as caught:
        require_packages("made up")
    assert caught.value.setting == "format"
