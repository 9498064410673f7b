"""An exported file is the whole policy: the agent's own actions, in the task's units, from a file that was verified."""

import json

import keras
import numpy as np
import pytest

from ddpg import RequestError, load_policy
from ddpg.command import packages
from ddpg.export import export_policy
from ddpg.export.__main__ import main
from ddpg.policy import export
from ddpg.policy.formats import FORMATS
from ddpg.policy.plain_policy import exact_actions, scaling_to
from ddpg.policy.policy_file import FilePolicy
from tests.helpers.pages import Page, code_spans

pytestmark = pytest.mark.usefixtures("few_states")
ENDINGS = {name: format.suffix for name, format in FORMATS.items()}
DICT_NAMES = [
    'state["speed"][0]', 'state["speed"][1]',
    'state["camera"][0, 0]', 'state["camera"][0, 1]', 'state["camera"][1, 0]', 'state["camera"][1, 1]',
    'state["gear"] == -1', 'state["gear"] == 0', 'state["gear"] == 1',
    'state["pair"][0] number 0 of the flattened MultiBinary', 'state["pair"][0] number 1 of the flattened MultiBinary',
    'state["pair"][1]',
]  # fmt: skip


def test_the_pages_know_every_format_with_its_ending_and_whom_to_trust():
    page = Page("docs/deployment.md")
    rows = page.table("format", "file", "runs with", "metadata")
    assert {code_spans(row["format"])[0]: "".join(code_spans(row["file"])) for row in rows} == ENDINGS
    trusted = [name for row in page.table("format", "safe to take from anybody?") for name in code_spans(row["format"])]
    assert trusted == list(FORMATS)


@pytest.mark.parametrize("preset", ["blog", "paper"])
@pytest.mark.parametrize("name", ENDINGS)
def test_each_format_gives_the_agents_actions_in_the_tasks_own_units(trained_run, tmp_path, name, preset):
    run_dir, out = trained_run("Awkward-v0", preset), tmp_path / f"policy{ENDINGS[name]}"
    exported = export_policy(run_dir, out, name)
    assert exported.difference <= 1e-5
    assert FORMATS[name].functions.read_metadata(out) == json.loads(json.dumps(exported.metadata))
    policy, run = load_policy(run_dir), FORMATS[name].functions.open_runtime(out)
    for _ in range(5):
        state = policy.state_space.sample()
        flat = np.concatenate([np.ravel(part) for part in parts_in_order(state)]).astype(np.float32)
        action = run(flat[None])[0].reshape(2, 2)
        np.testing.assert_allclose(action, policy(state), atol=1e-4)
        assert policy.action_space.contains(action)


@pytest.mark.parametrize("name", ENDINGS)
def test_the_normalization_of_observations_is_in_the_file(trained_run, tmp_path, name):
    flags = ("--hidden-units", "16", "12", "--normalize-observations")
    run_dir, out = trained_run("Awkward-v0", flags=flags), tmp_path / f"policy{ENDINGS[name]}"
    assert export_policy(run_dir, out, name).difference <= 1e-5
    metadata_size, run = len(DICT_NAMES), FORMATS[name].functions.open_runtime(out)
    far = np.full((1, metadata_size), 1e6, np.float32)  # both are clipped to the same state
    np.testing.assert_array_equal(run(far), run(10 * far))


@pytest.mark.parametrize("name", ENDINGS)
def test_layer_normalization_is_in_the_file(trained_run, tmp_path, name):
    flags = ("--hidden-units", "16", "12", "--layer-normalization", "both")
    exported = export_policy(trained_run(flags=flags), tmp_path / f"policy{ENDINGS[name]}", name)
    assert exported.difference <= 1e-5


@pytest.mark.slow
def test_a_file_may_differ_by_some_times_the_rounding_of_the_agent_itself(trained_run, tmp_path, monkeypatch):
    """After a million steps the weights are large, and float32 is less exact than the tolerance."""
    run_dir, out = trained_run(), tmp_path / "policy.onnx"
    monkeypatch.setattr(export, "TOLERANCE", 1e-12)  # which float32 cannot keep
    monkeypatch.setattr(export, "ROUNDING", 100)
    assert export_policy(run_dir, out).difference > 1e-12
    monkeypatch.setattr(export, "ROUNDING", 0)
    with pytest.raises(RequestError, match="differs from the agent by"):
        export_policy(run_dir, out, overwrite=True)


def test_exact_actions_are_computed_in_float64(trained_run):
    policy = load_policy(trained_run())
    states = np.array([policy.state_space.sample() for _ in range(20)], np.float32)
    exact = exact_actions(policy.agent, *policy.bounds(), states)
    assert exact.dtype == np.float64
    differences = exact - np.array([policy(state) for state in states])
    assert 0 < np.abs(differences).max() < 1e-5
    assert keras.config.floatx() == keras.config.dtype_policy().name == "float32"


