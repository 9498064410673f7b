"""TensorFlow, imported without its notes and set up once per process."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from ddpg.errors import RequestError, one_line


def import_tensorflow() -> None:
    """Import TensorFlow without the notes of its start, and make Keras compute in float32 as the agent does."""
    import_quietly()
    import keras

    if keras.config.backend() != "tensorflow":
        raise RequestError(
            f"Keras was imported with the backend {keras.config.backend()} before ddpg; import ddpg first, or set "
            "KERAS_BACKEND=tensorflow"
        )
    keras.config.set_floatx("float32")  # whatever the user's keras.json says: all of the agent is float32
    keras.config.set_dtype_policy("float32")


def import_quietly() -> None:
    """Import TensorFlow without the notes that its C++ side writes on stderr while it loads.

    They come before its log level applies, so the file descriptor itself is redirected. A user who sets
    TF_CPP_MIN_LOG_LEVEL=0 has asked for them, and gets them.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever is set for other programs: this one is written for it
    if "tensorflow" in sys.modules:
        return
    quiet = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "0"
    try:
        with silent_stderr() if quiet else nullcontext():
            import tensorflow  # noqa: F401
    except ImportError as error:
        raise RequestError(
            f"TensorFlow cannot be imported by {sys.executable} ({one_line(error)}); activate the virtual environment, "
            "or: pip install -r requirements.txt"
        ) from None


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard what this process writes on stderr, C++ code included."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)


def prepare_tensorflow(threads: int | None) -> None:
    """Set what TensorFlow reads only once, before it computes: its intra-op threads.

    Without a number it uses a thread per core, the better default even for networks this small: see
    `docs/performance.md`. On a GPU it takes memory as it needs it, so that several runs can share the GPU.

    Raises:
        RequestError: This process has already computed with another number, which TensorFlow cannot change.
    """
    import tensorflow as tf

    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if threads is None or threads == tf.config.threading.get_intra_op_parallelism_threads():
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError:
        raise RequestError(
            "TensorFlow is already initialized in this process; set the threads in a new one", "threads"
        ) from None


@contextmanager
def paused_garbage_collector() -> Iterator[None]:
    """Keep the garbage collector from scanning TensorFlow's many objects, which live as long as the run."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
