"""The README is short, its commands and examples work, and its maps and tables are those of the code."""

import pydoc
import re
import shutil
import signal
from types import SimpleNamespace

import gymnasium
import pytest

from ddpg.command.command import Parser, run_command, run_to_end
from ddpg.errors import RequestError, RunStopped
from ddpg.run.start import resume_run
from ddpg.run.training_run import COLUMNS
from tests.helpers.pages import ROOT, Page, code_spans, number

README = Page("README.md")
SETUP = "python3 -m venv .venv && .venv/bin/pip install -q -r requirements{}.txt && .venv/bin/python {}"


def test_the_readme_does_not_grow_beyond_250_lines():
    assert len(README.text.splitlines()) <= 250


def test_the_set_up_commands_are_not_changed():
    first, second, *_ = README.blocks("bash")
    assert first.strip() == SETUP.format("", "train.py --env Pendulum-v1")
    assert second.strip() == SETUP.format("-test", "-m pytest")


def test_continuous_integration_runs_the_test_command_of_the_readme():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert SETUP.format("-test", "-m pytest") in lines


def test_continuous_integration_builds_the_site_with_warnings_as_errors():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[-2:] == [
        ".venv/bin/pip install -q -r requirements-docs.txt",
        ".venv/bin/python -m sphinx -q -W docs site",
    ]


def test_the_library_example_runs_as_it_stands(capsys):
    example = README.blocks("python")[0]
    small = "seed=1, hidden_units=(8, 8), jit_compile=False"
    shortened = example.replace("steps=2_000", "steps=200").replace("seed=1", small)
    assert shortened.count("steps=200") == shortened.count(small) == 1
    exec(shortened, {})
    assert len(capsys.readouterr().out.splitlines()) == 2  # one episode, one evaluation


def test_the_library_example_does_not_drop_the_arguments_that_make_the_task():
    names = {}
    exec(README.blocks("python")[0].partition("for episode")[0].replace("seed=1", "hidden_units=(8, 8)"), names)
    assert names["config"].env_kwargs and names["environment"].unwrapped.g == names["config"].env_kwargs["g"]
    assert README.blocks("python")[0].count("make_environment(config)") == 2


@pytest.mark.slow
def test_the_policy_example_gives_actions_in_the_units_of_the_task(finished_run, tmp_path, monkeypatch):
    shutil.copytree(finished_run.folder, tmp_path / "runs" / "mine")
    monkeypatch.chdir(tmp_path)
    environment = gymnasium.make("Pendulum-v1")
    names = {"state": environment.reset(seed=1)[0]}
    exec(README.blocks("python")[1], names)
    assert environment.action_space.contains(names["action"])


def equations() -> list[tuple[str, str]]:
    """Return the number (or name) of each equation, with each function named for it."""
    rows = README.table("equation of the first post", "in the second post", "in words", "function")
    return [
        (row["equation of the first post"].partition(":")[0], name)
        for row in rows
        for name in code_spans(row["function"])
    ]


def test_every_equation_of_the_first_post_is_in_the_table():
    assert {equation for equation, _ in equations()} == {*"1234567", "Algorithm 1"}


@pytest.mark.parametrize(("equation", "function"), equations())
def test_the_function_of_an_equation_exists_and_names_it_in_its_docstring(equation, function):
    docstring = " ".join((pydoc.locate(f"ddpg.{function}").__doc__ or "").split())
    if equation == "Algorithm 1":
        assert "Algorithm 1" in docstring
    else:
        assert re.search(rf"equations? (?:\d and )*{equation}\b", docstring), docstring


def test_the_map_names_every_file_of_the_algorithm():
    named = [span for row in README.table("file", "what it holds") for span in code_spans(row["file"])]
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ddpg").glob("*.py")} - {"ddpg/__init__.py"}
    assert {name for name in named if name.endswith(".py")} == files
    assert all((ROOT / name).exists() for name in named)


def kept_files() -> dict[str, str]:
    """Return what the README says of deleting each file of a run folder."""
    rows = README.table("file", "what it holds", "may I delete it?")
    return {code_spans(row["file"])[0]: row["may I delete it?"] for row in rows}


