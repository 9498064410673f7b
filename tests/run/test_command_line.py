"""What the commands share: their names in messages, their exit codes, their help, and how a signal ends them."""

import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ddpg import PRESETS, Config, RequestError, RunStopped
from ddpg.config import GROUPS
from ddpg.errors import blame
from ddpg.run import evaluate, train
from ddpg.run.checkpoint_format import FORMAT
from ddpg.run.command_line import (
    COMMANDS,
    command_words,
    given_settings,
    json_object,
    program_name,
    run_command,
    run_to_end,
)
from ddpg.run.progress import Progress
from ddpg.settings import value_type
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL, assert_same_run, names, raise_after

MAINS = {"ddpg-train": train.main, "ddpg-evaluate": evaluate.main}
UNTRAINED = ("--env", "Endless-v0", "--learning-starts", "10000", "--evaluation-episodes", "1", "--no-progress", *SMALL)


@pytest.fixture
def console_script(monkeypatch):
    """Return a function that makes this process look as if a console script had started it."""
    return lambda name: monkeypatch.setattr(sys, "argv", [f"/usr/local/bin/{name}", "--flag"])


def error_of(capsys, main, *flags: str) -> str:
    """Run a command that cannot be met; return its one line."""
    try:
        code = main(list(flags))
    except SystemExit as error:  # from argparse
        code = error.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    return captured.err


# Names


@pytest.mark.parametrize(
    ("command", "words", "name"),
    [
        ("ddpg-train", ("python", "train.py"), "train.py"),
        ("ddpg-evaluate", ("python", "evaluate.py"), "evaluate.py"),
        ("ddpg-molgan", ("python", "-m", "ddpg.molgan"), "python -m ddpg.molgan"),
        ("ddpg-export", ("python", "-m", "ddpg.export"), "python -m ddpg.export"),
    ],
)
def test_a_command_is_named_as_it_was_typed(monkeypatch, command, words, name):
    for path in ("train.py", "/home/me/ddpg/evaluate.py", "/home/me/ddpg/molgan/__main__.py", "-c", ""):
        monkeypatch.setattr(sys, "argv", [path])
        assert (command_words(command), program_name(command)) == (words, name)
    for path in ("/usr/bin/ddpg-train", "ddpg-evaluate", "ddpg-molgan.exe", "venv/bin/ddpg-export"):
        monkeypatch.setattr(sys, "argv", [path])
        assert (command_words(command), program_name(command)) == ((command,), command)


@pytest.mark.parametrize("name", MAINS)
def test_a_console_script_names_itself_in_its_errors_and_its_help(name, console_script, capsys):
    script = COMMANDS[name][-1]
    flags = ["--resume" if name == "ddpg-train" else "--checkpoint", "nowhere"]
    assert error_of(capsys, MAINS[name], *flags) == f"{script}: error: {flags[0]}: there is no folder nowhere\n"
    console_script(name)
    assert error_of(capsys, MAINS[name], *flags) == f"{name}: error: {flags[0]}: there is no folder nowhere\n"
    assert error_of(capsys, MAINS[name], "--speed", "9").startswith(f"{name}: error: ")
    with pytest.raises(SystemExit):
        MAINS[name](["--help"])
    assert capsys.readouterr().out.startswith(f"usage: {name} [-h]")


