"""TensorFlow's SavedModel: a folder, with `metadata.json` in it."""

from pathlib import Path
from typing import Any

from ddpg.command.inputs import read_object
from ddpg.command.tensorflow import import_tensorflow
from ddpg.policy.formats import Model, Runtime
from ddpg.storage.files import write_json


def write(model: Model, metadata: dict[str, Any], path: Path) -> None:
    """Write a TensorFlow SavedModel with one signature, `state` to `action`, and `metadata.json` in its folder."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, model.input.shape[1]], tf.float32, name="state")])
    def serve(state):
        return {"action": model(state)}

    module = tf.Module()
    module.policy, module.serve = model, serve
    tf.saved_model.save(module, str(path), signatures={"serving_default": serve})
    write_json(path / "metadata.json", metadata)


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what a folder says about itself."""
    return read_object(path / "metadata.json")


def open_runtime(path: Path) -> Runtime:
    """Open the folder of a SavedModel."""
    import_tensorflow()
    import tensorflow as tf

    module = tf.saved_model.load(str(path))
    serve = module.signatures["serving_default"]
    return lambda states: serve(state=tf.constant(states))["action"].numpy()
