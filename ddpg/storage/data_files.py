"""Files of logged data, read as numbers alone: nothing in them is executed, and no link in them is followed.

.npz and .hdf5 files have D4RL's names, a Minari dataset is a folder, a .csv file has one row per time step.
"""

from collections import deque
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ddpg.command.inputs import require_file
from ddpg.errors import RequestError, one_line
from ddpg.experience.logged import Log
from ddpg.storage.data_tables import csv_log
from ddpg.storage.files import checksum

NEEDED = ("observations", "actions", "rewards", "terminals")  # D4RL's names
OTHERS = ("timeouts", "next_observations")
ENDINGS = (".npz", ".hdf5", ".h5", ".csv")


def read_log(path: Path, columns: dict[str, Any], state_space: gymnasium.Space, most: int) -> Log:
    """Read a file of logged data.

    Args:
        path: A .npz, .hdf5 or .csv file, or the folder of a Minari dataset.
        columns: The names of a .csv file's columns, where they are not the default ones.
        state_space: The task's own observation space, in which a Minari dataset may have dictionaries.
        most: How many of the newest rows to return.

    Raises:
        RequestError: The file cannot be read, or a part of it is missing or is not made of numbers.
    """
    try:
        if path.is_dir():
            return minari_log(path, state_space, most)
        if path.suffix not in ENDINGS:
            raise RequestError(f"expected a file {', '.join(ENDINGS)}, or the folder of a Minari dataset")
        if path.suffix == ".csv":
            return csv_log(path, columns, most)
        if path.suffix == ".npz":
            arrays = npz_arrays(path)
            return d4rl_log(path, arrays, len(arrays["rewards"])).newest(most)
        return d4rl_log(path, *hdf5_arrays(path, most))
    except RequestError as error:
        message = error.message if str(path) in error.message else f"{path}: {error.message}"
        raise RequestError(message, error.setting or "data") from None
    except MemoryError:
        raise RequestError(
            f"{path} does not fit into memory; of an .hdf5 file, only the newest rows are read", "data"
        ) from None
    except Exception as error:  # a damaged file can make its reader raise nearly anything
        raise RequestError(
            f"cannot read {path} ({getattr(error, 'strerror', None) or one_line(error)})", "data"
        ) from None


def checksum_of_data(path: Path) -> str:
    """Return the SHA-256 of a file of logged data; of a Minari dataset, that of the file with its transitions."""
    try:
        return checksum(require_file(main_file(path) if path.is_dir() else path, "data"))
    except OSError as error:
        raise RequestError(f"cannot read {path} ({error.strerror})", "data") from None


def npz_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file by D4RL's names."""
    archive = np.load(path, allow_pickle=False)
    if isinstance(archive, np.ndarray):
        raise RequestError("it holds one array without a name; write it with numpy.savez")
    with archive:
        try:
            arrays = {name: archive[name] for name in (*NEEDED, *OTHERS) if name in archive.files}
        except ValueError as error:
            if "allow_pickle" not in str(error):
                raise
            raise RequestError("it has pickled objects, which are never loaded; write arrays of numbers") from None
    check_names_and_lengths(arrays)
    return arrays


def hdf5_arrays(path: Path, most: int) -> tuple[dict[str, np.ndarray], int]:
    """Return the newest rows of the arrays of an HDF5 file by D4RL's names, and how many rows it has."""
    import h5py  # which Keras needs too

    with h5py.File(path, "r") as file:
        found = {name: numbers(file, name) for name in (*NEEDED, *OTHERS) if name in file}
        check_names_and_lengths(found)
        return {name: dataset[-most:] for name, dataset in found.items()}, len(found["rewards"])


