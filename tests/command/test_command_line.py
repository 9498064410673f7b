"""What the commands share: their names in messages, their exit codes and their help."""

import dataclasses
import json
import math
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import ddpg
from ddpg import PRESETS, Config, RequestError, RunStopped
from ddpg.command.command import COMMANDS, command_words, program_name, run_command
from ddpg.command.flags import given_settings
from ddpg.policy import evaluate
from ddpg.run import train
from ddpg.settings.setting import is_pair, json_object, value_type
from ddpg.storage.checkpoint_format import FORMAT
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL

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


# How they are started


@pytest.mark.parametrize("script", ["train.py", "evaluate.py"])
@pytest.mark.parametrize("flags", [["-I"], ["-P"], []])
def test_the_scripts_find_the_package_beside_them_however_python_is_told_to_look(tmp_path, script, flags):
    link = tmp_path / "link.py"
    link.symlink_to(ROOT / script)
    done = subprocess.run([sys.executable, *flags, link, "--gamma", "2"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith(f"{script}: error: ") and done.stderr.count("\n") == 1


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
        assert (command_words(command, Path.cwd()), program_name(command)) == (words, name)
    for path in ("/usr/bin/ddpg-train", "ddpg-evaluate", "ddpg-molgan.exe", "venv/bin/ddpg-export"):
        monkeypatch.setattr(sys, "argv", [path])
        expected = (str(Path(path).with_name(command)),)
        assert (command_words(command, Path.cwd()), program_name(command)) == (expected, command)


def test_a_command_is_typed_in_the_folder_where_the_first_one_was(tmp_path, monkeypatch):
    """A task may have changed the working directory since, or deleted it."""
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").touch()
    interpreter, script = command_words("ddpg-train", Path("/"))
    assert script == str(Path(ddpg.__file__).parents[1] / "train.py")
    assert command_words("ddpg-train", tmp_path) == (interpreter, "train.py")


@pytest.mark.parametrize("main", MAINS.values(), ids=MAINS)
def test_a_deleted_working_directory_is_one_line(main, tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main([]) == 2
    err = capsys.readouterr().err
    assert err.endswith("error: the working directory was deleted; change into another one with cd\n")
    assert err.count("\n") == 1


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


@pytest.mark.slow
def test_a_console_script_prints_the_next_command_and_its_notes_by_name(tmp_path, console_script, capsys):
    console_script("ddpg-train")
    run_dir = tmp_path / "my run"  # must be quoted in the command
    assert train.main([*UNTRAINED, "--steps", "10", "--run-dir", str(run_dir), "--plot-dir", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == f"next        /usr/local/bin/ddpg-evaluate --checkpoint '{run_dir}'"
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
        title = field.metadata["group"] or title
        group, line = shown.pop(f"--{field.name.replace('_', '-')}")
        assert group == title
        assert field.metadata["help"] in line
    assert set(shown) == {"--preset", "--config", "--run-dir", "--resume", "--plot-dir", "--progress", "--address"}


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
        "import sys\nfrom ddpg.policy import evaluate\nfrom ddpg.run import train\n"
        "for main in (train.main, evaluate.main):\n"
        "    try: main(['--help'])\n"
        "    except SystemExit: pass\n"
        "print([name for name in ('tensorflow', 'keras', 'gymnasium', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("usage: ") == 2
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_measures_a_controller_or_a_policy_file_loads_no_tensorflow():
    """And a checkpoint's evaluation loads it quietly, which only works if nothing has loaded it before."""
    modules = "ddpg.policy.sources, ddpg.policy.figures, ddpg.policy.record, ddpg.policy.policy_file, ddpg.evaluation"
    code = f"import sys, {modules}; print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


OTHER = {str: "ou", int: 7, float: 0.5, dict: {"g": 9.81}}  # a value of each type that differs from the defaults


@pytest.mark.parametrize("field", dataclasses.fields(Config), ids=lambda field: field.name)
def test_every_setting_has_a_flag_that_sets_it_and_nothing_else(field):
    flag, kind = f"--{field.name.replace('_', '-')}", value_type(Config, field)
    if kind is bool:
        for words, value in (([flag], True), ([flag.replace("--", "--no-", 1)], False)):
            assert given_settings(train.parse(words), Config) == {field.name: value}
    else:
        value = (OTHER[kind], kind(8)) if is_pair(field) else OTHER[kind]
        words = [json.dumps(value)] if kind is dict else map(str, value if isinstance(value, tuple) else [value])
        if field.metadata["paths"]:
            value, words = {str(Path("a file").absolute()): ""}, ["a file"]
        given = given_settings(train.parse([flag, *words]), Config)
        assert given == {field.name: value}
        assert type(given[field.name]) is type(value)
    assert given_settings(train.parse([]), Config) == {}


def test_a_pair_may_have_numbers_below_zero_as_two_words_or_as_one():
    for words in (["--target-limits", "-50", "0"], ["--target-limits=-50x0"]):
        assert given_settings(train.parse(words), Config) == {"target_limits": (-50.0, 0.0)}


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
        (OSError("odd"), 1, "x: error: cannot write to the standard output: odd\n"),
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


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 10_000, "{", "[1]", "null", '"a"'])
def test_text_that_is_no_json_object_is_refused_in_one_line(text, capsys):
    assert "--env-kwargs" in error_of(capsys, train.main, "--env-kwargs", text)


def test_a_json_object_is_taken_as_it_is():
    assert json_object('{"g": 9.81, "names": ["a", null]}') == {"g": 9.81, "names": ["a", None]}
    assert json_object('{"range": [0.7, Infinity]}') == {"range": [0.7, math.inf]}
    for text, reason in (('{"g": 1, "g": 2}', "'g' is there twice"), ('{"g": [NaN]}', "NaN is no value")):
        with pytest.raises(ValueError, match=reason):
            json_object(text)


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


def test_a_name_of_two_lines_makes_a_message_of_one(capsys):
    assert r"there is no folder" in (line := error_of(capsys, train.main, "--resume", "no/a\nb")) and r"a\nb" in line
