"""Every page: its tables are those of the code, its commands are understood, its links and names lead somewhere."""

import dataclasses
import importlib
import inspect
import pydoc
import re
import tomllib

import pytest

from ddpg.command.presets import PRESETS
from ddpg.config import Config
from ddpg.molgan.config import OBJECTIVES, MolGANConfig
from ddpg.molgan.training_run import COLUMNS as MOLGAN_COLUMNS
from ddpg.run import train
from ddpg.run.training_run import COLUMNS
from ddpg.settings.setting import text_of
from ddpg.sweep.search import DEFAULT_SEARCH, parse_search
from tests.helpers.pages import ROOT, Page, all_pages, code_spans

PAGES = all_pages()
README, SETTINGS, METRICS = Page("README.md"), Page("docs/settings.md"), Page("docs/metrics.md")
DEVELOPMENT, CHECKPOINTS, MOLGAN = Page("docs/development.md"), Page("docs/checkpoints.md"), Page("docs/molgan.md")
BENCHMARKS = Page("benchmarks/README.md")


def field_name(cell: str) -> str:
    """Return the field of a flag such as `--batch-size`, or of a field's own name."""
    (name,) = code_spans(cell)
    return name.removeprefix("--").replace("-", "_")


def shown(value) -> str:
    """Return a setting's value as the tables show it."""
    if isinstance(value, tuple):
        return text_of(value)
    return {"None": "none", "{}": "none", "True": "yes", "False": "no"}.get(str(value), str(value))


def allowed(field: dataclasses.Field) -> str:
    """Return the interval or the choices of a setting as the tables show them."""
    return ", ".join(field.metadata["choices"] or ()) or field.metadata["within"] or ""


# Settings


def test_the_settings_that_tuning_searches_by_default_are_those_of_the_table():
    table = Page("docs/sweeps.md").table("setting", "values")
    shown = {
        code_spans(row["setting"])[0]: row["values"].replace(" to ", "..").replace(", logarithmic", ":log")
        for row in table
    }
    assert parse_search(f"{name}={values.replace(' ', '')}" for name, values in shown.items()) == parse_search(
        DEFAULT_SEARCH
    )


@pytest.mark.parametrize(
    ("page", "config"), [(SETTINGS, Config), (MOLGAN, MolGANConfig)], ids=["docs/settings.md", "docs/molgan.md"]
)
def test_the_tables_of_settings_have_every_field_with_its_default_and_its_range(page, config):
    tables = page.tables_with("flag", "default", "allowed", "meaning")
    listed = [(field_name(row["flag"]), row["default"], row["allowed"]) for table in tables for row in table]
    defaults = config()
    fields = [(f.name, shown(getattr(defaults, f.name)), allowed(f)) for f in dataclasses.fields(config)]
    assert listed == fields


def test_the_settings_are_grouped_as_in_the_help():
    tables = SETTINGS.tables_with("flag", "default", "allowed", "meaning")
    assert [field_name(table[0]["flag"]) for table in tables] == [
        field.name for field in dataclasses.fields(Config) if field.metadata["group"]
    ]


@pytest.mark.parametrize(
    ("presets", "columns"), [(("paper",), ("why the paper has it",)), (("classic", "mujoco"), ()), (("goals",), ())]
)
def test_the_tables_of_presets_have_every_difference_and_nothing_else(presets, columns):
    names = ("blog", *presets)
    table = SETTINGS.table("setting", *(f"`{name}`" for name in names), *columns)
    listed = {field_name(row["setting"]): [row[f"`{name}`"] for name in names] for row in table}
    assert PRESETS["blog"] == Config()
    values = {field: [shown(getattr(PRESETS[name], field)) for name in names] for field in vars(Config())}
    assert listed == {field: each for field, each in values.items() if len(set(each)) > 1}


def test_the_objectives_of_molgan_are_all_named():
    (line,) = [line for line in MOLGAN.text.splitlines() if line.startswith("Objectives: ")]
    assert tuple(code_spans(line)) == OBJECTIVES


# Logs