def parts_in_order(state):
    """The parts of a state of Awkward-v0 in the order of the flat state, written out by hand as `DICT_NAMES` is."""
    return state["speed"], state["camera"], np.eye(3)[int(state["gear"]) + 1], *state["pair"]


def test_the_metadata_say_what_each_number_is_and_where_the_policy_comes_from(trained_run, tmp_path):
    export_policy(trained_run("Awkward-v0"), tmp_path / "policy.onnx")
    metadata = FORMATS["onnx"].functions.read_metadata(tmp_path / "policy.onnx")
    assert metadata["state"] == DICT_NAMES
    assert metadata["task"] == "Awkward-v0"
    assert metadata["action"] == {"shape": [2, 2], "dtype": "float32", "low": [-2, 0, 5, -1], "high": [2, 10, 6, 3]}
    assert metadata["step"] == metadata["evaluation"]["steps"] == 200
    assert metadata["versions"]["keras"] == keras.__version__
    table = Page("docs/export-format.md").table("key", "value")
    assert [code_spans(row["key"])[0] for row in table] == list(metadata)


def test_the_onnx_graph_has_named_ends_and_a_dynamic_batch(trained_run, tmp_path):
    import onnx

    export_policy(trained_run(), tmp_path / "policy.onnx")
    model = onnx.load(tmp_path / "policy.onnx")
    assert (model.opset_import[0].version, model.ir_version) == (17, 8)  # which runtimes of 2022 know
    graph = model.graph
    for value, name, size in ((graph.input[0], "state", 3), (graph.output[0], "action", 1)):
        assert value.name == name
        assert [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim] == ["batch", size]
    with pytest.raises(RequestError, match=r"policy\.onnx already exists"):
        export_policy(trained_run(), tmp_path / "policy.onnx")
    with pytest.raises(RequestError, match="quantize: only the format litert can be quantized, not onnx"):
        export_policy(trained_run(), tmp_path / "other.onnx", quantize=True)


@pytest.mark.slow
def test_infinite_bounds_are_replaced_as_in_training(trained_run, tmp_path):
    """With --action-bound, the file's actions end where the agent's do."""
    run_dir = trained_run("Bounds-v0", flags=(
        "--env-kwargs", '{"low": [-Infinity], "high": [3]}', "--action-bound", "7", "--hidden-units", "8", "8",
        "--max-episode-steps", "10",
    ))  # fmt: skip
    exported = export_policy(run_dir, tmp_path / "policy.onnx")
    assert (exported.metadata["action"]["low"], exported.metadata["action"]["high"]) == ([-7], [3])


@pytest.mark.parametrize(("low", "high"), [(-2, 2), (0.1, 0.3), (-1e-3, 7), (1e6, 1e6 + 1), (-0.7, 0.1)])
def test_rounding_never_takes_an_action_beyond_its_bounds(low, high):
    scale, offset = scaling_to(np.array([low], np.float32), np.array([high], np.float32))
    assert offset + scale <= np.float32(high)
    assert offset - scale >= np.float32(low)
    assert scale == pytest.approx((np.float32(high) - np.float32(low)) / 2, rel=1e-3, abs=0.1 if low == 1e6 else 0)


