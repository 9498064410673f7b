"""The page of results on tasks: its figures, and the settings that made them."""

import dataclasses
import json
import shlex
from pathlib import Path

import pytest

from ddpg.command.flags import given_settings
from ddpg.command.presets import PRESETS
from ddpg.compare.curves import read_curves
from ddpg.config import Config
from ddpg.run.train import parse
from tests.docs.test_figures import numbers
from tests.helpers.pages import ROOT, Page, number, read_csv

README, TASKS, SETTINGS = (Page(name) for name in ("README.md", "docs/tasks.md", "docs/settings.md"))
RESULTS = ROOT / "results" / "tasks"


def test_the_table_of_tasks_is_what_was_measured():
    columns = ("last ten evaluations", "final policy", "best checkpoint")
    columns += ("maximum", "noisy training return", "falls back")
    table = TASKS.table("task", "steps", "seeds", *columns)
    measured = read_csv("results/tasks/table.csv")
    assert [row["task"] for row in table] == [row["task"] for row in measured]
    for row, figures in zip(table, measured, strict=True):
        assert number(row["steps"]) == pytest.approx(number(figures["steps"]), rel=0.01)
        assert number(row["seeds"]) == number(figures["seeds"])
        for column, name in zip(columns[:3], ("last", "final", "best"), strict=True):
            expected = [float(figures[f"{name}_{which}"]) for which in ("mean", "low", "high")]
            assert [float(n) for n in numbers(row[column])] == pytest.approx(expected, abs=0.051), row["task"]
        assert number(row["maximum"]) == pytest.approx(float(figures["maximum_mean"]), abs=0.051)
        assert number(row["noisy training return"]) == pytest.approx(float(figures["noisy_mean"]), abs=0.051)
        assert number(row["falls back"].strip(" %")) == pytest.approx(100 * float(figures["falls_mean"]), abs=0.51)


def test_pendulums_returns_are_compared_with_the_optimum_at_the_same_starts():
    """At the starts of the evaluations it is five lower than at those of the tests."""
    [measured] = [row for row in read_csv("results/tasks/table.csv") if row["task"] == "Pendulum-v1"]
    optimum = {row["who"]: float(row["mean"]) for row in read_csv("results/pendulum_optimum/table.csv")}
    evaluated, tested = optimum["value at the starts of the runs' evaluations"], optimum["optimum"]
    prose = " ".join(TASKS.prose.split())
    assert f"there the optimum is {evaluated:.1f}, so that the last ten evaluations are" in prose
    assert f"evaluations are {evaluated - float(measured['last_mean']):.1f} below it" in prose
    assert f"final policies are {tested - float(measured['final_mean']):.1f} below it" in prose


@pytest.mark.parametrize("row", README.table("task", "here", "published"), ids=lambda row: row["task"])
def test_the_readme_has_the_return_beside_the_best_published_one(row):
    [measured] = [each for each in read_csv("results/tasks/table.csv") if each["task"] == row["task"]]
    published = [
        number(figure)
        for other in TASKS.table("task", "who", "steps", "figure", "what it is")
        if other["task"].startswith(row["task"].removesuffix("v5"))
        for figure in other["figure"].split(" / ")
    ]
    assert (row["here"], row["published"]) == (f"{float(measured['last_mean']):,.0f}", f"{max(published):,.0f}")


def test_the_measured_figures_are_those_of_the_runs():
    from benchmarks.learning.tasks import row_of

    curves = read_curves([RESULTS])
    for figures in read_csv("results/tasks/table.csv"):
        row = row_of(figures["task"], [c for c in curves if c.task == figures["task"]], RESULTS / figures["task"])
        assert {name: str(value) for name, value in row.items()} == figures


def test_the_settings_of_each_task_are_those_of_its_runs():
    table = SETTINGS.table("task", "preset", "flags")
    assert [row["task"] for row in table] == sorted(folder.name for folder in RESULTS.iterdir() if folder.is_dir())
    for row in table:
        arguments = parse(["--env", row["task"], *shlex.split(row["flags"].strip("`"))])
        config = dataclasses.replace(PRESETS[row["preset"].strip("`")], **given_settings(arguments, Config))
        files = list((RESULTS / row["task"]).glob("*/config.json"))
        assert files
        for file in files:
            trained = Config.from_json(json.loads(file.read_text("utf-8"))["config"])
            for field in dataclasses.fields(Config):
                if field.metadata["names_settings"] or field.name in ("env", "steps"):
                    assert getattr(config, field.name) == getattr(trained, field.name), (row["task"], field.name)


def test_every_run_of_a_task_is_from_one_commit_and_counts_from_seed_0():
    for folder in filter(Path.is_dir, RESULTS.iterdir()):
        runs = sorted(folder.iterdir())
        assert [run.name for run in runs] == [f"seed{number}" for number in range(len(runs))]
        assert len({json.loads((run / "best.json").read_text("utf-8"))["commit"] for run in runs}) == 1