def test_the_table_of_a_run_folder_names_all_that_is_in_one(finished_run):
    patterns = [pattern.rstrip("/") for pattern in kept_files()]
    named = {path for pattern in patterns for path in finished_run.folder.glob(pattern)}
    checkpoints = finished_run.folder / "checkpoints"
    assert named == {*finished_run.folder.iterdir(), *checkpoints.iterdir()} - {checkpoints}


def test_the_table_of_a_run_folder_names_the_columns_of_the_csv_files():
    for row in README.table("file", "what it holds", "may I delete it?"):
        name = code_spans(row["file"])[0].removesuffix(".csv")
        if name in COLUMNS:
            assert tuple(row["what it holds"].partition(";")[0].split(", ")) == COLUMNS[name]


def delete(folder, pattern: str, keep_newest: bool = False) -> None:
    """Delete the files and folders of a run folder that a pattern means."""
    paths = sorted(folder.glob(pattern.rstrip("/")))
    for path in paths[:-1] if keep_newest else paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_a_run_resumes_after_everything_was_deleted_that_may_be(finished_run, tmp_path):
    folder = shutil.copytree(finished_run.folder, tmp_path / "run")
    for pattern, answer in kept_files().items():
        if answer.startswith(("yes", "all but the newest")):
            delete(folder, pattern, keep_newest=answer.startswith("all"))
    run = resume_run(folder, tmp_path, {"steps": 800})
    run.train(show_progress=False)
    assert run.episode.steps == 800


@pytest.mark.parametrize("pattern", [name for name, answer in kept_files().items() if answer.startswith("not if")])
def test_a_run_does_not_resume_without_a_file_that_the_readme_says_is_needed(pattern, finished_run, tmp_path):
    folder = shutil.copytree(finished_run.folder, tmp_path / "run")
    delete(folder, pattern)
    with pytest.raises(RequestError):
        resume_run(folder, tmp_path, {})


def stopped_by(number: int | None) -> int:
    """Return the exit code of a run that a signal stopped."""
    folder = SimpleNamespace(path=ROOT / "run", stop=SimpleNamespace(signal_number=number), has_checkpoint=True)
    run = SimpleNamespace(notes=(), folder=folder, train=lambda show_progress: None)
    return run_to_end("ddpg-train", run, SimpleNamespace(plot_dir=ROOT / "plots", progress=False, start=ROOT))


def raising(error: BaseException):
    def command() -> int:
        raise error

    return command


def test_the_table_of_exit_codes_has_every_code_that_a_command_returns(capsys):
    codes = {run_command("train.py", raising(RequestError("no"))), run_command("train.py", raising(RunStopped("no")))}
    errors = (OSError("full"), KeyboardInterrupt(), BrokenPipeError())
    codes |= {run_command("train.py", raising(error)) for error in errors}
    codes |= {stopped_by(number) for number in (None, signal.SIGINT, signal.SIGTERM)}
    with pytest.raises(SystemExit) as refused:
        Parser().error("no such flag")
    assert [number(row["exit code"]) for row in README.table("exit code", "meaning")] == sorted(
        codes | {refused.value.code}
    )


def test_the_readme_claims_no_more_speed_than_was_measured():
    speeds = next(table for table in Page("docs/performance.md").tables() if "steps/s" in table[0])
    each_step = [row for row in speeds if row["updates"] == "1"]
    text = " ".join(README.text.split())
    over_sb3 = [number(row["over Stable-Baselines3"]) for row in each_step]
    assert f"{min(over_sb3)} to {max(over_sb3)} times as fast as with Stable-Baselines3" in text
    over_sbx = [number(row["over SBX"]) for row in each_step]
    assert f"{min(over_sbx)} to {max(over_sbx)} times as fast on one machine, 0.94 to 1.09 times on an Intel" in text


def test_no_page_is_missing_in_the_readme():
    """It links to the index, which links to all pages (`test_site.py`)."""
    assert "docs/index.md" in README.links()
