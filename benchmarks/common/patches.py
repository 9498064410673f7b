"""Changes of the algorithm as patches for a copy of the code, which has no switches for them."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.common.output import ROOT


class Patch(NamedTuple):
    """Replace the text `old` in a file of the package by `new`; `old` must occur exactly once."""

    file: str
    old: str
    new: str


NO_SOFT_UPDATE = Patch(
    "agent.py",
    "        equations.soft_update(self.target_critic.variables, self.critic.variables, self.config.tau)\n"
    "        equations.soft_update(self.target_actor.variables, self.actor.variables, self.config.tau)\n",
    "",
)
NO_TERMINAL_MASK = (Patch("equations.py", "gamma * (1.0 - terminated) * next_q", "gamma * next_q"),)
UNSCALED_ACTIONS = (  # the agent's actions in [-1, 1] are the task's, whatever its bounds
    Patch(
        "environment.py",
        "return RescaleAction(bounded, space.dtype.type(-1), space.dtype.type(1))",
        "return TransformAction(bounded, lambda action: action, spaces.Box(-1, 1, low.shape, space.dtype))",
    ),
)


def patched_copy(folder: Path, patches: Iterable[Patch]) -> Path:
    """Copy the package and its two scripts into a new folder, patch the copy, and return the folder.

    Raises:
        ValueError: A patch does not fit the code.
    """
    shutil.copytree(ROOT / "ddpg", folder / "ddpg", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("train.py", "evaluate.py"):
        shutil.copy(ROOT / name, folder)
    for patch in patches:
        apply(patch, folder / "ddpg" / patch.file)
    return folder


def apply(patch: Patch, path: Path) -> None:
    """Patch one file."""
    text = path.read_text(encoding="utf-8")
    if text.count(patch.old) != 1:
        raise ValueError(f"{path} has {text.count(patch.old)} times, not once:\n{patch.old}")
    path.write_text(text.replace(patch.old, patch.new), encoding="utf-8")
