"""The README's commands run, and what it says of the code is so."""

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

import ddpg
from ddpg.config import PRESETS, Config

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def table(header: str) -> list[list[str]]:
    """The cells of the table whose first line is `header`, without its ruler."""
    lines = README.split(f"{header}\n", 1)[1].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows, header
    return rows


def test_continuous_integration_runs_the_test_command_as_the_readme_prints_it():
    command = blocks("bash")[1].strip()
    assert "requirements-test.txt" in command
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", [line for line in blocks("bash")[2].splitlines() if line.startswith("python ")])
def test_every_command_is_one_that_the_scripts_understand(line, monkeypatch, capsys):
    import evaluate
    import train

    _, script, *flags = shlex.split(line, comments=True)
    parsers = {"train.py": train.parse, "evaluate.py": evaluate.parse}
    if script in parsers:
        parsers[script](flags)
    else:
        assert (script, flags[0]) in (("-m", "ddpg.plotting"), ("benchmarks/pictures.py", "plots/ablation.csv"))


def test_the_library_example_runs_as_it_stands(capsys):
    (example,) = blocks("python")
    exec(example.replace("2_000", "200").replace("seed=1", "seed=1, hidden_units=(8, 8), jit_compile=False"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2  # one episode, one evaluation


def test_the_settings_are_those_of_the_code():
    fields = {field.name: field for field in dataclasses.fields(Config)}
    for flag, default, _ in table("| flag | default | meaning |"):
        value = fields[flag.strip("`-").replace("-", "_")].default
        shown = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert shown == default, flag


def test_every_equation_names_a_function_that_exists():
    from ddpg import agent, equations, training

    homes = {"equations": equations, "training": training, "DDPG": agent.DDPG}
    for *_, functions in table("| equation | in words | symbol | function |"):
        for name in re.findall(r"`(\w+)\.(\w+)`", functions):
            assert callable(getattr(homes[name[0]], name[1]))


def test_every_file_in_the_map_exists_and_every_file_is_in_the_map():
    named = set(re.findall(r"`(\w+\.py)`", README))
    there = {path.name for path in (ROOT / "ddpg").glob("*.py")}
    assert there - named <= {"__init__.py", "errors.py", "seeding.py", "statistics.py"}
    rest = {path.name for folder in ("tests", "benchmarks", ".") for path in (ROOT / folder).glob("*.py")}
    assert named <= there | rest


@pytest.mark.parametrize("line", re.findall(r"^(?:\S*/)?python ((?:benchmarks|tests)/.*)$", README, re.MULTILINE))
def test_every_script_that_the_readme_names_knows_the_flags_that_it_is_given(line):
    script, *flags = shlex.split(line, comments=True)
    source = (ROOT / script).read_text(encoding="utf-8")
    for flag in flags:
        known = flag in source or flag in {f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(Config)}
        assert known or not flag.startswith("--"), flag


def test_the_public_names_are_there():
    for name in (
        "DDPG",
        "Config",
        "ReplayBuffer",
        "ActorNetwork",
        "CriticNetwork",
        "make_environment",
        "train",
        "evaluate",
    ):
        assert getattr(ddpg, name).__name__ == name


def test_pictures_and_files_that_the_readme_shows_exist():
    for path in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_presets_are_those_of_the_code():
    for flag, *shown, _ in table("| setting | `blog` | `paper` | why the paper has it |"):
        for name, value in zip(("blog", "paper"), shown, strict=True):
            setting = getattr(PRESETS[name], flag.strip("`-").replace("-", "_"))
            assert {"True": "yes", "False": "no"}.get(str(setting), str(setting)) == value, flag
    named = {
        row[0].strip("`-").replace("-", "_") for row in table("| setting | `blog` | `paper` | why the paper has it |")
    }
    assert named == {name for name in vars(Config()) if getattr(PRESETS["paper"], name) != getattr(Config(), name)}


@pytest.mark.parametrize("line", [line for line in README.splitlines() if line.startswith("python -m ddpg.molgan")])
def test_every_molgan_command_is_one_that_it_understands(line):
    from ddpg.molgan.__main__ import parse, with_schedule
    from ddpg.molgan.config import MolGANConfig

    arguments = vars(parse(shlex.split(line, comments=True)[3:]))
    settings = {field.name for field in dataclasses.fields(MolGANConfig)} - {"seed"}  # which sampling has, too
    given = {name: arguments[name] for name in settings if arguments.get(name) is not None}
    config = MolGANConfig(**with_schedule(given)).as_json()  # raises where the settings do not go together
    assert given.items() <= config.items()
