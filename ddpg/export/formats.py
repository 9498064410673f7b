"""The four file formats, each written from the plain Keras model of `ddpg.export.plain_policy`."""

import json
import shutil
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ddpg.errors import RequestError
from ddpg.fast import scale_and_shift
from ddpg.run.command_line import silent_stderr
from ddpg.run.files import new_file, write_json

OPSET, IR_VERSION = 17, 8  # old enough for runtimes of 2022


class Format(NamedTuple):
    """A file format: how it is written, its file name's ending, and the packages that it needs."""

    write: Callable[[keras.Model, dict[str, Any], Path], None]
    suffix: str
    packages: tuple[str, ...] = ()


def require_packages(name: str) -> None:
    """Raise `RequestError` unless the packages of a format are installed."""
    missing = [package for package in FORMATS[name].packages if find_spec(package) is None]
    if missing:
        names = " ".join(package.replace("_", "-") for package in FORMATS[name].packages)
        raise RequestError(f"the format {name} needs {missing[0]}; try: pip install {names}", "format")


def write_onnx(model: keras.Model, metadata: dict[str, Any], path: Path) -> None:
    """Write an ONNX file with the metadata inside, one or two nodes per layer."""
    import onnx
    from onnx import TensorProto, helper

    nodes, weights = onnx_nodes(model)
    state, action = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ("batch", tensor.shape[1]))
        for name, tensor in (("state", model.input), ("action", model.output))
    )
    graph = helper.make_graph(nodes, "policy", [state], [action], weights)
    opsets = [helper.make_opsetid("", OPSET)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="ddpg-reference")
    helper.set_model_props(proto, {"ddpg": json.dumps(metadata)})
    onnx.checker.check_model(proto)
    with new_file(path) as file:
        file.write(proto.SerializeToString())


def onnx_nodes(model: keras.Model) -> tuple[list[Any], list[Any]]:
    """Return the nodes that compute the model's output from `state`, and the weights that they read."""
    from onnx import helper, numpy_helper

    nodes: list[Any] = []
    weights: list[Any] = []
    x = "state"

    def add(operator: str, output: str, *arrays: np.ndarray, **attributes: Any) -> str:
        names = [f"{output}_weights_{k}" for k in range(len(arrays))]
        weights.extend(
            numpy_helper.from_array(np.asarray(array, np.float32), weight)
            for array, weight in zip(arrays, names, strict=True)
        )
        nodes.append(helper.make_node(operator, [x, *names], [output], name=output, **attributes))
        return output

    for layer in model.operations[1:]:  # after the input; clipping is an operation and no layer
        if isinstance(layer, layers.Dense):
            kernel, bias = layer.get_weights()
            x = add("MatMul", f"{layer.name}_product", kernel)
            x = add("Add", f"{layer.name}_sum", bias)
            x = add("Tanh", layer.name) if layer.activation is keras.activations.tanh else x
        elif isinstance(layer, layers.ReLU):
            x = add("Relu", layer.name)
        elif isinstance(layer, (layers.Rescaling, layers.BatchNormalization)):
            rescaling = isinstance(layer, layers.Rescaling)
            scale, shift = (layer.scale, layer.offset) if rescaling else scale_and_shift(layer)
            x = add("Mul", f"{layer.name}_scaled", np.asarray(scale))
            x = add("Add", layer.name, np.asarray(shift))
        elif isinstance(layer, layers.LayerNormalization):
            x = add("LayerNormalization", layer.name, *layer.get_weights(), epsilon=float(layer.epsilon))
        elif isinstance(layer, layers.Normalization):
            x = add("Sub", f"{layer.name}_centered", np.asarray(layer.mean))
            x = add("Div", layer.name, np.sqrt(np.asarray(layer.variance)))
        else:
            x = add("Clip", layer.name, np.asarray(layer.x_min), np.asarray(layer.x_max))
    return nodes, weights


def write_litert(model: keras.Model, metadata: dict[str, Any], path: Path) -> None:
    """Write a LiteRT (TensorFlow Lite) file, with the metadata in a JSON file beside it."""
    write_converted(model, metadata, path)


def write_quantized(model: keras.Model, metadata: dict[str, Any], path: Path, states: np.ndarray) -> None:
    """Write a LiteRT file whose weights and activations are 8-bit integers; states and actions stay float32.

    Args:
        model: The plain policy.
        metadata: What the file says about itself.
        path: The file.
        states: Representative states `(N, state_size)`, from which the ranges of the activations are taken.
    """
    write_converted(model, metadata | {"quantized": "int8"}, path, states)


def write_converted(model: keras.Model, metadata: dict[str, Any], path: Path, states: np.ndarray | None = None) -> None:
    """Convert, with 8-bit integers where there are representative states, and write the file and its metadata."""
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


def write_saved_model(model: keras.Model, metadata: dict[str, Any], path: Path) -> None:
    """Write a TensorFlow SavedModel with one signature, `state` to `action`, and `metadata.json` in its folder."""

    @tf.function(input_signature=[tf.TensorSpec([None, model.input.shape[1]], tf.float32, name="state")])
    def serve(state):
        return {"action": model(state)}

    module = tf.Module()
    module.policy, module.serve = model, serve
    tf.saved_model.save(module, str(path), signatures={"serving_default": serve})
    write_json(path / "metadata.json", metadata)


def write_keras(model: keras.Model, metadata: dict[str, Any], path: Path) -> None:
    """Write a `.keras` file of Keras's own layers, with the metadata in a JSON file beside it."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        file = Path(folder, "policy.keras")  # Keras insists on the ending
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, about Keras
            model.save(file)
        shutil.move(file, path)
    write_json(path.with_name(path.name + ".json"), metadata)


FORMATS = {
    "onnx": Format(write_onnx, ".onnx", ("onnx", "onnxruntime")),
    "litert": Format(write_litert, ".tflite", ("ai_edge_litert",)),
    "saved_model": Format(write_saved_model, ""),
    "keras": Format(write_keras, ".keras"),
}
