"""Standard streams of all kinds: missing, closed, full, of few letters, or shared with a task that prints."""

import io
import json
import os
import subprocess
import sys

import pytest

from ddpg.command.command import run_command
from ddpg.command.streams import ByProducts, note, prepare_streams, results_only
from ddpg.errors import one_line
from tests.helpers.pages import ROOT

RESULT = (
    "from ddpg.command.command import run_command; import sys; "
    "sys.exit(run_command('x', lambda: print('±' * {0}) or 0))"
)


def shell(command: str, **variables: str) -> subprocess.CompletedProcess:
    """Run a command by the shell, as a user does."""
    python = RESULT.format(10_000)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RUN": f'{sys.executable} -c "{python}"'} | variables
    return subprocess.run(["bash", "-c", command], env=environment, capture_output=True, timeout=60)


def test_letters_that_a_stream_cannot_show_are_replaced():
    done = shell('eval "$RUN"', PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"?" * 10_000 + b"\n", b"")


def test_help_is_shown_where_its_letters_are_not():
    for script in ("train.py", "evaluate.py"):
        command = [sys.executable, str(ROOT / script), "--help"]
        done = subprocess.run(command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_reader_that_has_gone_is_no_error():
    done = shell('set -o pipefail; eval "$RUN" | true; echo "code $?"')
    assert done.stdout in (b"code 141\n", b"code 0\n")
    assert done.stderr == b""


def test_results_that_cannot_be_written_are_no_trouble_of_the_disk():
    done = shell('eval "$RUN" > /dev/full')
    assert done.returncode == 1
    assert done.stderr == b"x: error: cannot write to the standard output: No space left on device\n"


def test_without_stderr_a_command_works_as_with_it(monkeypatch, capsys):
    assert shell('eval "$RUN" 2>&-').returncode == 0
    monkeypatch.setattr(sys, "stderr", None)
    prepare_streams()
    note("nobody reads this")
    assert run_command("x", lambda: 0) == 0


def test_what_others_print_does_not_come_between_the_results():
    """Also what C code prints, which knows no `sys.stdout`."""
    code = (
        "import os\nfrom ddpg.command.streams import results_only\n"
        "with results_only() as results:\n"
        "    print('a task'); os.system('echo a library'); print('{}', file=results)\nprint('after')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "{}\nafter\n"
    assert sorted(done.stderr.splitlines()) == ["a library", "a task"]


def test_results_reach_a_stream_that_is_no_file(capsys):
    with results_only() as results:
        print("noise")
        print(json.dumps({"mean": 1.0}), file=results)
    assert capsys.readouterr() == ('{"mean": 1.0}\n', "noise\n")


def test_a_by_product_that_fails_is_noted_once_and_ends_nothing(capsys):
    by_products = ByProducts()
    for _ in range(3):
        with by_products("the reward curve"):
            raise RuntimeError("no LaTeX")
    assert capsys.readouterr().err == "note: the reward curve failed (no LaTeX); the run goes on without it\n"
    with pytest.raises(KeyboardInterrupt), by_products("the progress bar"):
        raise KeyboardInterrupt


def test_a_note_on_a_closed_stream_is_lost_and_nothing_else(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    note("lost")  # it would raise
    assert sys.stderr is closed


def test_an_error_that_says_nothing_is_named_by_its_kind_and_place():
    try:
        assert not one_line
    except AssertionError as error:
        assert one_line(error).startswith("assert") or "AssertionError in test_streams.py, line " in one_line(error)
    assert one_line(KeyError("a\n b")) == "'a\\n b'"
