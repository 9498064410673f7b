"""The replay buffer on the disk: a file for the transitions added between two checkpoints, shared by later ones.

So a checkpoint costs only what is new since the last one, not the whole buffer.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ddpg.command.inputs import UNUSABLE, read_object
from ddpg.storage.checkpoint_format import SavedCheckpoint, as_corrupt_file, check_file
from ddpg.storage.files import checksum, fsync_path, new_file, refuse_link, remove

if TYPE_CHECKING:  # MolGAN saves its runs here too, and has no replay buffer
    from ddpg.replay_buffer import ReplayBuffer

NAME = re.compile(r"\d{9,}-\d{9,}\.float32|new\.partial")  # the files that this module makes, and may delete
FILES_PER_BUFFER = 16  # a file holds at most a sixteenth of a large buffer, so that old transitions can be deleted


class Segment(NamedTuple):
    """A replay file: the transitions `start` to `stop` - 1, counted from the run's beginning."""

    start: int
    stop: int
    sha256: str

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{self.start:09d}-{self.stop:09d}.float32"


class ReplayFiles:
    """Writes the replay files of one run.

    Args:
        folder: Where they are.
        segments: Those of the checkpoint that a resumed run starts from.
    """

    def __init__(self, folder: Path, segments: Iterable[Segment] = ()) -> None:
        self.folder, self.segments = folder, list(segments)
        refuse_link(folder)  # old files are deleted in it
        folder.mkdir(parents=True, exist_ok=True)

    def save_new(self, buffer: "ReplayBuffer", stop: int | None = None) -> None:
        """Write the transitions that no file holds yet: all of them, or those stored before `stop`."""
        stop = buffer.added if stop is None else stop
        oldest = stop - min(stop, buffer.capacity)
        start = max(self.segments[-1].stop if self.segments else 0, oldest)
        max_length = max(10_000, buffer.capacity // FILES_PER_BUFFER)
        for first in range(start, stop, max_length):
            last = min(first + max_length, stop)
            partial = self.folder / "new.partial"
            with new_file(partial) as file:
                file.write(buffer.rows.take(range(first, last), axis=0, mode="wrap").data)
            segment = Segment(first, last, checksum(partial))
            partial.replace(self.folder / segment.name)
            self.segments.append(segment)
        fsync_path(self.folder)
        self.segments = [segment for segment in self.segments if segment.stop > oldest]

    def delete_unneeded(self, checkpoints: Sequence[Path]) -> None:
        """Delete the files that none of these checkpoints needs."""
        try:
            manifests = [read_object(path / "manifest.json") for path in checkpoints]
            needed = {segment.name for manifest in manifests for segment in segments_in(manifest)}
        except UNUSABLE:  # one is damaged: delete nothing that it may need
            return
        for path in self.folder.iterdir():
            if NAME.fullmatch(path.name) and path.name not in needed:
                remove(path)


def segments_in(manifest: dict) -> list[Segment]:
    """Return the replay files that a checkpoint's manifest names."""
    return [Segment(int(start), int(stop), str(sha256)) for start, stop, sha256 in manifest["replay"]]


def restore_replay(buffer: "ReplayBuffer", saved: SavedCheckpoint) -> list[Segment]:
    """Fill the replay buffer from a checkpoint's replay files, each checked before it is read; return the files."""
    with saved.reading("manifest.json"):
        segments = segments_in(saved.manifest)
    for segment in segments:
        path = saved.path.parent / "replay" / segment.name
        with as_corrupt_file(path):
            if not (0 <= segment.start < segment.stop and segment.start in (buffer.added, segments[0].start)):
                raise ValueError("it does not continue the file before it")
            check_file(path, 4 * (segment.stop - segment.start) * buffer.row_size, segment.sha256)
            rows = np.fromfile(path, np.float32).reshape(-1, buffer.row_size)[-buffer.capacity :]
            buffer.rows[np.arange(segment.stop - len(rows), segment.stop) % buffer.capacity] = rows
            buffer.added = segment.stop
    return segments


def require_all(segments: Sequence[Segment], buffer: "ReplayBuffer", saved: SavedCheckpoint) -> None:
    """Refuse to resume a run whose oldest replay files are gone: transitions would be missing without a word."""
    with saved.reading("manifest.json"):
        oldest = max(0, buffer.added - buffer.capacity)
        if segments and segments[0].start > oldest:
            raise ValueError(f"its replay files begin at transition {segments[0].start}, not at {oldest}")
