"""ONNX files, with the metadata inside: written by hand, one or two nodes per layer, and run by onnxruntime."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ddpg.errors import RequestError
from ddpg.policy.formats import Model, Runtime
from ddpg.storage.files import new_file

OPSET, IR_VERSION = 17, 8  # old enough for runtimes of 2022


def write(model: Model, metadata: dict[str, Any], path: Path) -> None:
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


def onnx_nodes(model: Model) -> tuple[list[Any], list[Any]]:
    """Return the nodes that compute the model's output from `state`, and the weights that they read."""
    import keras
    from keras import layers
    from onnx import helper, numpy_helper

    from ddpg.fast import scale_and_shift

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
        elif not hasattr(layer, "x_min"):
            raise RequestError(
                f"the layer {layer.name!r} is a {type(layer).__name__}, which ONNX files do not know here"
            )
        else:
            x = add("Clip", layer.name, np.asarray(layer.x_min), np.asarray(layer.x_max))
    return nodes, weights


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what a file says about itself."""
    import onnxruntime

    return json.loads(onnxruntime.InferenceSession(str(path)).get_modelmeta().custom_metadata_map["ddpg"])


def open_runtime(path: Path) -> Runtime:
    """Open an ONNX file with onnxruntime, on one thread: a policy is too small to share."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda states: session.run(["action"], {"state": states})[0]