@pytest.mark.slow
def test_a_converter_that_writes_nonsense_is_caught_and_leaves_no_file(trained_run, tmp_path, monkeypatch):
    """TFLiteConverter.from_concrete_functions is such a converter: without a word, its file answers NaN."""
    import tensorflow as tf

    def broken(model):
        call = tf.function(model).get_concrete_function(tf.TensorSpec([None, 3], tf.float32))
        return tf.lite.TFLiteConverter.from_concrete_functions([call], model)

    monkeypatch.setattr(tf.lite.TFLiteConverter, "from_keras_model", broken)
    with pytest.raises(RequestError, match=r"differs from the agent by .* of the action range"):
        export_policy(trained_run(), tmp_path / "policy.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDINGS)
def test_a_file_that_differs_from_the_agent_is_an_error_and_leaves_no_file(trained_run, tmp_path, monkeypatch, name):
    plain_policy = export.plain_policy

    def wrong(agent, low, high):
        return plain_policy(agent, low, high + 1e-3)

    monkeypatch.setattr(export, "plain_policy", wrong)
    with pytest.raises(RequestError, match=f"the {name} file differs from the agent by .* so it was not kept"):
        export_policy(trained_run(), tmp_path / f"policy{ENDINGS[name]}", name)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_while_the_file_is_written_leaves_no_file(trained_run, tmp_path, monkeypatch):
    import os

    run_dir = trained_run()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        export_policy(run_dir, tmp_path / "policy.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_quantized_file_is_smaller_and_says_what_it_costs(trained_run, tmp_path, capsys):
    run_dir = trained_run(flags=("--hidden-units", "64", "64"))
    export_policy(run_dir, tmp_path / "float.tflite")
    capsys.readouterr()
    command = ["--checkpoint", str(run_dir), "--out", str(tmp_path / "int8.tflite"), "--quantize", "--episodes", "2"]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["litert", "difference", "float", "quantized"]
    assert 1e-5 < float(lines[1].split()[1]) < 0.2
    float_size, int8_size = ((tmp_path / f"{name}.tflite").stat().st_size for name in ("float", "int8"))
    assert int8_size < 0.6 * float_size
    assert FilePolicy(tmp_path / "int8.tflite").metadata["quantized"] == "int8"


def test_several_formats_come_from_one_command(trained_run, tmp_path, capsys):
    command = ["--checkpoint", str(trained_run()), "--out", str(tmp_path / "policy"), "--format", "onnx", "keras"]
    assert main(command) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"policy.onnx", "policy.keras", "policy.keras.json"}
    assert capsys.readouterr().out.count("of the action range at most, in ") == 2


@pytest.mark.parametrize("best", [False, True])
def test_best_exports_the_checkpoint_that_evaluated_best(best_run, tmp_path, best):
    """It has no replay buffer; the states to compare come from the newest checkpoint's."""
    exported = export_policy(best_run, tmp_path / "policy.onnx", best=best)
    assert exported.metadata["step"] == (200 if best else 400)
    assert exported.metadata["evaluation"]["mean"] == (-5 if best else -7)
    assert exported.states >= 180
    words = ["--checkpoint", str(best_run), "--out", str(tmp_path / "same.onnx")]
    assert main([*words, "--best"] if best else words) == 0
    assert FORMATS["onnx"].functions.read_metadata(tmp_path / "same.onnx") == exported.metadata
    name = "best-000000200" if best else "step-000000400"
    expected, own = load_policy(best_run / "checkpoints" / name), load_policy(best_run, best)
    run = FORMATS["onnx"].functions.open_runtime(tmp_path / "policy.onnx")
    state = np.float32([0.6, 0.8, -1])
    assert own(state) == expected(state) == pytest.approx(run(state[None])[0], abs=1e-5)


@pytest.mark.parametrize(("words", "message"), [
    (["--checkpoint", "nowhere", "--out", "p.onnx"], "--checkpoint: there is no folder nowhere"),
    (["--checkpoint", "RUN", "--out", "policy"], "--format: the ending of policy names no format"),
    (["--checkpoint", "RUN", "--out", "no/such/p.onnx"], "--out: there is no folder no/such"),
    (["--checkpoint", "RUN", "--out", "p.onnx", "--quantize"], "--quantize: only the format litert"),
    (["--checkpoint", "RUN", "--out", "taken.onnx"], "--out: taken.onnx already exists"),
    (["--checkpoint", "RUN", "--out", "taken", "--format", "keras", "onnx"], "--out: taken.onnx already exists"),
])  # fmt: skip
def test_a_request_that_cannot_be_met_is_one_line_and_writes_nothing(
    trained_run, tmp_path, monkeypatch, capsys, words, message
):
    run_dir = trained_run()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken.onnx").write_text("mine")
    assert main([str(run_dir) if word == "RUN" else word for word in words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["taken.onnx"]
    assert (tmp_path / "taken.onnx").read_text() == "mine"


def test_a_missing_package_is_named_with_the_line_that_installs_it(trained_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    assert main(["--checkpoint", str(trained_run()), "--out", str(tmp_path / "p.tflite")]) == 2
    err = capsys.readouterr().err
    assert "the format litert needs ai_edge_litert; install it with: " in err
    assert err.endswith("pip install ai-edge-litert\n")


@pytest.mark.slow
def test_overwrite_replaces_a_file_and_a_folder(trained_run, tmp_path):
    for out, name in ((tmp_path / "policy.onnx", "onnx"), (tmp_path / "policy", "saved_model")):
        for overwrite in (False, True):
            export_policy(trained_run(), out, name, overwrite=overwrite)
        assert FilePolicy(out).metadata["task"] == "Pendulum-v1"


def test_a_litert_file_carries_its_metadata_beside_it(trained_run, tmp_path):
    exported = export_policy(trained_run(), tmp_path / "policy.tflite")
    assert json.loads((tmp_path / "policy.tflite.json").read_text()) == json.loads(json.dumps(exported.metadata))


def test_a_layer_that_no_format_knows_is_refused_by_its_name():
    import keras

    from ddpg.policy.onnx_file import onnx_nodes
    from ddpg.policy.plain_policy import copied

    state = keras.Input((3,))
    layer = keras.layers.GroupNormalization(1, name="mine")
    with pytest.raises(
        RequestError, match="the layer 'mine' is a GroupNormalization, which the file formats do not know"
    ):
        copied(layer, state)
    with pytest.raises(RequestError, match="the layer 'mine' is a GroupNormalization, which ONNX files do not know"):
        onnx_nodes(keras.Model(state, layer(state)))
