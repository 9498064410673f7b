"""The trained policies in the repository do what their cards and the page say."""

import json

import pytest

from ddpg.policy.evaluate import main
from tests.helpers.pages import ROOT, Page, number

FILES = sorted((ROOT / "examples" / "policies").glob("*.onnx"))
COLUMNS = ("file", "settings", "seed", "steps")
TASKS = Page("docs/tasks.md").table(*COLUMNS, "return over 100 episodes")
GOALS = Page("docs/goals.md").table(*COLUMNS, "success over 100 episodes")


def card_of(file) -> dict:
    return json.loads(file.with_suffix(".json").read_text("utf-8"))


def test_the_pages_list_every_policy_with_the_figures_of_its_card():
    rows = {row["file"].strip("`"): row for row in [*TASKS, *GOALS]}
    assert sorted(rows) == [file.name for file in FILES]
    for file in FILES:
        row, card = rows[file.name], card_of(file)
        assert (row["settings"].strip("`"), row["seed"]) == (card["settings"], str(card["seed"]))
        assert number(row["steps"]) == card["steps"]
        if row in GOALS:
            assert number(row["success over 100 episodes"]) == pytest.approx(card["return"]["success_rate"], abs=0.0051)
        else:
            figures = [number(figure) for figure in row["return over 100 episodes"].split(" ± ")]
            assert figures == pytest.approx([card["return"]["mean"], card["return"]["std"]], abs=0.051)
        assert file.stat().st_size < 600_000


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_evaluating_the_file_repeats_the_return_of_its_card(file, capsys):
    """MuJoCo and onnxruntime round differently on other processors, and a chaotic task magnifies that."""
    card = card_of(file)
    if ":" in card["task"]:
        pytest.importorskip(card["task"].partition(":")[0], reason="the task needs requirements-goals.txt")
    expected, seed = card["return"], str(card["return"]["seed"])
    assert main(["--policy", str(file), "--env", card["task"], "--seed", seed, "--episodes", "100", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["mean"] == pytest.approx(expected["mean"], rel=0.02, abs=3 * expected["std"] / 10)
