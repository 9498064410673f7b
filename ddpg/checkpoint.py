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
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ddpg.agent import DDPG
from ddpg.errors import RequestError
from ddpg.files import checksum, synchronise, write_json
from ddpg.replay_buffer import ReplayBuffer

FORMAT = "ddpg checkpoint 1"
PARTS = ("run.json", "variables.npz")


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
        (folder / "replay").mkdir(parents=True, exist_ok=True)

    def save(self, agent: DDPG, steps: int, loop: dict[str, Any]) -> Path:
        """Write a checkpoint, and drop the ones that are no longer kept.

        Args:
            agent: Everything that learns, remembers or draws random numbers.
            steps: Environment steps of the run so far; they name the checkpoint.
            loop: What the training loop must know to go on, JSON-ready.

        Returns:
            The checkpoint's folder.
        """
        self._save_new_transitions(agent.replay_buffer)
        place = self._write(f"step-{steps:09d}", agent, loop, self.segments)
        kept = all_checkpoints(self.folder)[-self.keep :]
        needed = {segment.name for kept_place in kept for segment in segments_in(kept_place)}
        for old in all_checkpoints(self.folder)[: -self.keep]:
            shutil.rmtree(old)
        for path in (self.folder / "replay").iterdir():
            if path.name not in needed:
                path.unlink()
        return place

    def save_best(self, agent: DDPG, steps: int, loop: dict[str, Any]) -> None:
        """Write the networks that evaluated best so far, in place of the ones that did before."""
        before = list(self.folder.glob("best-*"))
        best = self._write(f"best-{steps:09d}", agent, loop, [])
        for place in before:
            if place != best:
                shutil.rmtree(place)

    def forget_after(self, place: Path) -> None:
        """Drop the checkpoints after `place`: they belong to a future that is now run again."""
        for other in self.folder.glob("*-*"):
            if other.name.partition("-")[2] > place.name.partition("-")[2] or other.suffix == ".partial":
                shutil.rmtree(other)

    def _write(self, name: str, agent: DDPG, loop: dict[str, Any], segments: list[Segment]) -> Path:
        partial = self.folder / f"{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        arrays = {name: variable.numpy() for name, variable in named_variables(agent).items()}
        np.savez(partial / "variables.npz", allow_pickle=False, **arrays)
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
        synchronise(partial / "variables.npz")
        synchronise(partial)
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)  # the same step, run again after a resume
        partial.rename(place)
        synchronise(self.folder)
        return place

    def _save_new_transitions(self, buffer: ReplayBuffer) -> None:
        oldest = buffer.added - len(buffer)
        start, stop = max(self.segments[-1].stop if self.segments else 0, oldest), buffer.added
        if start < stop:
            partial = self.folder / "replay" / "new.partial"
            buffer.rows.take(range(start, stop), axis=0, mode="wrap").tofile(partial)
            synchronise(partial)
            segment = Segment(start, stop, checksum(partial))
            partial.replace(self.folder / "replay" / segment.name)
            synchronise(self.folder / "replay")
            self.segments.append(segment)
        self.segments = [segment for segment in self.segments if segment.stop > oldest]


def all_checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints below a folder, oldest first."""
    return sorted(path for path in folder.glob("step-*") if path.suffix != ".partial")


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
