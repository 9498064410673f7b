"""The checkpoints of a run: which there are, which are kept, and which one a path means.

A run folder's `checkpoints/` holds

    step-000010000/                    a whole run, as `ddpg.snapshot` writes it
    replay/000000000-000010000.float32 transitions, as `ddpg.replay_files` writes them
    best-000010000/                    the networks that evaluated best, without the replay buffer
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ddpg.errors import RequestError
from ddpg.files import refuse_link
from ddpg.snapshot import Snapshot, write_snapshot

if TYPE_CHECKING:  # only DDPG has a replay buffer; MolGAN's checkpoints have none
    from ddpg.replay_buffer import ReplayBuffer
    from ddpg.replay_files import ReplayFiles

T = TypeVar("T")
OURS = re.compile(r"(step|best)-(\d{9,})(\.partial)?")  # the folders that this module makes, and may delete


class Checkpoints:
    """Writes the checkpoints of one run.

    Args:
        folder: The run folder's `checkpoints/`.
        keep: The newest ones that are kept.
        replay: Writes the replay buffer, where there is one.
    """

    def __init__(self, folder: Path, keep: int, replay: "ReplayFiles | None" = None) -> None:
        self.folder, self.keep, self.replay = folder, keep, replay
        refuse_link(folder)  # old checkpoints are deleted in it
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, snapshot: Snapshot, buffer: "ReplayBuffer | None" = None) -> Path:
        """Write a checkpoint, and drop the ones that are no longer kept; return its folder.

        Where there is one of that step, nothing was learned since, and it stands.
        """
        place = self.folder / f"step-{snapshot.step:09d}"
        if not place.exists():
            if self.replay and buffer:
                self.replay.save_new(buffer)
            write_snapshot(place, snapshot, self.replay.segments if self.replay else ())
            self._drop_old()
        return place

    def save_best(self, snapshot: Snapshot) -> None:
        """Write the networks that evaluated best so far; the ones that did before go with the next checkpoint."""
        place = self.folder / f"best-{snapshot.step:09d}"
        if not place.exists():
            write_snapshot(place, snapshot)

    def forget_after(self, place: Path) -> None:
        """Drop the checkpoints after `place`: they belong to a future that is now run again."""
        for other in self.folder.iterdir():
            match = OURS.fullmatch(other.name)
            if match and (match[3] or int(match[2]) > int(place.name.partition("-")[2])):
                shutil.rmtree(other)

    def _drop_old(self) -> None:
        checkpoints = all_checkpoints(self.folder)
        for old in (*checkpoints[: -self.keep], *all_checkpoints(self.folder, "best")[:-1]):
            shutil.rmtree(old)
        if self.replay:
            self.replay.drop_unneeded(checkpoints[-self.keep :])


def all_checkpoints(folder: Path, kind: str = "step") -> list[Path]:
    """Return the complete checkpoints below a folder, or the "best" ones, oldest first."""
    matches = [(OURS.fullmatch(path.name), path) for path in folder.glob(f"{kind}-*")]
    return [path for _, path in sorted((int(match[2]), path) for match, path in matches if match and not match[3])]


def find_checkpoint(path: Path) -> Path:
    """Return the checkpoint that a path means: itself, or the newest one of a run folder.

    Raises:
        RequestError: There is none.
    """
    if not path.is_dir():
        raise RequestError(f"there is no folder {path}", "checkpoint")
    if (path / "manifest.json").is_file():
        return path
    found = all_checkpoints(path / "checkpoints")
    if not found:
        raise RequestError(f"{path} holds no checkpoint: neither manifest.json nor checkpoints/step-*", "checkpoint")
    return found[-1]


def named_as_resume(function: Callable[..., T], place: Path, *arguments) -> T:
    """Call a function that reads a checkpoint; name the flag --resume in its error, and the checkpoint before it."""
    try:
        return function(place, *arguments)
    except RequestError as error:
        if error.setting != "checkpoint":
            raise
        before = [other for other in all_checkpoints(place.parent) if other.name < place.name]
        hint = f"; to go on from the checkpoint before it: --resume {before[-1]}" if before else ""
        raise RequestError(error.message + hint, "resume") from None
