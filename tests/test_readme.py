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
    folder = ROOT / "plots" if name in ("speed.csv", "anatomy.csv", "scaling.csv") else ROOT / "benchmarks" / "results"
    with (folder / name).open(newline="") as file:
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


def header_of(beginning: str) -> str:
    return next(line for line in README.splitlines() if line.startswith(beginning))


def test_the_speed_figures_are_those_that_were_measured():
    measured: dict[tuple[str, ...], dict[str, dict[str, float]]] = {}  # by setting, contender and round
    for row in read("speed.csv"):
        setting = measured.setdefault((row["task"], row["batch_size"], row["updates"]), {})
        setting.setdefault(row["contender"], {})[row["round"]] = float(row["steps_per_second"])
    shown = table(header_of("| task | minibatch | updates | steps/s |"))
    assert [tuple(row[:3]) for row in shown] == list(measured)
    for *setting, speed, sb3, sbx, post, floor, gpu in shown:
        speeds = measured[tuple(setting)]
        assert float(speed) == pytest.approx(statistics.median(speeds["ours"].values()), abs=0.51)
        for cell, name in ((sb3, "sb3"), (sbx, "sbx"), (post, "post"), (floor, "floor")):
            if cell:
                ratio = statistics.median(speeds["ours"][number] / speed for number, speed in speeds[name].items())
                assert float(cell) == pytest.approx(1 / ratio if name == "floor" else ratio, abs=0.0051)
            else:
                assert name not in speeds
        assert gpu == ""  # not measured


def test_the_anatomy_of_a_step_is_the_one_that_was_measured():
    header = header_of("| ms in a step |")
    columns = [cell.strip().rsplit(", ", 1) for cell in header.strip("|").split("|")[1:]]
    rows = {
        (row["part"], row["task"], row["updates"]): float(row["milliseconds"])
        for row in read("anatomy.csv")
        if row["batch_size"] == "64"
    }
    assert len(rows) == len(table(header)) * len(columns)
    for part, *cells in table(header):
        for (task, updates), cell in zip(columns, cells, strict=True):
            assert float(cell) == pytest.approx(rows[part, task, updates], abs=0.0051)


def test_the_scaling_figures_are_those_that_were_measured():
    measured: dict[tuple[str, str], list[float]] = {}
    for row in read("scaling.csv"):
        measured.setdefault((row["axis"], row["size"]), []).append(float(row["measured"]))
    shown = 0
    for axis, cells in table("| what grows | what it costs |"):
        for size, cost in re.findall(r"([\d,]+): ([\d.]+)", cells):
            median = statistics.median(measured[axis.split(":")[0], size.replace(",", "")])
            assert float(cost) == pytest.approx(median, abs=0.0051)
            shown += 1
    assert shown == len(measured)
    stored = {size: statistics.median(measured["transitions stored", size]) for size in ("10000", "1000000")}
    assert stored["1000000"] == pytest.approx(stored["10000"], rel=0.1)


def figure(pattern: str) -> list[float]:
    """The numbers that a sentence of the README gives."""
    match = re.search(pattern, " ".join(README.split()))
    assert match, pattern
    return [float(number.replace(",", "")) for number in match.groups()]


def test_the_figures_of_startup_soak_and_checkpoints_are_those_that_were_measured():
    startup = read("startup.csv")
    shown = figure(
        r"--help` answers in ([\d.]+) s.*?imports alone take ([\d.]+) s.*?first environment step.*? after ([\d.]+) s"
    )
    for name, seconds in zip(("help", "imports", "first_step"), shown, strict=True):
        assert seconds == pytest.approx(statistics.median(float(row[name]) for row in startup), abs=0.0051), name

    soak = read("soak.csv")
    sizes = [float(row["resident_mib"]) for row in soak[1:]]
    speeds = [float(row["relative"]) for row in soak]
    low, high, files, change = figure(
        r"resident memory between (\d+) and (\d+) MiB.*?at most (\d+) files open.*?last tenth ([\d.]+) times as fast"
    )
    assert (low, high) == (pytest.approx(min(sizes), abs=0.51), pytest.approx(max(sizes), abs=0.51))
    assert files == max(int(row["open_files"]) for row in soak)
    assert change == pytest.approx(speeds[-1] / speeds[1], abs=0.0051)

    last = read("checkpoint_cost.csv")[-1]
    share, folder = figure(r"takes ([\d.]+) % of the run's time, and the folder holds ([\d.]+) times")
    assert share == pytest.approx(100 * float(last["share"]), abs=0.0051)
    assert folder == pytest.approx(float(last["folder"]), abs=0.0051)


@pytest.mark.parametrize("line", [line for line in README.splitlines() if line.startswith("python -m ddpg.molgan")])
def test_every_molgan_command_is_one_that_it_understands(line):
    from ddpg.molgan.__main__ import parse, with_schedule
    from ddpg.molgan.config import MolGANConfig

    arguments = vars(parse(shlex.split(line, comments=True)[3:]))
    settings = {field.name for field in dataclasses.fields(MolGANConfig)} - {"seed"}  # which sampling has, too
    MolGANConfig(**with_schedule({name: arguments[name] for name in settings if arguments.get(name) is not None}))


def test_the_molgan_table_is_what_was_measured():
    """Means over the seeds, of the kept generator and of the last one."""
    with (ROOT / "plots" / "molgan.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("valid", "likeliest_valid", "likeliest_molgan_valid", "unique", "novel", "objective")
    shown = table("| setting | valid | before mending | as the original counts | unique | novel | solubility |")
    assert len(shown) > 5
    for setting, *cells in shown:
        variant, _, which = setting.strip("*").rpartition(", ")
        generator = {"kept": "best", "at the end": "last"}[which]
        some = [row for row in rows if (row["variant"], row["generator"]) == (variant, generator)]
        assert len(some) == 3, setting
        means = [statistics.mean(float(row[column]) for row in some) for column in columns]
        assert [cell.strip("*") for cell in cells] == [f"{mean:.2f}" for mean in means], setting
