"""A checkpoint back from the disk.  Reading one executes nothing, and follows no path that stands in it.

Everything is checked before it is used: the manifest's checksums, then names, shapes and types, then the values.  What
does not pass is answered with one line that names the file.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ddpg.agent import DDPG
from ddpg.checkpoint import FORMAT, PARTS, Segment, named_variables, segments_in
from ddpg.config import Config
from ddpg.errors import RequestError
from ddpg.files import checksum, refuse_link
from ddpg.records import COLUMNS
from ddpg.replay_buffer import ReplayBuffer
from ddpg.training import Episode


def read_manifest(place: Path) -> list[Segment]:
    """Check a checkpoint's files against its manifest, and return the replay files that belong to it.

    Raises:
        RequestError: A file is missing, damaged, or not of this project.
    """
    with damage_named(place / "manifest.json"):
        manifest = read_json(place / "manifest.json")
        if manifest["format"] != FORMAT:
            raise ValueError(f"its format is {manifest['format']!r}, not {FORMAT!r}")
        segments = segments_in(place)
        expected = {part: (int(size), str(sha256)) for part, (size, sha256) in manifest["files"].items()}
        if sorted(expected) != sorted(PARTS):
            raise ValueError(f"it names {sorted(expected)}, not {sorted(PARTS)}")
    for part in PARTS:
        check_file(place / part, *expected[part])
    return segments


def check_file(path: Path, size: int, sha256: str) -> None:
    """Raise `RequestError` unless a file has the size and the checksum that it was written with."""
    with damage_named(path):
        refuse_link(path)
        if path.stat().st_size != size:
            raise ValueError(f"it has {path.stat().st_size} bytes, not {size}")
        if checksum(path) != sha256:
            raise ValueError("its checksum is not the one that it was written with")


def load(place: Path, config: Config | None = None) -> tuple[DDPG, dict[str, Any], list[Segment]]:
    """Rebuild a run's agent, all of it.

    Args:
        place: The checkpoint's folder, from `find_checkpoint`.
        config: Settings to use in place of the saved ones.

    Returns:
        The agent, the checkpoint's description (`run.json`), and its replay files.

    Raises:
        RequestError: The checkpoint is damaged or not one of this project.
    """
    segments = read_manifest(place)
    description = read_description(place)
    agent = rebuild(place, description, config or saved_config(place, description))
    with damage_named(place / "run.json"):
        agent.updates = int(description["updates"])
        for name, generator in agent.generators.items():
            generator.bit_generator.state = description["generators"][name]
    restore_replay(agent.replay_buffer, place.parent / "replay", segments)
    return agent, description, segments


def load_policy(place: Path) -> DDPG:
    """Rebuild an agent that only acts: its networks, with an empty replay buffer of the smallest size."""
    read_manifest(place)
    description = read_description(place)
    config = saved_config(place, description)
    return rebuild(place, description, replace(config, buffer_size=config.batch_size))


def saved_config(place: Path, description: dict[str, Any]) -> Config:
    """Return the settings that a checkpoint was made with; one that is not allowed is damage to its file."""
    with damage_named(place / "run.json"):
        try:
            return Config.from_json(description["config"])
        except RequestError as error:
            raise ValueError(error) from None


def read_loop(place: Path, description: dict[str, Any]) -> tuple[Episode, float, float | None, dict[str, int]]:
    """Return where the loop stood: the last episode, seconds, the best evaluation, the CSV files' positions."""
    with damage_named(place / "run.json"):
        saved = description["episode"]
        episode, steps, length = (natural(saved[name]) for name in ("episode", "steps", "length"))
        last = Episode(episode, steps, length, tuple(map(float, saved["recent_returns"])))
        best = None if description["best"] is None else float(description["best"])
        positions = {name: natural(description["positions"][name]) for name in COLUMNS}
        return last, float(description["seconds"]), best, positions


def natural(value: Any) -> int:
    """Return a whole number that is not negative, or raise `ValueError`."""
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} should be a whole number, not negative")
    return value


def rebuild(place: Path, description: dict[str, Any], config: Config) -> DDPG:
    """Make an agent and fill its networks and optimizers, after checking that they can be what the file holds."""
    path = place / "variables.npz"
    state_size, action_size = description["state_size"], description["action_size"]
    with damage_named(path):
        least = 4 * config.hidden_units[0] * (state_size + action_size + config.hidden_units[1])
        if not (0 < state_size < least and 0 < action_size < least and least < path.stat().st_size):
            raise ValueError("it cannot hold the networks that run.json describes")
        agent = DDPG(state_size, action_size, config)
        variables = named_variables(agent)
        arrays = read_arrays(path, {name: (tuple(v.shape), v.dtype) for name, v in variables.items()})
        for name, variable in variables.items():
            variable.assign(arrays[name])
    return agent


def restore_replay(buffer: ReplayBuffer, folder: Path, segments: list[Segment]) -> None:
    """Fill the replay buffer from its files, each checked before it is read."""
    for segment in segments:
        path = folder / segment.name
        with damage_named(path):
            if not (0 <= segment.start < segment.stop and segment.start in (buffer.added, segments[0].start)):
                raise ValueError("it does not follow the file before it")
            check_file(path, 4 * (segment.stop - segment.start) * buffer.row_size, segment.sha256)
            rows = np.fromfile(path, np.float32).reshape(-1, buffer.row_size)[-buffer.capacity :]
            buffer.rows[np.arange(segment.stop - len(rows), segment.stop) % buffer.capacity] = rows
            buffer.added = segment.stop


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


def read_description(place: Path) -> dict[str, Any]:
    """Return a checkpoint's `run.json`."""
    with damage_named(place / "run.json"):
        description = read_json(place / "run.json")
        for name, kind in {"config": dict, "state_size": int, "action_size": int, "generators": dict}.items():
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
