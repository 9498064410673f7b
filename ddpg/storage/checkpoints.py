"""The checkpoints of a run: which there are, which are kept, and which one a path means.

A run folder's `checkpoints/` holds

    data-000001000/                    the whole run after so many updates on logged data, before its first step
    step-000010000/                    the whole run, as `ddpg.storage.checkpoint_format` writes it
    replay/000000000-000010000.float32 transitions, as `ddpg.storage.replay_files` writes them
    best-000010000/                    the networks that evaluated best, without the replay buffer
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ddpg.errors import RequestError
from ddpg.storage.checkpoint_format import Snapshot, write_snapshot
from ddpg.storage.files import refuse_link, remove
from ddpg.storage.replay_files import ReplayFiles

if TYPE_CHECKING:  # MolGAN saves its runs here too, and has no replay buffer
    from ddpg.replay_buffer import ReplayBuffer

NAME = re.compile(r"(data|step|best)-(\d{9,})(\.partial)?")  # the folders that this module creates, and may delete


class Checkpoints:
    """Writes the checkpoints of one run.

    Args:
        folder: The run folder's `checkpoints/`.
        keep: How many of the newest to keep.
        replay: Writes the replay buffer, if there is one.
    """

    def __init__(self, folder: Path, keep: int, replay: ReplayFiles | None = None) -> None:
        self.folder, self.keep, self.replay = folder, keep, replay
        refuse_link(folder)  # old checkpoints are deleted in it
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, snapshot: Snapshot, buffer: "ReplayBuffer | None" = None) -> Path:
        """Write a checkpoint, delete the ones that are no longer kept, and return its folder.

        An existing checkpoint of this step is kept: nothing has changed since.
        """
        checkpoint_dir = self.folder / f"{snapshot.phase}-{snapshot.step:09d}"
        if not checkpoint_dir.exists():
            if self.replay and buffer:
                self.replay.save_new(buffer, snapshot.rows)
            write_snapshot(checkpoint_dir, snapshot, self.replay.segments if self.replay else ())
            self._delete_old()
        return checkpoint_dir

    def can_save(self, snapshot: Snapshot, buffer: "ReplayBuffer") -> bool:
        """Return whether the replay buffer and its files still hold all transitions that an earlier moment needs."""
        saved = self.replay.segments[-1].stop if self.replay and self.replay.segments else 0
        rows = buffer.added if snapshot.rows is None else snapshot.rows
        return max(saved, rows - buffer.capacity) >= buffer.added - buffer.capacity or saved >= rows

    def save_best(self, snapshot: Snapshot) -> None:
        """Write the networks that evaluated best so far; the next checkpoint deletes the previous best ones."""
        checkpoint_dir = self.folder / f"best-{snapshot.step:09d}"
        if not checkpoint_dir.exists():
            write_snapshot(checkpoint_dir, snapshot)

    def delete_after(self, checkpoint_dir: Path) -> None:
        """Delete the checkpoints after this one, whose steps are about to be repeated."""
        for other in self.folder.iterdir():
            match = NAME.fullmatch(other.name)
            if match and (match[3] or moment(other) > moment(checkpoint_dir)):
                remove(other)

    def _delete_old(self) -> None:
        checkpoints = all_checkpoints(self.folder)
        for old in (*checkpoints[: -self.keep], *all_checkpoints(self.folder, best=True)[:-1]):
            remove(old)
        if self.replay:
            self.replay.delete_unneeded(checkpoints[-self.keep :])


def all_checkpoints(folder: Path, best: bool = False) -> list[Path]:
    """Return the complete checkpoints in a folder, or the best ones, oldest first."""
    matches = [(NAME.fullmatch(path.name), path) for path in folder.glob("*-*")]
    found = [path for match, path in matches if match and not match[3] and (match[1] == "best") == best]
    return sorted(found, key=moment)


def moment(checkpoint_dir: Path) -> tuple[bool, int]:
    """Return when in its run a checkpoint was made, to be compared: updates on logged data come before all steps."""
    phase, _, number = checkpoint_dir.name.partition("-")
    return phase != "data", int(number)


def step_of(checkpoint: Path) -> int:
    """Return the step that a checkpoint's name says."""
    return int(checkpoint.name.partition("-")[2])


def find_checkpoint(path: Path, best: bool = False) -> Path:
    """Return the checkpoint that a path means: itself, or one of a run folder.

    Args:
        path: A checkpoint or a run folder.
        best: Of a run folder, take the one that evaluated best, not the newest.

    Raises:
        RequestError: There is none.
    """
    if not path.is_dir():
        raise RequestError(f"there is no folder {path}")
    if (path / "manifest.json").is_file():
        return path
    found = all_checkpoints(path / "checkpoints", best)
    if not found:
        kind = "best" if best else "step"
        raise RequestError(f"{path} has no checkpoint: neither manifest.json nor checkpoints/{kind}-*")
    return found[-1]
