"""The file formats of a policy, one row each: all that the commands know of them.

A format is a module of this folder with three functions:

    write(model, metadata, path)     writes the plain Keras model of `ddpg.policy.plain_policy`
    read_metadata(path)              returns what a file says about itself
    open_runtime(path)               returns its policy

They import what they need when they are called: `--help` must not wait for TensorFlow.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ddpg.command.packages import require_package
from ddpg.errors import RequestError

Model = Any  # a `keras.Model`
Runtime = Callable[[np.ndarray], np.ndarray]  # states (N, state_size) -> actions (N, action_size), both float32


class Format(NamedTuple):
    """A file format: its file name's ending ("" for a folder), its module here, and the packages that it needs.

    The metadata of some lie in a file of their own, whose name is that of the policy and one more ending.
    """

    suffix: str
    module: str
    packages: tuple[str, ...] = ()
    metadata_suffix: str = ""

    @property
    def functions(self) -> ModuleType:
        """The module with `write`, `read_metadata` and `open_runtime`."""
        return import_module(f"ddpg.policy.{self.module}")


FORMATS = {
    "onnx": Format(".onnx", "onnx_file", ("onnx", "onnxruntime")),
    "litert": Format(".tflite", "litert_file", ("ai_edge_litert",), ".json"),
    "saved_model": Format("", "saved_model"),
    "keras": Format(".keras", "keras_file", (), ".json"),
}


def format_to_write(out: Path) -> str:
    """Return the format that a file name's ending means.

    Raises:
        RequestError: It means none.
    """
    for name, format in FORMATS.items():
        if format.suffix and out.suffix == format.suffix:
            return name
    endings = ", ".join(format.suffix for format in FORMATS.values() if format.suffix)
    raise RequestError(f"the ending of {out} names no format ({endings}); give --format", "format")


def format_of(path: Path) -> str:
    """Return the format of a file that exists, by its ending.

    Raises:
        RequestError: There is no such file, or it is of no format.
    """
    if not path.exists():
        raise RequestError(f"there is no file {path}")
    for name, format in FORMATS.items():
        if path.suffix == format.suffix and path.is_file() == bool(format.suffix):
            return name
    endings = ", ".join(format.suffix for format in FORMATS.values() if format.suffix)
    raise RequestError(f"{path} is not a policy file: expected {endings} or a SavedModel folder")


def require_packages(name: str) -> None:
    """Raise `RequestError` unless the packages of a format are installed."""
    for package in FORMATS[name].packages:
        require_package(package, f"the format {name} needs {package}", "format")
