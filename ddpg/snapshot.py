"""One checkpoint folder: written so that it is whole or not there, and read back without trust.

    run.json         a description: settings, counters, random streams
    variables.npz    arrays: networks and optimizers
    manifest.json    sizes and SHA-256 of both, and of the replay files that belong to it

Reading executes nothing and follows no path that stands in a file.  Names, shapes and types are checked before anything
is used, and what does not pass is answered with one line that names the file.
"""

import json
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ddpg.errors import RequestError
from ddpg.files import checksum, new_file, refuse_link, synchronise, write_json
from ddpg.settings import from_json

T = TypeVar("T")

PARTS = ("run.json", "variables.npz")


class Snapshot(NamedTuple):
    """A moment of a run, ready for the disk."""

    kind: str  # whose it is, such as "ddpg"
    step: int  # how far the run was; it names the folder
    arrays: dict[str, np.ndarray]
    description: dict[str, Any]  # JSON-ready


def write_snapshot(place: Path, snapshot: Snapshot, replay: Sequence[Any] = ()) -> None:
    """Write a checkpoint folder, which gets its name when it is complete and on the disk.

    Args:
        place: The folder.
        snapshot: What goes into it.
        replay: What the manifest says of the replay files, JSON-ready.
    """
    partial = place.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    with new_file(partial / "variables.npz") as file:
        np.savez(file, allow_pickle=False, **snapshot.arrays)
    write_json(partial / "run.json", snapshot.description)
    files = {part: [(partial / part).stat().st_size, checksum(partial / part)] for part in PARTS}
    write_json(partial / "manifest.json", {"format": format_of(snapshot.kind), "files": files, "replay": replay})
    synchronise(partial)
    partial.rename(place)
    synchronise(place.parent)


def format_of(kind: str) -> str:
    """Return what a manifest calls the format of a kind of checkpoint."""
    return f"{kind} checkpoint 1"


def check_snapshot(place: Path, kind: str) -> None:
    """Raise `RequestError` unless a checkpoint folder is of this kind and its files are as they were written."""
    with damage_named(place / "manifest.json"):
        manifest = read_json(place / "manifest.json")
        if manifest["format"] != format_of(kind):
            raise ValueError(f"its format is {manifest['format']!r}, not {format_of(kind)!r}")
        expected = {part: (int(size), str(sha256)) for part, (size, sha256) in manifest["files"].items()}
        if sorted(expected) != sorted(PARTS):
            raise ValueError(f"it names {sorted(expected)}, not {sorted(PARTS)}")
    for part in PARTS:
        check_file(place / part, *expected[part])


def check_file(path: Path, size: int, sha256: str) -> None:
    """Raise `RequestError` unless a file has the size and the checksum that it was written with."""
    with damage_named(path):
        refuse_link(path)
        if path.stat().st_size != size:
            raise ValueError(f"it has {path.stat().st_size} bytes, not {size}")
        if checksum(path) != sha256:
            raise ValueError("its checksum is not the one that it was written with")


def read_arrays(path: Path, expected: dict[str, tuple[tuple[int, ...], str]]) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file, each only after its header has the expected shape and type."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        if sorted(archive.namelist()) != sorted(f"{name}.npy" for name in expected):
            raise ValueError("it holds other variables than this agent's")
        for name, (shape, dtype) in expected.items():
            if archive.getinfo(f"{name}.npy").compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{name} is compressed")
            with archive.open(f"{name}.npy") as file:
                if np.lib.format.read_magic(file) != (1, 0):
                    raise ValueError(f"{name} is of another version of the format")
                header = np.lib.format.read_array_header_1_0(file, max_header_size=1_000)
                if header != (shape, False, np.dtype(dtype)):
                    raise ValueError(f"{name} has the shape and type {header}, not {shape}, {dtype}")
                size = np.dtype(dtype).itemsize * int(np.prod(shape))
                arrays[name] = np.frombuffer(file.read(size), dtype).reshape(shape)
    return arrays


def fill_variables(path: Path, variables: dict[str, Any]) -> None:
    """Assign the arrays of an .npz file to the variables of their names, after checking all of them."""
    arrays = read_arrays(path, {name: (tuple(v.shape), v.dtype) for name, v in variables.items()})
    for name, variable in variables.items():
        variable.assign(arrays[name])


def numbered(owners: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of networks and optimizers, each under a name that says whose it is and which."""
    return {
        f"{owner}.{index:02d}.{variable.name}": variable
        for owner, holder in owners.items()
        for index, variable in enumerate(holder.variables)
    }


def all_finite(variables: dict[str, Any]) -> bool:
    """Say whether no variable holds NaN or infinity: broken networks must not replace sound ones."""
    return all(np.isfinite(variable).all() for variable in variables.values())


def read_settings(place: Path, description: dict[str, Any], kind: type[T]) -> T:
    """Return the settings that a checkpoint was made with; one that is not allowed is damage to its file."""
    with damage_named(place / "run.json"):
        try:
            return from_json(kind, description["config"])
        except RequestError as error:
            raise ValueError(error) from None


def read_description(place: Path, kinds: dict[str, type]) -> dict[str, Any]:
    """Return a checkpoint's `run.json`, in which each of these names has a value of its type."""
    with damage_named(place / "run.json"):
        description = read_json(place / "run.json")
        for name, kind in kinds.items():
            if not isinstance(description[name], kind):
                raise ValueError(f"{name} is {description[name]!r}")
    return description


def read_json(path: Path, most: int = 2**26) -> dict[str, Any]:
    """Read a JSON object from a file of a sane size."""
    refuse_link(path)
    if path.stat().st_size > most:
        raise ValueError(f"it has {path.stat().st_size} bytes")
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def natural(value: Any) -> int:
    """Return a whole number that is not negative, or raise `ValueError`."""
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} should be a whole number, not negative")
    return value


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn whatever reading a damaged file raises into one line that names the file."""
    try:
        yield
    except RequestError:
        raise
    except FileNotFoundError:
        raise RequestError(f"{path} is missing", "checkpoint") from None
    except Exception as error:  # a damaged file can make its reader raise nearly anything
        reason = " ".join(str(error).split())[:200]
        raise RequestError(f"{path} is damaged or not of this project ({reason})", "checkpoint") from None
