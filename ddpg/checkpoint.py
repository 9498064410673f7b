"""The whole run to disk and back: networks, optimizers, replay buffer, random streams and counters.

A run folder's `checkpoints/` holds

    step-000010000/run.json            the config, the counters, the random streams
    step-000010000/variables.npz       the four networks and the two optimizers
    step-000010000/manifest.json       size and SHA-256 of both, and of each replay file that belongs to it
    replay/000000000-000010000.float32 the transitions added between two checkpoints, shared by later checkpoints
    best-000010000/                    the networks that evaluated best, without the replay buffer

so a checkpoint costs what is new since the last one, and not the whole buffer.  Folders get their names when they are
complete and on the disk.  `ddpg.restore` reads them.
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ddpg.agent import DDPG
from ddpg.errors import RequestError
from ddpg.files import checksum, new_file, refuse_link, synchronise, write_json
from ddpg.replay_buffer import ReplayBuffer

FORMAT = "ddpg checkpoint 1"
PARTS = ("run.json", "variables.npz")
SEGMENTS = 16  # a replay file holds at most a sixteenth of a large buffer, so that old transitions can go
OURS = re.compile(r"(step|best)-(\d{9,})(\.partial)?")  # the folders that this module makes, and may delete


class Segment(NamedTuple):
    """A replay file: the transitions `start` to `stop` - 1, counted from the run's beginning."""

    start: int
    stop: int
    sha256: str

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{self.start:09d}-{self.stop:09d}.float32"


class Checkpoints:
    """Writes the checkpoints of one run.

    Args:
        folder: The run folder's `checkpoints/`.
        keep: The newest ones that are kept.
        segments: The replay files that a resumed run stands on.
    """

    def __init__(self, folder: Path, keep: int, segments: Iterable[Segment] = ()) -> None:
        self.folder, self.keep, self.segments = folder, keep, list(segments)
        for place in (folder, folder / "replay"):
            refuse_link(place)  # old files are deleted below these two
            place.mkdir(parents=True, exist_ok=True)

    def save(self, agent: DDPG, loop: dict[str, Any]) -> Path:
        """Write a checkpoint, and drop the ones that are no longer kept.

        It is named by the number of transitions ever stored, which is the run's environment steps.  Where there is one
        of that name, nothing was learned since, and it stands.

        Args:
            agent: Everything that learns, remembers or draws random numbers.
            loop: What the training loop must know to go on, JSON-ready.

        Returns:
            The checkpoint's folder.
        """
        place = self.folder / f"step-{agent.replay_buffer.added:09d}"
        if not place.exists():
            self._save_new_transitions(agent.replay_buffer)
            self._write(place, agent, loop, self.segments)
            self._drop_old()
        return place

    def save_best(self, agent: DDPG, loop: dict[str, Any]) -> None:
        """Write the networks that evaluated best so far; the ones that did before go with the next checkpoint."""
        place = self.folder / f"best-{agent.replay_buffer.added:09d}"
        if not place.exists():
            self._write(place, agent, loop, [])

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
        try:
            needed = {segment.name for place in checkpoints[-self.keep :] for segment in segments_in(place)}
        except (OSError, ValueError, LookupError, TypeError):  # an older one is damaged: delete nothing it may need
            return
        for path in (self.folder / "replay").glob("*-*.float32"):
            if path.name not in needed:
                path.unlink()

    def _write(self, place: Path, agent: DDPG, loop: dict[str, Any], segments: list[Segment]) -> None:
        partial = place.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        arrays = {name: variable.numpy() for name, variable in named_variables(agent).items()}
        with new_file(partial / "variables.npz") as file:
            np.savez(file, allow_pickle=False, **arrays)
        description = {
            "config": agent.config.as_json(),
            "state_size": agent.state_size,
            "action_size": agent.action_size,
            "updates": agent.updates,
            "generators": {name: g.bit_generator.state for name, g in agent.generators.items()},
            **loop,
        }
        write_json(partial / "run.json", description)
        files = {part: [(partial / part).stat().st_size, checksum(partial / part)] for part in PARTS}
        write_json(partial / "manifest.json", {"format": FORMAT, "files": files, "replay": segments})
        synchronise(partial)
        partial.rename(place)
        synchronise(self.folder)

    def _save_new_transitions(self, buffer: ReplayBuffer) -> None:
        oldest = buffer.added - len(buffer)
        start, stop = max(self.segments[-1].stop if self.segments else 0, oldest), buffer.added
        most = max(10_000, buffer.capacity // SEGMENTS)
        for first in range(start, stop, most):
            last = min(first + most, stop)
            partial = self.folder / "replay" / "new.partial"
            with new_file(partial) as file:
                file.write(buffer.rows.take(range(first, last), axis=0, mode="wrap").data)
            segment = Segment(first, last, checksum(partial))
            partial.replace(self.folder / "replay" / segment.name)
            self.segments.append(segment)
        synchronise(self.folder / "replay")
        self.segments = [segment for segment in self.segments if segment.stop > oldest]


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


def segments_in(place: Path) -> list[Segment]:
    """Return the replay files that a checkpoint's manifest names."""
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    return [Segment(int(start), int(stop), str(sha256)) for start, stop, sha256 in manifest["replay"]]


def named_variables(agent: DDPG) -> dict[str, Any]:
    """Return every variable that learning changes, under a name that says whose it is."""
    owners = {
        "actor": agent.actor,
        "critic": agent.critic,
        "target_actor": agent.target_actor,
        "target_critic": agent.target_critic,
        "actor_optimizer": agent.actor_optimizer,
        "critic_optimizer": agent.critic_optimizer,
    }
    return {
        f"{owner}.{index:02d}.{variable.name}": variable
        for owner, holder in owners.items()
        for index, variable in enumerate(holder.variables)
    }
