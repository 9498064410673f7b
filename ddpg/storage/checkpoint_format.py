"""The format of a checkpoint folder: written atomically, validated on reading.

    run.json         a description: settings, counters, random streams
    variables.npz    arrays: networks and optimizers
    manifest.json    kind, format, and the sizes and SHA-256 of both files and of the replay files that belong to them

Reading executes nothing and follows no path from a file. Names, shapes and types are checked before anything is used,
and what fails a check is reported in one line that names the file.
"""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ddpg.command.inputs import MOST_BYTES, read_object
from ddpg.errors import RequestError
from ddpg.settings.setting import from_json
from ddpg.storage.files import checksum, fsync_path, new_file, refuse_link, remove, write_json

T = TypeVar("T")

FORMAT = 3
PARTS = ("run.json", "variables.npz")
KINDS = {
    "ddpg": "a DDPG checkpoint; use train.py and evaluate.py",
    "molgan": "a MolGAN checkpoint; use python -m ddpg.molgan",
}


class Snapshot(NamedTuple):
    """A moment of a run, ready for the disk."""

    kind: str  # one of `KINDS`
    step: int  # environment steps (or updates, for MolGAN) so far; it names the folder
    arrays: dict[str, np.ndarray]
    description: dict[str, Any]  # JSON-ready
    phase: str = "step"  # or "data" before the first one, where updates on logged data are counted
    rows: int | None = None  # transitions stored before this moment; none: all that there are


class CorruptFileError(RequestError):
    """A file of a checkpoint is missing, damaged or not a checkpoint's."""


