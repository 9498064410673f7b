"""The README's commands run, and its numbers are those of the code and of the measurements beside it."""

import csv
import dataclasses
import re
import shlex
import statistics
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


def read(name: str) -> list[dict[str, str]]:
    with (ROOT / "benchmarks" / "results" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_learning_figures_are_those_that_were_measured():
    header = "| task | preset | steps | seeds | mean over seeds | worst seed | best seed |"
    for task, preset, steps, seeds, mean, worst, best in table(header):
        rows = read(f"learning-{task}.csv" if preset == "blog" else f"learning-{task}-{preset}.csv")
        assert all(row["flags"].startswith(f"--preset {preset} ") for row in rows)
        assert {int(row["steps"]) for row in rows} == {int(steps.replace(",", ""))}
        means = [float(row["mean"]) for row in rows]
        assert int(seeds) == len(means)
        for shown, measured in ((mean, statistics.mean(means)), (worst, min(means)), (best, max(means))):
            assert float(shown) == pytest.approx(measured, abs=0.051)


def test_the_presets_are_those_of_the_code():
    for flag, *shown, _ in table("| setting | `blog` | `paper` | why the paper has it |"):
        for name, value in zip(("blog", "paper"), shown, strict=True):
            setting = getattr(PRESETS[name], flag.strip("`-").replace("-", "_"))
            assert {"True": "yes", "False": "no"}.get(str(setting), str(setting)) == value, flag
    named = {
        row[0].strip("`-").replace("-", "_") for row in table("| setting | `blog` | `paper` | why the paper has it |")
    }
    assert named == {name for name in vars(Config()) if getattr(PRESETS["paper"], name) != getattr(Config(), name)}


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("ablation", "| variant | Pendulum-v1 | InvertedPendulum-v5 | InvertedDoublePendulum-v5 |"),
        ("blog_mistakes", "| variant | Pendulum-v1 | InvertedPendulum-v5 |"),
    ],
)
def test_the_comparisons_are_those_that_were_measured(name, header):
    rows = read(f"{name}.csv")
    shown = {variant: cells for variant, *cells in table(header)}
    assert list(shown) == list(dict.fromkeys(row["variant"] for row in rows))
    for variant, cells in shown.items():
        for task, cell in zip(header.strip("|").split("|")[1:], cells, strict=True):
            late = [float(row["late"]) for row in rows if (row["task"], row["variant"]) == (task.strip(), variant)]
            assert len(late) == (5 if cell else 0)
            if cell:
                half_width = 2.776 * statistics.stdev(late) / 5**0.5  # Student's t for five seeds
                expected = (statistics.mean(late), pytest.approx(half_width, rel=0.01, abs=1.0))
                assert tuple(map(float, cell.split(" ± "))) == (pytest.approx(expected[0], abs=0.51), expected[1])


def test_the_speed_figures_are_those_that_were_measured():
    def speeds(file: str, task: str, updates: str, contender: str) -> list[float]:
        return [
            float(row["steps_per_second"])
            for row in read(file)
            if (row["task"], row["updates"], row["contender"], row["batch_size"]) == (task, updates, contender, "64")
        ]

    contenders = {"this project": "ours", "Stable-Baselines3": "sb3", "SBX": "sbx", "the post's update": "post"}
    for task, updates, who, speed, ratio in table("| task | updates | who | steps/s | this project over it |"):
        file = "speed-post.csv" if who == "the post's update" else "speed.csv"
        measured = speeds(file, task, updates, contenders[who])
        assert float(speed) == pytest.approx(statistics.median(measured), abs=0.6)
        ratios = [ours / theirs for ours, theirs in zip(speeds(file, task, updates, "ours"), measured, strict=True)]
        assert float(ratio) == pytest.approx(statistics.median(ratios), abs=0.0051)
