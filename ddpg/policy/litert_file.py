"""LiteRT (TensorFlow Lite) files, with the metadata in a JSON file beside them."""

import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from ddpg.command.inputs import read_object
from ddpg.command.tensorflow import silent_stderr
from ddpg.policy.formats import Model, Runtime
from ddpg.storage.files import new_file, write_json


def write(model: Model, metadata: dict[str, Any], path: Path) -> None:
    """Write a file and its metadata."""
    write_converted(model, metadata, path)


def write_quantized(model: Model, metadata: dict[str, Any], path: Path, states: np.ndarray) -> None:
    """Write a LiteRT file whose weights and activations are 8-bit integers; states and actions stay float32.

    Args:
        model: The plain policy.
        metadata: What the file says about itself.
        path: The file.
        states: Representative states `(N, state_size)`, from which the ranges of the activations are taken.
    """
    write_converted(model, metadata | {"quantized": "int8"}, path, states)


def write_converted(model: Model, metadata: dict[str, Any], path: Path, states: np.ndarray | None = None) -> None:
    """Convert, with 8-bit integers where there are representative states, and write the file and its metadata."""
    import keras
    import tensorflow as tf

    named = keras.Model(model.input, {"action": model.output})
    with silent_stderr(), redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that integers need statistics, which the states provide
        converter = tf.lite.TFLiteConverter.from_keras_model(named)
        if states is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([state[None]] for state in states)
        content = converter.convert()
    with new_file(path) as file:
        file.write(content)
    write_json(path.with_name(path.name + ".json"), metadata)


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what a file says about itself: in a JSON file beside it."""
    return read_object(path.with_name(path.name + ".json"))


def open_runtime(path: Path) -> Runtime:
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
