"""The benchmarks change copies of the code by patches: a line of the package that changes takes its patches with it."""

import pytest

from tests.helpers.pages import ROOT


@pytest.mark.parametrize("script", ["ablation", "blog_mistakes", "parity"])
def test_every_patch_fits_the_code(script, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = __import__(script)
    from patches import patched_copy

    if script == "parity":
        changes = list(module.MISTAKES.values())
    elif script == "ablation":
        changes = [variant.patches for variant in module.VARIANTS]
    else:
        changes = [variant.patches for variant, *_ in module.CELLS] + [old for old, _ in module.OLD_NAMES.values()]
    assert sum(map(bool, changes)) >= 3
    for number, patches in enumerate(changes):
        patched_copy(tmp_path / str(number), patches)
