"""Print the threads that TensorFlow has in three new lives of this process: `python -m tests.helpers.threads FOLDER`.

Each is a fork of this process, which has imported TensorFlow but never used it, so that the threads can still be set.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ddpg.command.tensorflow import import_tensorflow

import_tensorflow()
import tensorflow as tf  # noqa: E402

import tests.helpers.tasks  # noqa: E402, F401
from ddpg import Config  # noqa: E402
from ddpg.run.start import resume_run, start_run  # noqa: E402

CONFIG = Config(
    env="Endless-v0", episodes=1, evaluation_episodes=1, hidden_units=(8, 8), batch_size=8, buffer_size=100,
    learning_starts=1_000, jit_compile=False,
)  # fmt: skip


def threads_in_a_fork(task: Callable[[], None]) -> int:
    """Return how many intra-op threads TensorFlow has after a task, which must not fail."""
    child = os.fork()
    if child == 0:
        try:
            task()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(255)
        os._exit(tf.config.threading.get_intra_op_parallelism_threads())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path) -> None:
    """Start a run with three threads, resume it, and start one that leaves the user's own choice of two."""
    asked = replace(CONFIG, threads=3)
    print("started", threads_in_a_fork(lambda: start_run(asked, folder / "run", folder).train(False)))
    print("resumed", threads_in_a_fork(lambda: resume_run(folder / "run", folder, {})))
    tf.config.threading.set_intra_op_parallelism_threads(2)
    print("unasked", threads_in_a_fork(lambda: start_run(CONFIG, folder / "other", folder)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
