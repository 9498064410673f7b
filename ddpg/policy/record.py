"""The transitions of an evaluation as a file, with D4RL's names: what `--record` writes and other programs read."""

import json
from pathlib import Path
from zipfile import BadZipFile

import gymnasium
import numpy as np

from ddpg.command.packages import versions
from ddpg.environment import TaskUnits
from ddpg.errors import RequestError
from ddpg.policy.sources import Source
from ddpg.storage.files import existing_parent, is_writable, replaced_file
from ddpg.task.states import state_names

VECTORS, NUMBERS, FLAGS = ("observations", "actions", "next_observations"), ("rewards",), ("terminals", "timeouts")
NAMES = ("observations", "actions", "rewards", "next_observations", "terminals", "timeouts")  # as in a row


class Recorder(gymnasium.Wrapper):
    """Keeps every transition: flat states and, in the task's own units, flat actions.

    Args:
        environment: A task from `make_environment`, perhaps in more wrappers.
    """

    def __init__(self, environment: gymnasium.Env) -> None:
        super().__init__(environment)
        self.units, self.state_names = TaskUnits(environment), state_names(environment)
        self.rows: list[tuple] = []

    def reset(self, **arguments):
        """Begin the next episode."""
        self.state, info = self.env.reset(**arguments)
        return self.state, info

    def step(self, action):
        """Take one step, and keep its transition."""
        result = next_state, reward, terminated, truncated, _ = self.env.step(action)
        self.rows.append((self.state, np.ravel(self.units.action(action)), reward, next_state, terminated, truncated))
        self.state = next_state
        return result

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the transitions by D4RL's names: `(N, size)` or `(N,)`, float32 or bool."""
        columns = dict(zip(NAMES, zip(*self.rows, strict=True), strict=True))
        count = len(self.rows)
        vectors = {name: np.array(columns[name], np.float32).reshape(count, -1) for name in VECTORS}
        numbers = {name: np.array(columns[name], np.float32).reshape(count) for name in NUMBERS}
        return vectors | numbers | {name: np.array(columns[name], bool).reshape(count) for name in FLAGS}


def check_record(path: Path) -> None:
    """Refuse a file that cannot be written, or that exists and is no record."""
    if path.suffix != ".npz":
        raise RequestError(f"{path.name} must end in .npz", "record")
    if not path.parent.is_dir() or not is_writable(existing_parent(path.parent)):
        raise RequestError(f"{path.parent} is not a writable folder", "record")
    if (path.exists() or path.is_symlink()) and not is_record(path):
        raise RequestError(f"{path} exists and is not a record, so it is not replaced; choose another name", "record")


def is_record(path: Path) -> bool:
    """Return whether a file is one that `write_record` wrote."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {*NAMES, "metadata"} == set(arrays.files)
    except (OSError, ValueError, BadZipFile, AttributeError):
        return False


def write_record(path: Path, recorder: Recorder, source: Source, seed: int) -> None:
    """Write the transitions and what made them, atomically.

    Args:
        path: The file, an `.npz`.
        recorder: The transitions.
        source: What acted.
        seed: The seed of the first episode.
    """
    config = source.config
    made_by = {
        "task": config.env,
        "env_kwargs": config.env_kwargs,
        "action_bound": config.action_bound,
        "max_episode_steps": config.max_episode_steps,
        "state": recorder.state_names,
        source.kind: source.origin,
        "trained_with_seed": source.seed,
        "seed": seed,
        "versions": versions(),
    }
    with replaced_file(path) as file:
        np.savez_compressed(file, metadata=np.array(json.dumps(made_by)), **recorder.arrays())  # type: ignore[arg-type]
