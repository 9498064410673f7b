"""This project's side of `parity.py`: updates in float64 on given minibatches, in a process of its own.

    python -m benchmarks.parity.parity_ours CODE MINIBATCHES.npz PRESET RESULT.npz

CODE is a folder with the package `ddpg`, perhaps a changed copy. The result holds the weights of all four networks at
each of `benchmarks.parity.weights.SNAPSHOTS`, under names such as "10/actor/hidden_1/0".
"""

import os
import sys

import numpy as np

from benchmarks.parity.weights import SNAPSHOTS, weights_of


def main(code: str, minibatches: str, preset: str, result: str) -> None:
    """Make the updates and write the result."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.path.insert(0, code)
    import keras

    keras.config.set_floatx("float64")
    import tensorflow as tf

    from ddpg import DDPG, PRESETS, Batch

    given = np.load(minibatches)
    batch = Batch(*(given[name] for name in Batch._fields if name in given))
    agent = DDPG(batch.state.shape[-1], batch.action.shape[-1], PRESETS[preset])
    step = tf.function(lambda *rows: agent.train_step(Batch(*rows)))
    weights: dict[str, np.ndarray] = {}
    for update in range(len(batch.state) + 1):
        if update in SNAPSHOTS or update == len(batch.state):
            weights |= {f"{update}/{name}": value for name, value in weights_of(agent).items()}
        if update < len(batch.state):
            step(*(tf.constant(part[update]) for part in batch if part is not None))
    np.savez(result, allow_pickle=False, **weights)


if __name__ == "__main__":
    main(*sys.argv[1:])
