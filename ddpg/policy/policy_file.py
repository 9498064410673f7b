"""A policy file, run without the agent that it came from: `python -m ddpg.policy.policy_file FILE` tells what it holds.

A damaged file can crash the library that reads it, so a file is first opened in a separate process, which may crash
safely.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ddpg.config import Config
from ddpg.environment import normal_action
from ddpg.errors import RequestError
from ddpg.policy.formats import FORMATS, format_of, require_packages

MAX_SIZE = 2**28
PROBE_SECONDS = 60  # of computing: on a busy machine a good file may take longer by the clock
PROBE_SECONDS_BY_THE_CLOCK = 600


class FilePolicy:
    """The policy in a file, in the place of an agent: states `(state_size,)`, actions `(action_size,)` in [-1, 1].

    Args:
        path: An `.onnx` or `.tflite` file, a `.keras` file or the folder of a SavedModel.

    Raises:
        RequestError: It is missing, damaged, or no policy file, or its package is not installed.
    """

    def __init__(self, path: Path) -> None:
        format = format_of(path)
        require_packages(format)
        self.metadata = probe(path)
        action = self.metadata["action"]
        self.state_size, self.action_size = len(self.metadata["state"]), len(action["low"])
        low, high = (np.array(action[end], np.float64) for end in ("low", "high"))
        self.bounds = (low, high)
        self.run = FORMATS[format].functions.open_runtime(path)

    def task_config(self, env: str | None = None) -> Config:
        """Return the settings that make the policy's task, or another task of the same sizes.

        Raises:
            RequestError: The file's metadata are not such settings.
        """
        names = ("env_kwargs", "action_bound", "max_episode_steps")
        task = {"env": self.metadata["task"]} | {name: self.metadata[name] for name in names if name in self.metadata}
        return Config.from_json(task if env in (None, task["env"]) else {"env": env})

    def act(self, state: np.ndarray, explore: bool = False) -> np.ndarray:
        """Return the file's action for a state, mapped from the task's bounds to [-1, 1]."""
        action = self.run(np.asarray(state, np.float32)[None])[0]
        return normal_action(action, *self.bounds)


def probe(path: Path) -> dict[str, Any]:
    """Return a file's metadata, after another process has opened it and run it once.

    Raises:
        RequestError: The file is damaged or no policy file.
    """
    if path.is_file() and path.stat().st_size > MAX_SIZE:
        raise RequestError(f"{path} has {path.stat().st_size} bytes, too many for a policy")
    try:
        command = [sys.executable, "-m", "ddpg.policy.policy_file", str(path.resolve())]
        root = Path(__file__).resolve().parent.parent.parent
        done = subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS_BY_THE_CLOCK,
            errors="replace",
            env=os.environ | {"DDPG_PROBE_SECONDS": str(PROBE_SECONDS), "PYTHONSAFEPATH": ""},
        )
        if done.returncode == 0:
            return json.loads(done.stdout.strip().splitlines()[-1])  # the file itself may print
        said = done.stderr.strip().splitlines() if done.returncode == 3 else []
        too_long = done.returncode == -getattr(signal, "SIGXCPU", 0)
        reason = "reading it takes too long" if too_long else said[-1] if said else "it cannot be read"
    except subprocess.TimeoutExpired:
        reason = "reading it takes too long"
    except (ValueError, IndexError):
        reason = "it prints what is no metadata"
    raise RequestError(f"{path} is corrupt or not a policy file of this project ({reason[:200]})")


def limit_computing() -> None:
    """End this process after `PROBE_SECONDS` of computing, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        seconds = int(os.environ.get("DDPG_PROBE_SECONDS", PROBE_SECONDS))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))


def main(path: Path) -> int:
    """Run a file with two batch sizes and print its metadata; exit with 3 and a line on stderr if it is no policy."""
    limit_computing()
    try:
        format = FORMATS[format_of(path)].functions
        metadata, run = format.read_metadata(path), format.open_runtime(path)
        state_size, action_size = len(metadata["state"]), len(metadata["action"]["low"])
        low, high = (np.array(metadata["action"][end], np.float64) for end in ("low", "high"))
        if low.shape != high.shape or low.shape != (action_size,) or not (low < high).all() or not metadata["task"]:
            raise ValueError("its metadata contradict each other")
        for rows in (1, 3):
            actions = run(np.zeros((rows, state_size), np.float32))
            if actions.shape != (rows, action_size) or not np.isfinite(actions).all():
                raise ValueError(f"it answers {rows} states with {actions.tolist()}")
    except Exception as error:
        print(" ".join(f"{type(error).__name__}: {error}".split()), file=sys.stderr)
        return 3
    print(json.dumps(metadata))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
