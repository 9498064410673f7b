"""The trained policies in the repository do what their cards and the page say."""

import json

import pytest

from ddpg.policy.evaluate import main
from tests.helpers.pages import ROOT, Page, number

FILES = sorted((ROOT / "examples" / "policies").glob("*.onnx"))
TABLE = Page("docs/tasks.md").table("file", "settings", "seed", "steps", "return over 100 episodes")


def card_of(file) -> dict:
    return json.loads(file.with_suffix(".json").read_text("utf-8"))


def test_the_page_lists_every_policy_with_the_figures_of_its_card():
    assert [row["file"].strip("`") for row in TABLE] == [file.name for file in FILES]
    for row, file in zip(TABLE, FILES, strict=True):
        card = card_of(file)
        assert (row["settings"], row["seed"]) == (card["settings"], str(card["seed"]))
        assert number(row["steps"]) == card["steps"]
        mean, std = row["return over 100 episodes"].split(" ± ")
        assert [number(mean), number(std)] == pytest.approx([card["return"]["mean"], card["return"]["std"]], abs=0.051)
        assert file.stat().st_size < 600_000


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_evaluating_the_file_repeats_the_return_of_its_card(file, capsys):
    """MuJoCo and onnxruntime round differently on other processors, and a chaotic task magnifies that."""
    card = card_of(file)
    expected, seed = card["return"], str(card["return"]["seed"])
    assert main(["--policy", str(file), "--env", card["task"], "--seed", seed, "--episodes", "100", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["mean"] == pytest.approx(expected["mean"], rel=0.02, abs=3 * expected["std"] / 10)
