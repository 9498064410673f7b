"""Mistakes as small patches to a copy of the code, which has no switches for them."""

import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent


class Patch(NamedTuple):
    """Replace the text `old` in a file of the package by `new`; `old` must occur exactly once."""

    file: str
    old: str
    new: str


class Mistake(NamedTuple):
    """A mistake: what it is, the patches that make it, and the test that must fail because of it."""

    name: str
    patches: tuple[Patch, ...]
    test: str


def known_mistakes() -> list[Mistake]:
    """Return the mistakes in tests/mutations.toml."""
    entries = tomllib.loads((ROOT / "tests" / "mutations.toml").read_text(encoding="utf-8"))["mistake"]
    return [
        Mistake(entry["name"], tuple(Patch(*patch) for patch in entry["patches"]), entry["test"]) for entry in entries
    ]


def patched_files(patches: Iterable[Patch]) -> dict[str, str]:
    """Return the new text of each file that patches change.

    Raises:
        ValueError: A patch does not fit the code.
    """
    texts: dict[str, str] = {}
    for file, old, new in patches:
        text = texts.get(file) or (ROOT / "ddpg" / file).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"ddpg/{file} has {text.count(old)} times, not once:\n{old}")
        texts[file] = text.replace(old, new)
    return texts


def patched_copy(folder: Path, patches: Iterable[Patch]) -> Path:
    """Copy the package, its two scripts and its tests into a folder, patch the copy, and return the folder.

    Raises:
        ValueError: A patch does not fit the code.
    """
    for name in ("ddpg", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("train.py", "evaluate.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for file, text in patched_files(patches).items():
        (folder / "ddpg" / file).write_text(text, encoding="utf-8")
    return folder
