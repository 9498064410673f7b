"""The notebook is what its script says, has been run from top to bottom, and runs in a few minutes."""

import json
import os
import re
import subprocess
import sys
import time

import pytest

from tests.helpers.pages import ROOT

SCRIPT, NOTEBOOK = ROOT / "docs" / "tutorial.py", ROOT / "docs" / "tutorial.ipynb"


def cells_of_script() -> list[tuple[str, str]]:
    """Return the kind and the text of each cell of the percent-format script."""
    cells = []
    for block in SCRIPT.read_text(encoding="utf-8").split("# %%")[1:]:
        head, _, text = block.partition("\n")
        if "[markdown]" in head:
            lines = [re.sub("^# ?", "", line) for line in text.strip("\n").split("\n")]
            cells.append(("markdown", "\n".join(lines)))
        else:
            cells.append(("code", text.strip("\n")))
    return cells


@pytest.fixture(scope="module")
def notebook() -> dict:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def test_the_notebook_has_the_cells_of_the_script(notebook):
    found = [(cell["cell_type"], "".join(cell["source"]).strip("\n")) for cell in notebook["cells"]]
    assert found == cells_of_script()


def test_every_cell_was_run_in_order_without_an_error(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 10
    assert NOTEBOOK.stat().st_size < 3 * 1024**2


def test_each_section_is_a_question():
    headings = [line for kind, text in cells_of_script() for line in text.split("\n") if line.startswith("## ")]
    assert len(headings) == 12
    assert all(heading.endswith("?") for heading in headings[:-1])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_script_runs_from_top_to_bottom_in_six_minutes(tmp_path):
    start = time.monotonic()
    environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, SCRIPT], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert time.monotonic() - start < 360
