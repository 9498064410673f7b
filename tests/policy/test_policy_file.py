"""An exported file evaluates like its checkpoint, and a hostile one is refused in one line."""

import json
import random
import shutil

import pytest

from ddpg.export import export_policy
from ddpg.policy.evaluate import main as evaluate


def figures(capsys, *words) -> dict:
    assert evaluate([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])  # training may have printed before


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".onnx", ".tflite", ".keras", ""])
def test_a_file_returns_what_its_checkpoint_returns(trained_run, tmp_path, capsys, ending):
    run_dir, out = trained_run(), tmp_path / f"policy{ending}"
    export_policy(run_dir, out, None if ending else "saved_model")
    checkpoint = figures(capsys, "--checkpoint", run_dir, "--episodes", 3, "--seed", 7)
    file = figures(capsys, "--policy", out, "--env", "Pendulum-v1", "--episodes", 3, "--seed", 7)
    assert file["policy"] == str(out)
    assert file["returns"] == pytest.approx(checkpoint["returns"], rel=1e-3)


@pytest.mark.slow
def test_the_task_comes_from_the_file_with_its_own_arguments(trained_run, tmp_path, capsys):
    run_dir = trained_run("Bounds-v0", flags=(
        "--env-kwargs", '{"low": [-4], "high": [3]}', "--hidden-units", "8", "8", "--max-episode-steps", "10",
    ))  # fmt: skip
    export_policy(run_dir, tmp_path / "policy.onnx")
    assert figures(capsys, "--policy", tmp_path / "policy.onnx", "--episodes", 2)["returns"] == [10, 10]


def refused(capsys, *words) -> str:
    assert evaluate([*map(str, words)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Traceback" not in error
    return error


def test_a_task_of_other_sizes_is_refused(trained_run, tmp_path, capsys):
    export_policy(trained_run(), tmp_path / "policy.onnx")
    assert "--env: Endless-v0 has state and action sizes (1, 1)" in refused(
        capsys, "--policy", tmp_path / "policy.onnx", "--env", "Endless-v0"
    )


def test_an_option_of_the_other_source_is_refused(tmp_path, capsys):
    assert "--best: needs --checkpoint" in refused(capsys, "--policy", tmp_path, "--best")


def test_a_foreign_onnx_file_is_refused(tmp_path, capsys):
    """A valid model, but no policy: other names, and no metadata."""
    import onnx
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 3]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "other.onnx")
    assert "is corrupt or not a policy file of this project" in refused(capsys, "--policy", tmp_path / "other.onnx")


def test_a_file_too_large_for_a_policy_is_not_read(tmp_path, capsys):
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(2**31)
    assert "too many for a policy" in refused(capsys, "--policy", tmp_path / "huge.onnx")


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return a file's bytes cut short, overwritten in places, or replaced."""
    kind = rng.randrange(4)
    if kind == 0:
        return content[: rng.randrange(len(content))]
    if kind == 1:
        return rng.randbytes(rng.randrange(1, 5_000))
    changed = bytearray(content)
    edge = len(changed) if kind == 2 else 400  # the headers, or anywhere
    for _ in range(rng.choice((1, 10, 200))):
        changed[rng.randrange(edge)] = rng.choice((0, 255, rng.randrange(256)))
    return bytes(changed)


@pytest.mark.parametrize("count", [3, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1_800)])])
@pytest.mark.parametrize("ending", [".onnx", ".tflite"])
def test_damaged_files_never_crash_the_command(trained_run, tmp_path, capsys, ending, count):
    """Each either still is a policy or is refused in one line; some crash the library that reads them."""
    export_policy(trained_run(), tmp_path / f"policy{ending}")
    content, rng = (tmp_path / f"policy{ending}").read_bytes(), random.Random(1)
    for number in range(count):
        path = tmp_path / f"damaged-{number}{ending}"
        path.write_bytes(damaged(content, rng))
        if ending == ".tflite":
            shutil.copy(tmp_path / "policy.tflite.json", tmp_path / f"damaged-{number}.tflite.json")
        code = evaluate(["--policy", str(path), "--episodes", "1"])
        output = capsys.readouterr()
        assert code in (0, 1, 2), output.err
        assert "Traceback" not in output.err
        assert output.err.count("\n") == (code != 0), output.err


@pytest.mark.slow
def test_the_time_to_open_a_file_is_counted_in_computing_and_not_by_the_clock(tmp_path, monkeypatch):
    """On a busy machine a good file takes long by the clock; one that computes for ever is given up."""
    import subprocess
    import sys
    import time

    from ddpg import RequestError
    from ddpg.policy import policy_file

    (tmp_path / "p.onnx").write_bytes(b"x")
    own, busy = subprocess.run, "while True: pass"
    waiting = "import time; time.sleep(3); print('{}')"

    def run_instead(code):
        start = "from ddpg.policy.policy_file import limit_computing; limit_computing()"
        return lambda command, **options: own([sys.executable, "-c", f"{start}; {code}"], **options)

    monkeypatch.setattr(policy_file, "PROBE_SECONDS", 2)
    monkeypatch.setattr(policy_file.subprocess, "run", run_instead(waiting))
    assert policy_file.probe(tmp_path / "p.onnx") == {}
    monkeypatch.setattr(policy_file.subprocess, "run", run_instead(f"exec({busy!r})"))
    begin = time.monotonic()
    with pytest.raises(RequestError, match="reading it takes too long"):
        policy_file.probe(tmp_path / "p.onnx")
    assert time.monotonic() - begin < 60
