"""Benchmarks and known mistakes patch copies of the code: a change of the package takes their patches along."""

from importlib import import_module

import pytest

from benchmarks.common.patches import patched_copy
from tests.helpers.pages import ROOT
from tests.helpers.patches import known_mistakes, patched_files


@pytest.mark.parametrize("script", ["learning.ablation", "learning.blog_mistakes", "parity.parity"])
def test_every_patch_of_a_benchmark_fits_the_code(script, tmp_path):
    module = import_module(f"benchmarks.{script}")
    if script == "parity.parity":
        changes = list(module.MISTAKES.values())
    elif script == "learning.ablation":
        changes = [variant.patches for variant in module.VARIANTS]
    else:
        changes = [variant.patches for variant, *_ in module.CELLS] + [old for old, _ in module.OLD_NAMES.values()]
    assert sum(map(bool, changes)) >= 3
    for number, patches in enumerate(changes):
        patched_copy(tmp_path / str(number), patches)


def test_every_known_mistake_fits_the_code():
    """And its test exists; `tests/mutations.py` says whether that test fails."""
    assert len({mistake.name for mistake in known_mistakes()}) == len(known_mistakes()) > 150
    for mistake in known_mistakes():
        assert patched_files(mistake.patches), mistake.name
        assert (ROOT / mistake.test.split("::")[0]).exists(), mistake.name
