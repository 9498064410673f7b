"""The drawing of the algorithm says what the code does: its names are the code's, its numbers the equations'."""

import ast
import re
import xml.etree.ElementTree as ElementTree

import pytest

from ddpg import DDPG, Batch, Config, ReplayBuffer, equations
from tests.helpers.pages import ROOT, Page

TEXT = "{http://www.w3.org/2000/svg}text"


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    """Return the classes and the words of each text of the drawing."""
    root = ElementTree.parse(ROOT / "docs" / "diagram.svg").getroot()
    return [(element.get("class", ""), element.text or "") for element in root.iter(TEXT)]


def test_every_name_is_one_of_the_code(texts):
    agent = DDPG(3, 1, Config(hidden_units=(8, 8), jit_compile=False, batch_size=8, buffer_size=8))
    for name in [words for classes, words in texts if "code" in classes]:
        owner, _, attribute = name.rpartition(".")
        if owner:
            assert callable(getattr({"DDPG": DDPG, "ReplayBuffer": ReplayBuffer}[owner], attribute))
        else:
            assert name in (Batch.__name__, ReplayBuffer.__name__) or hasattr(equations, name) or hasattr(agent, name)


def test_the_equations_that_are_drawn_are_those_that_the_agent_calls(texts):
    """Options that are in neither post, such as the penalty on actions, are not drawn."""
    names = {words for classes, words in texts if "code" in classes}
    tree = ast.parse((ROOT / "ddpg" / "agent.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    called = {call.attr for call in calls if isinstance(call.value, ast.Name) and call.value.id == "equations"}
    assert {name for name in names if hasattr(equations, name)} <= called
    assert {"actor", "critic", "target_actor", "target_critic"} <= names


def test_the_numbers_are_those_of_the_page_of_equations(texts):
    """The last number before the name of a function, as in "(3) critic loss", is its own."""
    drawn, number = {}, ""
    for _, words in texts:
        number = words.partition(")")[0] if words.startswith("(") else number
        if hasattr(equations, words):
            drawn[words] = set(re.findall(r"\d", number))
    headings = re.findall(
        r"^## Equations? ([\d and]+),.*: `ddpg\.equations\.(\w+)`", Page("docs/equations.md").text, flags=re.MULTILINE
    )
    assert drawn == {name: set(re.findall(r"\d", numbers)) for numbers, name in headings}
