"""Keras's own files, of Keras's own layers, with the metadata in a JSON file beside them."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from ddpg.command.inputs import read_object
from ddpg.command.tensorflow import import_tensorflow
from ddpg.policy.formats import Model, Runtime
from ddpg.storage.files import write_json


def write(model: Model, metadata: dict[str, Any], path: Path) -> None:
    """Write a `.keras` file of Keras's own layers, with the metadata in a JSON file beside it."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        file = Path(folder, "policy.keras")  # Keras insists on the ending
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, about Keras
            model.save(file)
        file.replace(path)
    write_json(path.with_name(path.name + ".json"), metadata)


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what a file says about itself: in a JSON file beside it."""
    return read_object(path.with_name(path.name + ".json"))


def open_runtime(path: Path) -> Runtime:
    """Open a `.keras` file."""
    import_tensorflow()
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(path, compile=False)
    call = tf.function(model, input_signature=[tf.TensorSpec([None, model.input.shape[1]], tf.float32)])
    return lambda states: call(states).numpy()
