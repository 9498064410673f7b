"""A policy file is opened in a process of its own first: what that says, and what becomes of it."""

import json
import signal
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

from ddpg import RequestError
from ddpg.policy import policy_file
from ddpg.policy.policy_file import limit_computing, main, probe

GOOD = {"task": "T-v0", "state": ["a", "b"], "action": {"low": [-1.0], "high": [2.0]}}


def opened(monkeypatch, path, metadata=GOOD, run=lambda states: np.zeros((len(states), 1))) -> int:
    """Return the exit code of that process for a file of such metadata and such a policy."""
    functions = SimpleNamespace(read_metadata=lambda path: metadata, open_runtime=lambda path: run)
    monkeypatch.setattr(policy_file, "format_of", lambda path: "made up")
    monkeypatch.setitem(policy_file.FORMATS, "made up", SimpleNamespace(functions=functions))
    monkeypatch.setattr(policy_file, "limit_computing", lambda: None)
    return main(path)


def test_a_policy_prints_its_metadata(monkeypatch, tmp_path, capsys):
    seen = []

    def run(states):
        seen.append((states.shape, states.dtype))
        return np.zeros((len(states), 1))

    assert opened(monkeypatch, tmp_path, run=run) == 0
    assert json.loads(capsys.readouterr().out) == GOOD
    assert seen == [((1, 2), np.float32), ((3, 2), np.float32)]


@pytest.mark.parametrize(("change", "reason"), [
    ({"task": ""}, "ValueError: its metadata contradict each other"),
    ({"action": {"low": [-1.0], "high": [2.0, 3.0]}}, "ValueError: its metadata contradict each other"),
    ({"action": {"low": [[-1.0]], "high": [[2.0]]}}, "ValueError: its metadata contradict each other"),
    ({"action": {"low": [2.0], "high": [2.0]}}, "ValueError: its metadata contradict each other"),
    ({"action": {"high": [2.0]}}, "KeyError: 'low'"),
    ({"state": None}, "TypeError: object of type 'NoneType' has no len()"),
])  # fmt: skip
def test_metadata_that_make_no_sense_are_one_line_and_exit_code_3(monkeypatch, tmp_path, capsys, change, reason):
    assert opened(monkeypatch, tmp_path, GOOD | change) == 3
    assert capsys.readouterr() == ("", f"{reason}\n")


@pytest.mark.parametrize(("run", "reason"), [
    (lambda states: np.zeros((1, 1)), "ValueError: it answers 3 states with [[0.0]]"),
    (lambda states: np.zeros((len(states), 2)), "ValueError: it answers 1 states with [[0.0, 0.0]]"),
    (lambda states: np.full((len(states), 1), np.nan), "ValueError: it answers 1 states with [[nan]]"),
    (lambda states: [][0], "IndexError: list index out of range"),
])  # fmt: skip
def test_answers_that_are_no_actions_are_one_line_and_exit_code_3(monkeypatch, tmp_path, capsys, run, reason):
    assert opened(monkeypatch, tmp_path, run=run) == 3
    assert capsys.readouterr() == ("", f"{reason}\n")


def ended(monkeypatch, returncode=0, stdout="", stderr=""):
    done = SimpleNamespace(returncode=returncode, stdout=stdout, stderr=stderr)
    monkeypatch.setattr(policy_file.subprocess, "run", lambda command, **options: done)


def test_the_metadata_are_the_last_line_for_the_file_itself_may_print(monkeypatch, tmp_path):
    ended(monkeypatch, 0, "loading\n[1]\n" + json.dumps(GOOD) + "\n")
    assert probe(tmp_path / "p.onnx") == GOOD


@pytest.mark.parametrize(("returncode", "stdout", "stderr", "reason"), [
    (3, "", "a warning\nValueError: no\n", r"\(ValueError: no\)"),
    (3, "", "", r"\(it cannot be read\)"),
    (3, "", "x" * 300, rf"\({'x' * 200}\)"),
    (-11, "", "Segmentation fault", r"\(it cannot be read\)"),
    (-signal.SIGXCPU, "", "", r"\(reading it takes too long\)"),
    (0, "", "", r"\(it prints what is no metadata\)"),
    (0, "hello", "", r"\(it prints what is no metadata\)"),
])  # fmt: skip
def test_however_the_process_ends_the_file_is_refused_in_one_line(
    monkeypatch, tmp_path, returncode, stdout, stderr, reason
):
    ended(monkeypatch, returncode, stdout, stderr)
    with pytest.raises(RequestError, match=rf"p\.onnx is corrupt or not a policy file of this project {reason}$"):
        probe(tmp_path / "p.onnx")


def test_a_process_that_does_not_end_is_given_up(monkeypatch, tmp_path):
    def run(command, timeout, env, **options):
        assert timeout == 600 and env["DDPG_PROBE_SECONDS"] == "60"
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(policy_file.subprocess, "run", run)
    with pytest.raises(RequestError, match="reading it takes too long"):
        probe(tmp_path / "p.onnx")


def test_the_computing_of_the_process_is_limited_by_the_system(monkeypatch):
    resource, given = pytest.importorskip("resource"), []
    monkeypatch.setattr(resource, "setrlimit", lambda *limits: given.append(limits))
    limit_computing()
    monkeypatch.setenv("DDPG_PROBE_SECONDS", "7")
    limit_computing()
    assert given == [(resource.RLIMIT_CPU, (60, 65)), (resource.RLIMIT_CPU, (7, 12))]
