"""Mistakes and missing parts as small patches for a copy of the code, which itself has no switches for them."""

import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Patch(NamedTuple):
    """In a file of the package, the text `old`, which stands there once, becomes `new`."""

    file: str
    old: str
    new: str


class Mistake(NamedTuple):
    """A known mistake: its name, the patches that make it, and the tests that notice, as `module::test`."""

    name: str
    patches: tuple[Patch, ...]
    tests: tuple[str, ...]


def known_mistakes() -> dict[str, Mistake]:
    """Return the mistakes in tests/mutations.toml by their names."""
    entries = tomllib.loads((ROOT / "tests" / "mutations.toml").read_text(encoding="utf-8"))["mistake"]
    return {
        entry["name"]: Mistake(
            entry["name"], tuple(Patch(**patch) for patch in entry["patches"]), tuple(entry["tests"])
        )
        for entry in entries
    }


def patched_copy(folder: Path, patches: Iterable[Patch]) -> Path:
    """Copy the package, its two scripts and its tests into a folder and patch the copy; return the folder.

    Raises:
        ValueError: A patch does not fit the code any more.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("ddpg", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("train.py", "evaluate.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for file, old, new in patches:
        path = folder / "ddpg" / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{path.name} holds {text.count(old)} times, and not once:\n{old}")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return folder