def test_a_console_script_prints_the_next_command_and_its_notes_by_name(tmp_path, console_script, capsys):
    console_script("ddpg-train")
    run_dir = tmp_path / "my run"  # must be quoted in the command
    assert train.main([*UNTRAINED, "--steps", "10", "--run-dir", str(run_dir), "--plot-dir", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == f"next        ddpg-evaluate --checkpoint '{run_dir}'"
    assert [line.partition(": no update ")[0] for line in captured.err.splitlines()] == [
        "ddpg-train: note", "ddpg-train: warning",
    ]  # fmt: skip
    console_script("ddpg-evaluate")
    assert evaluate.main([*shlex.split(captured.out.splitlines()[-1])[2:], "--episodes", "1"]) == 0


# Help


def printed_help(main, capsys, monkeypatch) -> str:
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_help_shows_every_setting_under_the_title_of_its_group(capsys, monkeypatch):
    text = printed_help(train.main, capsys, monkeypatch)
    group, shown = None, {}
    for line in text.partition("options:")[2].splitlines():
        if line.endswith(":") and not line.startswith(" "):
            group = line[:-1]
        elif line.startswith("  --"):
            flag = line.split()[0].rstrip(",")
            shown[flag] = (group, line)
        elif line.startswith("    "):  # the rest of a long line
            shown[flag] = (group, f"{shown[flag][1]} {line.strip()}")
    title = None
    for field in dataclasses.fields(Config):
        title = GROUPS.get(field.name, title)
        group, line = shown.pop(f"--{field.name.replace('_', '-')}")
        assert group == title
        assert field.metadata["help"] in line
    assert set(shown) == {"--preset", "--config", "--run-dir", "--resume", "--plot-dir", "--progress"}


def test_help_shows_flags_that_make_each_preset_out_of_the_defaults(capsys, monkeypatch):
    lines = printed_help(train.main, capsys, monkeypatch).partition("presets:\n")[2].splitlines()
    flags = {name: words for name, *words in map(str.split, lines)}
    assert list(flags) == list(PRESETS)
    assert " ".join(flags["blog"]) == "the second post's settings, the defaults above"
    for name in PRESETS.keys() - {"blog"}:
        assert Config(**given_settings(train.parse(flags[name]), Config)) == PRESETS[name]


def test_help_comes_without_tensorflow():
    """So it comes at once; importing TensorFlow takes seconds."""
    code = (
        "import sys\nfrom ddpg.run import train, evaluate\n"
        "for main in (train.main, evaluate.main):\n"
        "    try: main(['--help'])\n"
        "    except SystemExit: pass\n"
        "print([name for name in ('tensorflow', 'keras', 'gymnasium', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("usage: ") == 2
    assert done.stdout.splitlines()[-1] == "[]"


OTHER = {str: "ou", int: 7, float: 0.5, dict: {"g": 9.81}}  # a value of each type that differs from the defaults


@pytest.mark.parametrize("field", dataclasses.fields(Config), ids=lambda field: field.name)
def test_every_setting_has_a_flag_that_sets_it_and_nothing_else(field):
    flag, kind = f"--{field.name.replace('_', '-')}", value_type(Config, field)
    if kind is bool:
        for words, value in (([flag], True), ([flag.replace("--", "--no-", 1)], False)):
            assert given_settings(train.parse(words), Config) == {field.name: value}
    else:
        value = (7, 8) if isinstance(field.default, tuple) else OTHER[kind]
        words = [json.dumps(value)] if kind is dict else map(str, value if isinstance(value, tuple) else [value])
        given = given_settings(train.parse([flag, *words]), Config)
        assert given == {field.name: value}
        assert type(given[field.name]) is type(value)
    assert given_settings(train.parse([]), Config) == {}


# Exit codes


def test_a_finished_command_has_its_own_exit_code(capsys):
    assert run_command("x", lambda: 0) == 0
    assert run_command("x", lambda: 143) == 143
    assert capsys.readouterr() == ("", "")


def raising(error: BaseException):
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (RequestError("too small", "batch_size"), 2, "x: error: --batch-size: too small\n"),
        (RequestError("no such thing"), 2, "x: error: no such thing\n"),
        (OSError(28, "No space left on device", "/data/run"), 2, "x: error: /data/run: No space left on device\n"),
        (OSError("odd"), 2, "x: error: the disk: odd\n"),
        (RunStopped("episode 2: the reward is nan"), 1, "x: stopped: episode 2: the reward is nan\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_becomes_one_line_and_an_exit_code(capsys, error, code, line):
    assert run_command("x", raising(error)) == code
    assert capsys.readouterr() == ("", line)


def test_the_traceback_of_the_tasks_own_error_is_shown_to_its_author(capsys):
    def command():
        try:
            raise ZeroDivisionError("in the valve")
        except ZeroDivisionError as error:
            raise RunStopped("episode 1: the environment raised") from error

    assert run_command("x", command) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-2:] == ["ZeroDivisionError: in the valve", "x: stopped: episode 1: the environment raised"]


def test_a_bug_of_this_package_is_not_hidden():
    with pytest.raises(KeyError):
        run_command("x", raising(KeyError("q")))


def test_blame_names_a_setting_only_where_none_is_named():
    for named, expected in ((None, "resume"), ("gamma", "gamma")):
        with pytest.raises(RequestError) as caught, blame("resume"):
            raise RequestError("wrong", named)
        assert caught.value.setting == expected


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 10_000, "{", "[1]", "null", '"a"'])
def test_text_that_is_no_json_object_is_refused_in_one_line(text, capsys):
    assert "--env-kwargs" in error_of(capsys, train.main, "--env-kwargs", text)


def test_a_json_object_is_taken_as_it_is():
    assert json_object('{"g": 9.81, "names": ["a", null]}') == {"g": 9.81, "names": ["a", None]}


# Checkpoints of another kind


@pytest.mark.parametrize(
    ("main", "flag"), [(train.main, "--resume"), (evaluate.main, "--checkpoint")], ids=["train", "evaluate"]
)
@pytest.mark.parametrize("named", ["run", "run/checkpoints/step-000000010"])
def test_a_molgan_checkpoint_is_refused_with_the_command_to_use(main, flag, named, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("run/checkpoints/step-000000010")
    folder.mkdir(parents=True)
    manifest = {"kind": "molgan", "format": FORMAT, "files": {}, "replay": []}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    line = error_of(capsys, main, flag, named)
    assert line.endswith(f": error: {flag}: {folder} is a MolGAN checkpoint; use python -m ddpg.molgan\n")


# Signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_run_after_the_episode_and_the_command_printed_resumes_it(
    tmp_path, capsys, monkeypatch, number, code
):
    monkeypatch.chdir(tmp_path)
    flags = [*UNTRAINED, "--episodes", "5"]
    assert train.main([*flags, "--run-dir", "whole"]) == 0
    capsys.readouterr()
    with monkeypatch.context() as patch:
        raise_after(patch, 2, number)
        assert train.main([*flags, "--run-dir", "run"]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "train.py: stopped; resume with: python train.py --resume run\n")
    assert names(tmp_path / "run" / "checkpoints", "step-*")[-1] == "step-000000020"
    assert train.main(["--resume", "run", "--no-progress"]) == 0
    assert_same_run(tmp_path / "whole", tmp_path / "run")


def test_a_plot_folder_of_ones_own_is_part_of_the_command_that_resumes(tmp_path, capsys, monkeypatch, console_script):
    console_script("ddpg-train")
    raise_after(monkeypatch, 1)
    places = ["--run-dir", str(tmp_path / "a run"), "--plot-dir", str(tmp_path / "plots")]
    assert train.main([*UNTRAINED, "--episodes", "5", *places]) == 130
    line = capsys.readouterr().err
    words = shlex.split(line.partition("ddpg-train: stopped; resume with: ")[2])
    assert words == ["ddpg-train", "--resume", str(tmp_path / "a run"), "--plot-dir", str(tmp_path / "plots")]


@pytest.mark.parametrize(
    ("first", "second", "code"), [(signal.SIGINT, signal.SIGINT, 130), (signal.SIGTERM, signal.SIGINT, 143)]
)
def test_a_second_signal_stops_at_once_and_prints_the_command_that_resumes(
    tmp_path, capsys, monkeypatch, first, second, code
):
    monkeypatch.chdir(tmp_path)
    show = Progress.show

    def show_and_raise_twice(self, episode):
        show(self, episode)
        if episode.number == 2:
            signal.raise_signal(first)
            signal.raise_signal(second)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "show", show_and_raise_twice)
        flags = [*UNTRAINED, "--episodes", "5", "--checkpoint-every", "10"]
        assert train.main([*flags, "--run-dir", "run"]) == code
    assert capsys.readouterr().err == "train.py: interrupted; resume with: python train.py --resume run\n"
    assert train.main(["--resume", "run", "--no-progress"]) == 0


