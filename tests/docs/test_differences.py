"""The page of differences quotes the code as it is, and each word of the posts is explained where a search finds it."""

import re

import pytest

from tests.helpers.pages import ROOT, Page, code_spans

DIFFERENCES = Page("docs/differences.md")


def test_every_line_on_our_side_is_one_of_the_code():
    source = " ".join(" ".join(path.read_text(encoding="utf-8").split()) for path in (ROOT / "ddpg").glob("*.py"))
    rows = DIFFERENCES.table("no.", "the second post", "here")
    assert len(rows) >= 12
    for row in rows:
        (line,) = code_spans(row["here"])
        assert line in source, line


@pytest.mark.parametrize("term", [
    "off-policy", "on-policy", "behavior policy", "target policy", "stochastic policy", "deterministic policy",
    "expectations", "i.i.d.", "convergence", "curse of dimensionality", "trajectory", "model-free",
    "more like supervised learning", "advantage actor", "ε-greedy", "temporally correlated", "function approximators",
    "samples many trajectories", "no experience replay", "`_thisstepsTaken`", "returns a probabiltiy (since relu unit)",
])  # fmt: skip
def test_a_term_of_the_posts_is_explained_in_bold(term):
    text = DIFFERENCES.text + re.sub(r"\n# ?", " ", (ROOT / "docs" / "tutorial.py").read_text(encoding="utf-8"))
    assert f"**{term}**" in " ".join(text.split())


def test_the_table_of_algorithms_has_its_missing_row():
    (row,) = DIFFERENCES.table("Algorithm", "Model", "Episodic", "Policy", "Action Space", "State Space", "Learner")
    assert (row["Algorithm"], row["Policy"], row["Action Space"]) == ("DDPG", "Off-policy", "Continuous")
