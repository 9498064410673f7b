"""A policy file, run without the agent that it came from: `python -m ddpg.run.policy_file FILE` tells what it holds.

A damaged file can crash the library that reads it, so a file is first opened in a process that may die.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ddpg.config import Config
from ddpg.errors import RequestError
from ddpg.run.command_line import import_tensorflow, silent_stderr

Runtime = Callable[[np.ndarray], np.ndarray]
SUFFIXES = {".onnx": "onnx", ".tflite": "litert", ".keras": "keras", "": "saved_model"}
PACKAGES = {"onnx": "onnxruntime", "litert": "ai_edge_litert"}
MAX_SIZE = 2**28
PROBE_SECONDS = 60


class FilePolicy:
    """The policy in a file, in the place of an agent: states `(state_size,)`, actions `(action_size,)` in [-1, 1].

    Args:
        path: An `.onnx` or `.tflite` file, a `.keras` file or the folder of a SavedModel.

    Raises:
        RequestError: It is missing, damaged, or no policy file, or its package is not installed.
    """

    def __init__(self, path: Path) -> None:
        format = format_of(path)
        self.metadata = probe(path)
        action = self.metadata["action"]
        self.state_size, self.action_size = len(self.metadata["state"]), len(action["low"])
        low, high = (np.array(action[end], np.float64) for end in ("low", "high"))
        self.scale, self.offset = (high - low) / 2, (high + low) / 2
        self.run = open_runtime(path, format)

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
        return np.clip((action - self.offset) / self.scale, -1.0, 1.0).astype(np.float32)


def format_of(path: Path) -> str:
    """Return the format of a file by its ending.

    Raises:
        RequestError: There is no such file, the ending is unknown, or the format's package is missing.
    """
    if not path.exists():
        raise RequestError(f"there is no file {path}")
    format = SUFFIXES.get(path.suffix) if path.is_file() == bool(path.suffix) else None
    if format is None:
        raise RequestError(f"{path} is not a policy file: expected .onnx, .tflite, .keras or a SavedModel folder")
    if format in PACKAGES and find_spec(PACKAGES[format]) is None:
        raise RequestError(f"{path} needs a package; try: pip install {PACKAGES[format].replace('_', '-')}")
    return format


def probe(path: Path) -> dict[str, Any]:
    """Return a file's metadata, after another process has opened it and run it once.

    Raises:
        RequestError: The file is damaged or no policy file.
    """
    if path.is_file() and path.stat().st_size > MAX_SIZE:
        raise RequestError(f"{path} has {path.stat().st_size} bytes, too many for a policy")
    try:
        command = [sys.executable, "-m", "ddpg.run.policy_file", str(path.resolve())]
        root = Path(__file__).resolve().parent.parent.parent
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=PROBE_SECONDS, errors="replace"
        )
        if done.returncode == 0:
            return json.loads(done.stdout)
        reason = (
            done.stderr.strip().splitlines()[-1]
            if done.returncode == 3 and done.stderr.strip()
            else "it cannot be read"
        )
    except subprocess.TimeoutExpired:
        reason = "reading it takes too long"
    raise RequestError(f"{path} is corrupt or not a policy file of this project ({reason[:200]})")


def read_metadata(path: Path, format: str) -> dict[str, Any]:
    """Return what a file says about itself: inside an ONNX file, in a JSON file beside or inside the others."""
    if format == "onnx":
        import onnxruntime

        return json.loads(onnxruntime.InferenceSession(str(path)).get_modelmeta().custom_metadata_map["ddpg"])
    beside = path / "metadata.json" if path.is_dir() else path.with_name(path.name + ".json")
    return json.loads(beside.read_text(encoding="utf-8"))


def open_runtime(path: Path, format: str) -> Runtime:
    """Return a file's policy: states `(N, state_size)` float32 to actions `(N, action_size)` float32."""
    return {"onnx": open_onnx, "litert": open_litert, "keras": open_keras, "saved_model": open_saved_model}[format](
        path
    )


def open_onnx(path: Path) -> Runtime:
    """Open an ONNX file with onnxruntime, on one thread: a policy is too small to share."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda states: session.run(["action"], {"state": states})[0]


def open_litert(path: Path) -> Runtime:
    """Open a LiteRT file with ai-edge-litert."""
    from ai_edge_litert.interpreter import Interpreter

    with silent_stderr():  # LiteRT says which of its delegates it uses
        interpreter = Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
    state, action = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    rows = interpreter.get_input_details()[0]["shape"][0]

    def run(states: np.ndarray) -> np.ndarray:
        nonlocal rows
        if len(states) != rows:
            interpreter.resize_tensor_input(state, states.shape)
            interpreter.allocate_tensors()
            rows = len(states)
        interpreter.set_tensor(state, states)
        interpreter.invoke()
        return interpreter.get_tensor(action)

    return run


def open_keras(path: Path) -> Runtime:
    """Open a `.keras` file."""
    import_tensorflow()
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(path, compile=False)
    call = tf.function(model, input_signature=[tf.TensorSpec([None, model.input.shape[1]], tf.float32)])
    return lambda states: call(states).numpy()


def open_saved_model(path: Path) -> Runtime:
    """Open the folder of a SavedModel."""
    import_tensorflow()
    import tensorflow as tf

    module = tf.saved_model.load(str(path))
    serve = module.signatures["serving_default"]
    return lambda states: serve(state=tf.constant(states))["action"].numpy()


def main(path: Path) -> int:
    """Run a file with two batch sizes and print its metadata; exit with 3 and a line on stderr if it is no policy."""
    try:
        format = format_of(path)
        metadata, run = read_metadata(path, format), open_runtime(path, format)
        state_size, action_size = len(metadata["state"]), len(metadata["action"]["low"])
        if len(metadata["action"]["high"]) != action_size or not metadata["task"]:
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