def check_names_and_lengths(arrays: dict[str, Any]) -> None:
    """Raise `RequestError` unless all arrays are there, of numbers, and of the same length."""
    for name in NEEDED:
        if name not in arrays:
            raise RequestError(f"it has no {name!r}; expected {', '.join(NEEDED)}, and perhaps {', '.join(OTHERS)}")
    for name, values in arrays.items():
        if values.dtype.kind not in "biuf":
            raise RequestError(f"{name} are not numbers, but {values.dtype}")
        count, needed = values.shape[:1], arrays["observations"].shape[:1]
        if count != needed or not count:
            raise RequestError(f"{name} has the shape {values.shape}; expected one row per time step, {needed or 1}")


def numbers(group: Any, name: str) -> Any:
    """Return an HDF5 dataset of numbers that lies in this file."""
    import h5py

    link, dataset = group.get(name, getlink=True), None
    if isinstance(link, h5py.HardLink):
        dataset = group[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
        raise RequestError(f"{name} is no array in this file; groups and links are not read")
    return dataset


def d4rl_log(path: Path, arrays: dict[str, np.ndarray], total: int) -> Log:
    """Return a log from arrays by D4RL's names."""
    flat = {name: values.reshape(len(values), -1) for name, values in arrays.items()}
    for name in ("rewards", "terminals", "timeouts"):
        if name in flat and flat[name].shape[1] != 1:
            raise RequestError(f"{name} has the shape {arrays[name].shape}; expected one number per time step")
    terminals = flat["terminals"][:, 0] != 0
    ends = terminals | (flat["timeouts"][:, 0] != 0) if "timeouts" in flat else terminals
    following = flat.get("next_observations")
    return Log(
        str(path), flat["observations"], flat["actions"], flat["rewards"][:, 0], terminals, ends, following, total
    )


def minari_log(path: Path, state_space: gymnasium.Space, most: int) -> Log:
    """Return a log from the folder of a Minari dataset in the format HDF5: the newest episodes that fit.

    Minari's own reader would make the task that the dataset names, which can run any code.
    """
    import h5py

    parts: deque[tuple[np.ndarray, ...]] = deque()
    with h5py.File(main_file(path), "r") as file:
        names = sorted((name for name in file if name.startswith("episode_")), key=lambda name: int(name[8:]))
        total, count = sum(len(numbers(file[name], "rewards")) for name in names), 0
        for name in reversed(names):
            states = flat_states(file[name], "observations", state_space)
            actions, rewards, terminations, truncations = (
                numbers(file[name], key)[:] for key in ("actions", "rewards", "terminations", "truncations")
            )
            if len(states) != len(rewards) + 1:
                raise RequestError(f"{name} has {len(rewards)} rewards, but {len(states)} states; expected one more")
            ends = (terminations | truncations).astype(bool)
            ends[-1:] = True
            rows = actions.reshape(len(rewards), -1), rewards, terminations.astype(bool), ends
            parts.appendleft((states[:-1], *rows, states[1:]))
            count += len(rewards)
            if count >= most:
                break
    if not parts:
        raise RequestError("it has no episodes")
    states, actions, rewards, terminals, ends, following = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Log(str(path), states, actions, rewards, terminals, ends, following, total).newest(most)


def main_file(path: Path) -> Path:
    """Return the file in the folder of a Minari dataset that holds all transitions."""
    file = path / "data" / "main_data.hdf5"
    if not file.is_file():
        raise RequestError(f"{path} has no data/main_data.hdf5; expected a Minari dataset in the format HDF5", "data")
    return file


def flat_states(group: Any, name: str, space: gymnasium.Space) -> np.ndarray:
    """Return the states of an episode of Minari's, flattened as Gymnasium flattens the task's."""
    if isinstance(space, spaces.Dict):
        return np.hstack([flat_states(group[name], key, part) for key, part in space.spaces.items()])
    if isinstance(space, spaces.Tuple):
        parts = enumerate(space.spaces)
        return np.hstack([flat_states(group[name], f"_index_{index}", part) for index, part in parts])
    values = numbers(group, name)[:]
    if values.dtype.kind not in "biuf":
        raise RequestError(f"{name} are not numbers; pictures are not read")
    if isinstance(space, spaces.Box):
        return values.reshape(len(values), -1)
    return np.array([spaces.flatten(space, value) for value in values])