def named_variables(owners: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of networks and optimizers by name, such as `actor.00.kernel`.

    Args:
        owners: Networks and optimizers by their names.
    """
    return {
        f"{owner}.{index:02d}.{variable.name}": variable
        for owner, holder in owners.items()
        for index, variable in enumerate(holder.variables)
    }


def take_snapshot(kind: str, step: int, owners: dict[str, Any], description: dict[str, Any]) -> Snapshot:
    """Copy the variables of networks and optimizers, with a JSON-ready description of everything else."""
    arrays = {name: variable.numpy() for name, variable in named_variables(owners).items()}
    return Snapshot(kind, step, arrays, description)


def write_snapshot(checkpoint_dir: Path, snapshot: Snapshot, replay: Sequence[Any] = ()) -> None:
    """Write a checkpoint folder, renamed to its final name once it is complete and flushed to the disk.

    Args:
        checkpoint_dir: The folder.
        snapshot: Its content.
        replay: The manifest's entry for the replay files, JSON-ready.
    """
    partial = checkpoint_dir.with_suffix(".partial")
    remove(partial)
    partial.mkdir()
    with new_file(partial / "variables.npz") as file:
        np.savez(file, allow_pickle=False, **snapshot.arrays)
    write_json(partial / "run.json", snapshot.description)
    files = {part: [(partial / part).stat().st_size, checksum(partial / part)] for part in PARTS}
    manifest = {"kind": snapshot.kind, "format": FORMAT, "files": files, "replay": replay}
    write_json(partial / "manifest.json", manifest)
    fsync_path(partial)
    partial.rename(checkpoint_dir)
    fsync_path(checkpoint_dir.parent)


class SavedCheckpoint:
    """A checkpoint on the disk, whose files have been checked against its manifest.

    Args:
        checkpoint_dir: The folder.
        kind: One of `KINDS`, the kind that it must be.
        fields: The type of each value that `run.json` must have.

    Raises:
        RequestError: It is of another kind or format.
        CorruptFileError: A file is missing or damaged.
    """

    def __init__(self, checkpoint_dir: Path, kind: str, fields: dict[str, type]) -> None:
        self.path, self.run_dir = checkpoint_dir, checkpoint_dir.parent.parent
        self.manifest = checked_manifest(checkpoint_dir, kind)
        with self.reading("run.json"):
            self.description = read_json(checkpoint_dir / "run.json")
            for name, type_ in fields.items():
                value = self.description[name]
                if not isinstance(value, type_) or isinstance(value, bool):
                    raise ValueError(f"{name} is {self.description[name]!r}")

    def reading(self, part: str):
        """Return a context in which every error is one line that names this file of the checkpoint."""
        return as_corrupt_file(self.path / part)

    def settings(self, kind: type[T]) -> T:
        """Return the settings that the checkpoint was made with."""
        with self.reading("run.json"):
            try:
                return from_json(kind, self.description["config"])
            except RequestError as error:
                raise ValueError(error) from None

    def fill(self, owners: dict[str, Any]) -> None:
        """Assign the saved arrays to the variables of networks and optimizers, after checking all of them."""
        variables = named_variables(owners)
        with self.reading("variables.npz"):
            shapes = {name: (tuple(variable.shape), variable.dtype) for name, variable in variables.items()}
            arrays = read_arrays(self.path / "variables.npz", shapes)
            for name, variable in variables.items():
                variable.assign(arrays[name])


def checked_manifest(checkpoint_dir: Path, kind: str) -> dict[str, Any]:
    """Return a checkpoint's manifest after checking its kind, its format and its files."""
    path = checkpoint_dir / "manifest.json"
    with as_corrupt_file(path):
        manifest = read_json(path)
        number = str(manifest["format"]).rpartition(" ")[2]  # format 1 was called "ddpg checkpoint 1"
        if number.isdecimal() and int(number) != FORMAT:
            raise RequestError(
                f"{checkpoint_dir} has checkpoint format {number}, but this version reads format {FORMAT}; "
                "train again, or use the version that wrote it"
            )
        if manifest["format"] != FORMAT or manifest["kind"] not in KINDS:
            raise ValueError(f"its format is {manifest['format']!r}, not {FORMAT}")
        if manifest["kind"] != kind:
            raise RequestError(f"{checkpoint_dir} is {KINDS[manifest['kind']]}")
        files = {part: (int(size), str(sha256)) for part, (size, sha256) in manifest["files"].items()}
        if sorted(files) != sorted(PARTS):
            raise ValueError(f"it names the files {sorted(files)}, not {sorted(PARTS)}")
    for part in PARTS:
        check_file(checkpoint_dir / part, *files[part])
    return manifest


def check_file(path: Path, size: int, sha256: str) -> None:
    """Raise `CorruptFileError` unless a file has the size and the checksum that it was written with."""
    with as_corrupt_file(path):
        refuse_link(path)
        if path.stat().st_size != size:
            raise ValueError(f"expected {size} bytes, got {path.stat().st_size}")
        if checksum(path) != sha256:
            raise ValueError("checksum mismatch")


def read_arrays(path: Path, expected: dict[str, tuple[tuple[int, ...], str]]) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file, each only after its header has the expected shape and type."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        if sorted(archive.namelist()) != sorted(f"{name}.npy" for name in expected):
            raise ValueError("its variables are not those of this agent")
        for name, (shape, dtype) in expected.items():
            if archive.getinfo(f"{name}.npy").compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{name} is compressed")
            with archive.open(f"{name}.npy") as file:
                if np.lib.format.read_magic(file) != (1, 0):
                    raise ValueError(f"{name} has another version of the .npy format")
                header = np.lib.format.read_array_header_1_0(file, max_header_size=1_000)
                if header != (shape, False, np.dtype(dtype)):
                    raise ValueError(f"{name} has shape and type {header}, not {shape}, {dtype}")
                size = np.dtype(dtype).itemsize * int(np.prod(shape))
                arrays[name] = np.frombuffer(file.read(size), dtype).reshape(shape)
    return arrays


def read_json(path: Path, max_size: int = MOST_BYTES) -> dict[str, Any]:
    """Read a JSON object from a file of a sane size that is no link."""
    refuse_link(path)
    return read_object(path, max_size)


def read_kept(saved: SavedCheckpoint) -> dict[str, Any]:
    """Return what a run keeps in its checkpoints beside its agent, after checking the type of each."""
    kinds = {"untrained": list, "best": list, "task": dict, "good_evaluations": int, "longest_episode": int}
    with saved.reading("run.json"):
        kept = saved.description["run"].get("kept", {})
        for name, kind in kinds.items():
            if name in kept and not isinstance(kept[name], kind):
                raise ValueError(f"{name} is {kept[name]!r}")
        for name in ("untrained", "best"):
            step, returns = kept.get(name, (0, []))
            non_negative_int(step)
            np.asarray(returns, np.float64).reshape(-1)
        return kept


def non_negative_int(value: Any) -> int:
    """Return a whole number that is not negative, or raise `ValueError`."""
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a non-negative whole number")
    return value


@contextmanager
def as_corrupt_file(path: Path) -> Iterator[None]:
    """Turn any error of reading a damaged file into one line that names the file."""
    try:
        yield
    except RequestError:
        raise
    except FileNotFoundError:
        raise CorruptFileError(f"{path} is missing") from None
    except Exception as error:  # a damaged file can make its reader raise nearly anything
        reason = " ".join(str(error).split())[:200]
        raise CorruptFileError(f"{path} is corrupt or not a checkpoint of this project ({reason})") from None