def test_ctrl_c_before_the_run_begins_ends_quietly_with_130(monkeypatch, capsys):
    monkeypatch.setattr(train, "base_config", lambda _: signal.raise_signal(signal.SIGINT))
    assert train.main([]) == 130
    assert capsys.readouterr() == ("", "")


def started(folder: Path, *flags: str) -> subprocess.Popen:
    """Start a real `train.py`, as a user does."""
    variables = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    variables["PYTHONPATH"] = str(ROOT)  # for the tasks in tests/helpers/tasks.py
    command = [sys.executable, ROOT / "train.py", "--run-dir", "run", "--no-progress", *SMALL, *flags]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=variables)


def wait_for_episodes(process: subprocess.Popen, path: Path, count: int) -> None:
    """Return when so many episodes are logged."""
    for _ in range(900):
        if path.exists() and len(path.read_text().splitlines()) > count:
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    pytest.fail("the process logs no episodes")


def test_a_signal_ends_a_real_process_with_one_line_and_a_checkpoint(tmp_path):
    """One line: none of what TensorFlow's C++ side writes on stderr while it loads, and no traceback."""
    with started(tmp_path, "--episodes", "100000", "--evaluation-episodes", "1") as process:
        try:
            wait_for_episodes(process, tmp_path / "run" / "episodes.csv", 2)
            process.send_signal(signal.SIGTERM)
            _, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert error == "train.py: stopped; resume with: python train.py --resume run\n"
    assert process.returncode == 143
    steps = (tmp_path / "run" / "episodes.csv").read_text().splitlines()[-1].split(",")[1]
    assert names(tmp_path / "run" / "checkpoints", "step-*")[-1] == f"step-{int(steps):09d}"


@pytest.mark.slow
def test_a_second_signal_ends_a_real_process_in_the_middle_of_a_step(tmp_path):
    flags = ("--env", "tests.helpers.tasks:Sleeping-v0", "--episodes", "9", "--evaluation-episodes", "1")
    with started(tmp_path, *flags) as process:
        try:
            wait_for_episodes(process, tmp_path / "run" / "episodes.csv", 1)
            time.sleep(2)  # the step takes a minute
            process.send_signal(signal.SIGINT)
            time.sleep(2)  # a second signal of the same number that comes too soon is lost
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=40)
        finally:
            process.kill()
    assert error == "train.py: interrupted; resume with: python train.py --resume run\n"
    assert process.returncode == 130


def test_notes_come_before_the_run_begins(capsys):
    """A user should know at once, not after a night."""
    seen = []
    run = SimpleNamespace(
        notes=["one", "two"],
        folder=SimpleNamespace(path=Path("run"), stop=SimpleNamespace(signal_number=None)),
        train=lambda show_progress: seen.append((show_progress, capsys.readouterr().err)),
    )
    arguments = SimpleNamespace(plot_dir=Path("plots"), progress=False)
    assert run_to_end("ddpg-train", run, arguments) == 0
    assert seen == [(False, "train.py: note: one\ntrain.py: note: two\n")]
