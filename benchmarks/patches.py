"""Changes of the algorithm as patches for a copy of the code, which has no switches for them."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from output import ROOT


class Patch(NamedTuple):
    """Replace the text `old` in a file of the package by `new`; `old` must occur exactly once."""

    file: str
    old: str
    new: str


NO_TERMINAL_MASK = (Patch("equations.py", "gamma * (1.0 - terminated) * next_q", "gamma * next_q"),)


def patched_copy(folder: Path, patches: Iterable[Patch]) -> Path:
    """Copy the package and its two scripts into a folder, patch the copy, and return the folder.

    The folder also receives `patches.json`, which says how the copy was changed.

    Raises:
        SystemExit: The folder has a copy with other patches, whose runs must not be mixed with new ones.
        ValueError: A patch does not fit the code.
    """
    patches = list(patches)
    record = folder / "patches.json"
    text = json.dumps(patches, indent=2)
    if record.exists() and record.read_text(encoding="utf-8") != text:
        raise SystemExit(f"{folder} was patched differently; choose another --folder, or delete it and its runs")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "ddpg", folder / "ddpg", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("train.py", "evaluate.py"):
        shutil.copy(ROOT / name, folder)
    for patch in patches:
        apply(patch, folder / "ddpg" / patch.file)
    record.write_text(text, encoding="utf-8")
    return folder


def apply(patch: Patch, path: Path) -> None:
    """Patch one file."""
    text = path.read_text(encoding="utf-8")
    if text.count(patch.old) != 1:
        raise ValueError(f"{path} has {text.count(patch.old)} times, not once:\n{patch.old}")
    path.write_text(text.replace(patch.old, patch.new), encoding="utf-8")