def first_column(table: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(code_spans(row["column"])[0] for row in table)


def test_the_tables_of_metrics_have_every_column_that_ddpg_logs():
    tables = [table for table in METRICS.tables() if "column" in table[0]]
    assert [first_column(table) for table in tables[:3]] == list(COLUMNS.values())


def test_the_tables_of_metrics_have_every_column_that_molgan_logs():
    epochs, evaluations = [first_column(table) for table in METRICS.tables() if "column" in table[0]][3:]
    assert epochs == MOLGAN_COLUMNS["epochs"]
    prefixed = {name for name in MOLGAN_COLUMNS["evaluations"] if name.startswith(("likeliest_", "molgan_"))}
    assert set(evaluations) == set(MOLGAN_COLUMNS["evaluations"]) - prefixed
    assert {re.sub("^(likeliest_)?(molgan_)?", "", name) for name in prefixed} <= set(evaluations)


@pytest.mark.slow
def test_the_table_of_closing_lines_is_what_a_run_prints(finished_run):
    printed = [re.match(r"\w+(?: \w+)?(?=  )", line)[0] for line in finished_run.output.splitlines()]
    listed = [name for row in METRICS.table("line", "what it is") for name in code_spans(row["line"])]
    assert printed == [name for name in listed if name != "warning"]
    assert "warning: " in inspect.getsource(train)


# Files


def test_the_maps_of_the_rooms_name_every_file():
    tables = DEVELOPMENT.tables_with("file", "what it holds")
    rooms = (
        "settings",
        "experience",
        "command",
        "storage",
        "run",
        "task",
        "report",
        "policy",
        "compare",
        "sweep",
        "molgan",
    )
    rooms += ("molgan/chemistry",)
    for table, folder in zip(tables, (f"ddpg/{room}" for room in rooms), strict=True):
        named = {name for row in table for name in code_spans(row["file"])}
        assert named == {path.name for path in (ROOT / folder).glob("*.py")} - {"__init__.py"}, folder


def test_the_index_of_the_benchmarks_names_every_script():
    scripts = BENCHMARKS.table("script", "what it measures", "shown in")
    parts = BENCHMARKS.table("file", "what it holds")
    named = {name for row in scripts for name in code_spans(row["script"])}
    named |= {name for row in parts for name in code_spans(row["file"])}
    paths = (ROOT / "benchmarks").rglob("*.py")
    assert named == {path.relative_to(ROOT / "benchmarks").as_posix() for path in paths if path.name != "__init__.py"}


def test_the_rules_of_imports_are_those_that_are_checked():
    with (ROOT / "pyproject.toml").open("rb") as file:
        layers, *_ = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (shown_layers,) = DEVELOPMENT.blocks("text")
    checked = [sorted(layer.split(" | ")) for layer in layers["layers"]]
    assert [sorted(line.strip().split(", ")) for line in shown_layers.splitlines()] == checked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_names_of_the_code_that_a_page_mentions_exist(page):
    for span in code_spans(page.prose):
        if re.fullmatch(r"(ddpg|tests|benchmarks|results|plots|docs|\.ci)/[\w./-]*", span):
            assert (ROOT / span).exists(), span
        elif re.fullmatch(r"(requirements[\w-]*\.txt|pyproject\.toml)", span):
            assert (ROOT / span).is_file(), span
        elif re.fullmatch(r"ddpg(\.\w+)+", span):
            assert pydoc.locate(span) is not None, span
        elif re.fullmatch(r"(DDPG|MolGAN)\.\w+", span):
            owner = importlib.import_module("ddpg.agent" if span.startswith("DDPG") else "ddpg.molgan.agent")
            assert pydoc.locate(f"{owner.__name__}.{span}") is not None, span


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_exist(page):
    for link in page.links():
        path, _, anchor = link.partition("#")
        target = ((ROOT / page.name).parent / path).resolve() if path else ROOT / page.name
        assert target.exists(), link
        if anchor:
            assert anchor in Page(target.relative_to(ROOT).as_posix()).anchors(), link


def test_the_index_leads_to_every_page():
    linked = {link.partition("#")[0] for link in Page("docs/index.md").links()}
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert pages <= linked


def test_pages_that_the_code_names_exist():
    for path in [*(ROOT / "ddpg").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]:
        for name in re.findall(r"docs/[\w-]+\.md", path.read_text(encoding="utf-8")):
            assert (ROOT / name).is_file(), f"{path}: {name}"
