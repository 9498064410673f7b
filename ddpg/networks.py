"""The actor μ(s) and the critic Q(s, a): two subclassed Keras models of 400 and 300 units (both posts).

As they stand they are the second post's; the options make them the paper's (its section 3 and appendix 7): batch
normalisation, fan-in initialisation, and the action entering the critic at its second hidden layer.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ddpg.errors import RequestError

if keras.backend.backend() != "tensorflow":
    raise RequestError(
        f"Keras runs on {keras.backend.backend()!r} here, and this package needs TensorFlow; "
        "set the environment variable KERAS_BACKEND=tensorflow"
    )

SMALL = 3e-3  # keeps tanh in its linear range, and values near zero, at first (paper, appendix 7; second post)


class ActorNetwork(keras.Model):
    """The deterministic policy μ(s | θ^μ), with a tanh output: actions in [-1, 1].

    Args:
        action_size: Numbers in an action.
        hidden_units: Units of the two ReLU layers.
        seed: Seed of the initial weights.
        batch_normalization: Normalise the state and the input of each ReLU over the minibatch while learning, and by
            running averages otherwise.
        initialization: "keras" for Glorot's, as the second post has it, or "fan_in" for the paper's.
    """

    def __init__(
        self,
        action_size: int,
        hidden_units: tuple[int, int] = (400, 300),
        seed: int = 0,
        batch_normalization: bool = False,
        initialization: str = "keras",
        name: str = "actor",
    ) -> None:
        super().__init__(name=name)
        self.normalize = [normalization(batch_normalization, f"normalize_{k}") for k in range(3)]
        self.hidden_1 = dense(hidden_units[0], initialization, seed, "hidden_1")
        self.hidden_2 = dense(hidden_units[1], initialization, seed + 1, "hidden_2")
        self.action = small_dense(action_size, initialization, seed + 2, "action", activation="tanh")

    def call(self, state, training: bool = False):
        """Return the actions `(N, action_size)` for states `(N, state_size)`.

        Args:
            state: The states.
            training: True while learning: normalise over the minibatch, and move the running averages.
        """
        x = self.normalize[0](state, training=training)
        x = ops.relu(self.normalize[1](self.hidden_1(x), training=training))  # (N, 400)
        x = ops.relu(self.normalize[2](self.hidden_2(x), training=training))  # (N, 300)
        return self.action(x)

    def in_numpy(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return μ with the weights as they are now, as a function of one state `(state_size,)`.

        A call of TensorFlow takes 0.1 to 0.2 ms whatever is in it, and these three products a tenth of that.
        """
        (*hidden, last) = [layer.get_weights() for layer in (self.hidden_1, self.hidden_2, self.action)]
        scales = [scale_and_shift(layer) for layer in self.normalize]

        def policy(state: np.ndarray) -> np.ndarray:
            x = state * scales[0][0] + scales[0][1]
            for (kernel, bias), (scale, shift) in zip(hidden, scales[1:], strict=True):
                x = np.maximum((x @ kernel + bias) * scale + shift, 0.0)
            return np.tanh(x @ last[0] + last[1])

        return policy


class CriticNetwork(keras.Model):
    """The action value Q(s, a | θ^Q), with a linear output.

    Args:
        hidden_units: Units of the two ReLU layers.
        seed: Seed of the initial weights.
        batch_normalization: As in `ActorNetwork`, for the layers before the action enters.
        initialization: As in `ActorNetwork`; "fan_in" also starts the last layer within 0.003.
        action_layer: The hidden layer at which the action enters: 1, beside the state (second post), or 2 (paper).
        weight_decay: λ of the L2 penalty λ Σ w² on the layers' kernels (paper: 0.01); it is in `losses`.
    """

    def __init__(
        self,
        hidden_units: tuple[int, int] = (400, 300),
        seed: int = 0,
        batch_normalization: bool = False,
        initialization: str = "keras",
        action_layer: int = 1,
        weight_decay: float = 0.0,
        name: str = "critic",
    ) -> None:
        super().__init__(name=name)
        self.action_layer = action_layer
        penalty = keras.regularizers.L2(weight_decay) if weight_decay else None
        self.normalize = [normalization(batch_normalization and k < action_layer, f"normalize_{k}") for k in range(2)]
        self.hidden_1 = dense(hidden_units[0], initialization, seed, "hidden_1", penalty)
        self.hidden_2 = dense(hidden_units[1], initialization, seed + 1, "hidden_2", penalty)
        last = small_dense if initialization == "fan_in" else dense
        self.value = last(1, initialization, seed + 2, "value", penalty)

    def call(self, state, action, training: bool = False):
        """Return the values `(N, 1)` of actions `(N, action_size)` in states `(N, state_size)`."""
        x = self.normalize[0](state, training=training)
        if self.action_layer == 1:
            x = ops.concatenate([x, action], axis=1)  # (N, state_size + action_size)
        x = ops.relu(self.normalize[1](self.hidden_1(x), training=training))  # (N, 400)
        if self.action_layer == 2:
            x = ops.concatenate([x, action], axis=1)  # (N, 400 + action_size)
        return self.value(ops.relu(self.hidden_2(x)))


class FanInDense(layers.Dense):
    """A dense layer whose weights and biases start uniform within ±1 / √fan-in (paper, appendix 7)."""

    def __init__(self, units: int, seed: int, **kwargs) -> None:
        super().__init__(units, **kwargs)
        self.seed = seed

    def build(self, input_shape) -> None:
        """Make the weights, now that the fan-in is known."""
        limit = input_shape[-1] ** -0.5
        self.kernel_initializer = keras.initializers.RandomUniform(-limit, limit, seed=self.seed)
        self.bias_initializer = keras.initializers.RandomUniform(-limit, limit, seed=self.seed + 1000)
        super().build(input_shape)


def dense(units: int, initialization: str, seed: int, name: str, penalty=None) -> layers.Dense:
    """Return a linear dense layer with its initial weights drawn from a seed."""
    if initialization == "fan_in":
        return FanInDense(units, seed, kernel_regularizer=penalty, name=name)
    glorot = keras.initializers.GlorotUniform(seed=seed)
    return layers.Dense(units, kernel_initializer=glorot, kernel_regularizer=penalty, name=name)


def small_dense(units: int, initialization: str, seed: int, name: str, penalty=None, activation=None) -> layers.Dense:
    """Return a last layer, whose weights (and with "fan_in" its biases) start uniform within ±0.003."""
    kernel, bias = (keras.initializers.RandomUniform(-SMALL, SMALL, seed=seed + k) for k in (0, 1000))
    return layers.Dense(
        units,
        activation,
        kernel_initializer=kernel,
        bias_initializer=bias if initialization == "fan_in" else "zeros",
        kernel_regularizer=penalty,
        name=name,
    )


def scale_and_shift(layer: keras.Layer) -> tuple[Any, Any]:
    """Return what a `normalization` multiplies by and what it adds, by its running averages."""
    if not layer.weights:
        return np.float32(1.0), np.float32(0.0)
    gamma, beta, mean, variance = layer.get_weights()
    scale = gamma / np.sqrt(variance + np.float32(layer.epsilon))
    return scale, beta - mean * scale


def normalization(wanted: bool, name: str) -> keras.Layer:
    """Return a batch normalisation, or a layer that does nothing."""
    return layers.BatchNormalization(name=name) if wanted else layers.Identity(name=name)
