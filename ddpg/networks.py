"""The actor μ(s) and the critic Q(s, a): two subclassed Keras models of 400 and 300 units (both posts).

The defaults are the second post's. The options make them the paper's (its sections 3 and 7): batch normalization,
fan-in initialization, and the action entering the critic at its second hidden layer. Layer normalization is newer.
"""

import keras
from keras import layers, ops

from ddpg.config import Config
from ddpg.errors import RequestError
from ddpg.settings.schedules import updates_until

if keras.backend.backend() != "tensorflow":
    raise RequestError(
        f"Keras uses the backend {keras.backend.backend()!r}, but this package needs TensorFlow; "
        "set the environment variable KERAS_BACKEND=tensorflow"
    )

STATE_LIMIT = 5.0  # of a normalized state, in standard deviations
OUTPUT_LIMIT = 3e-3  # keeps tanh in its linear range and values near zero at first (paper, section 7; second post)


class ActorNetwork(keras.Model):
    """The deterministic policy μ(s | θ^μ), with a tanh output: actions in [-1, 1].

    Args:
        action_size: Numbers in an action.
        hidden_units: Units of the two ReLU layers.
        seed: Seed of the initial weights.
        batch_normalization: Normalize the state and the input of each ReLU: over the minibatch in training, by running
            averages otherwise.
        kernel_initializer: "keras" for Glorot's, as in the second post, or "fan_in" for the paper's.
        layer_normalization: Normalize the input of each ReLU over its units, in each state by itself (Ba et al., 2016).
    """

    def __init__(
        self,
        action_size: int,
        hidden_units: tuple[int, int] = (400, 300),
        seed: int = 0,
        batch_normalization: bool = False,
        kernel_initializer: str = "keras",
        layer_normalization: bool = False,
        name: str = "actor",
    ) -> None:
        super().__init__(name=name)
        self.normalize = [
            normalization(batch_normalization, layer_normalization and k > 0, f"normalize_{k}") for k in range(3)
        ]
        self.hidden_1 = dense(hidden_units[0], kernel_initializer, seed, "hidden_1")
        self.hidden_2 = dense(hidden_units[1], kernel_initializer, seed + 1, "hidden_2")
        self.action = output_dense(action_size, kernel_initializer, seed + 2, "action", activation="tanh")

    def call(self, state, training: bool = False):
        """Return the actions `(N, action_size)` for states `(N, state_size)`.

        Args:
            state: The states.
            training: True in training: normalize over the minibatch and update the running averages.
        """
        x = self.normalize[0](state, training=training)
        x = ops.relu(self.normalize[1](self.hidden_1(x), training=training))  # (N, 400)
        x = ops.relu(self.normalize[2](self.hidden_2(x), training=training))  # (N, 300)
        return self.action(x)


class CriticNetwork(keras.Model):
    """The action value Q(s, a | θ^Q), with a linear output.

    Args:
        hidden_units: Units of the two ReLU layers.
        seed: Seed of the initial weights.
        batch_normalization: As in `ActorNetwork`, for the layers before the action enters.
        kernel_initializer: As in `ActorNetwork`; "fan_in" also initializes the last layer within ±0.003.
        action_layer: The hidden layer at which the action enters: 1, beside the state (second post), or 2 (paper).
        weight_decay: λ of the L2 penalty λ Σ w² on the layers' kernels (paper: 0.01), which Keras adds to `losses`.
        layer_normalization: As in `ActorNetwork`.
    """

    def __init__(
        self,
        hidden_units: tuple[int, int] = (400, 300),
        seed: int = 0,
        batch_normalization: bool = False,
        kernel_initializer: str = "keras",
        action_layer: int = 1,
        weight_decay: float = 0.0,
        layer_normalization: bool = False,
        name: str = "critic",
    ) -> None:
        super().__init__(name=name)
        self.action_layer = action_layer
        penalty = keras.regularizers.L2(weight_decay) if weight_decay else None
        self.normalize = [
            normalization(batch_normalization and k < action_layer, layer_normalization and k > 0, f"normalize_{k}")
            for k in range(3)
        ]
        self.hidden_1 = dense(hidden_units[0], kernel_initializer, seed, "hidden_1", penalty)
        self.hidden_2 = dense(hidden_units[1], kernel_initializer, seed + 1, "hidden_2", penalty)
        last = output_dense if kernel_initializer == "fan_in" else dense
        self.value = last(1, kernel_initializer, seed + 2, "value", penalty)

    def call(self, state, action, training: bool = False):
        """Return the values `(N, 1)` of actions `(N, action_size)` in states `(N, state_size)`."""
        x = self.normalize[0](state, training=training)
        if self.action_layer == 1:
            x = ops.concatenate([x, action], axis=1)  # (N, state_size + action_size)
        x = ops.relu(self.normalize[1](self.hidden_1(x), training=training))  # (N, 400)
        if self.action_layer == 2:
            x = ops.concatenate([x, action], axis=1)  # (N, 400 + action_size)
        x = ops.relu(self.normalize[2](self.hidden_2(x), training=training))  # (N, 300)
        return self.value(x)


class FanInDense(layers.Dense):
    """A dense layer whose initial weights and biases are uniform within ±1 / √fan-in (paper, section 7)."""

    def __init__(self, units: int, seed: int, **kwargs) -> None:
        super().__init__(units, **kwargs)
        self.seed = seed

    def build(self, input_shape) -> None:
        """Create the weights, now that the fan-in is known."""
        limit = input_shape[-1] ** -0.5
        self.kernel_initializer = keras.initializers.RandomUniform(-limit, limit, seed=self.seed)
        self.bias_initializer = keras.initializers.RandomUniform(-limit, limit, seed=self.seed + 1000)
        super().build(input_shape)


def dense(units: int, kernel_initializer: str, seed: int, name: str, penalty=None) -> layers.Dense:
    """Return a linear dense layer with its initial weights drawn from a seed."""
    if kernel_initializer == "fan_in":
        return FanInDense(units, seed, kernel_regularizer=penalty, name=name)
    glorot = keras.initializers.GlorotUniform(seed=seed)
    return layers.Dense(units, kernel_initializer=glorot, kernel_regularizer=penalty, name=name)


def output_dense(
    units: int, kernel_initializer: str, seed: int, name: str, penalty=None, activation=None
) -> layers.Dense:
    """Return an output layer; its initial weights (and with "fan_in" its biases) are uniform within ±0.003."""
    kernel, bias = (keras.initializers.RandomUniform(-OUTPUT_LIMIT, OUTPUT_LIMIT, seed=seed + k) for k in (0, 1000))
    return layers.Dense(
        units,
        activation,
        kernel_initializer=kernel,
        bias_initializer=bias if kernel_initializer == "fan_in" else "zeros",
        kernel_regularizer=penalty,
        name=name,
    )


def normalization(batch: bool, layer: bool, name: str) -> keras.Layer:
    """Return a batch normalization, a layer normalization, or the identity."""
    kind = layers.BatchNormalization if batch else layers.LayerNormalization if layer else layers.Identity
    return kind(name=name)


def make_actor(config: Config, state_size: int, action_size: int, seed: int, name: str) -> ActorNetwork:
    """Return an actor with the settings of a run; it has its weights."""
    actor = ActorNetwork(
        action_size,
        config.hidden_units,
        seed,
        config.batch_normalization,
        config.kernel_initializer,
        config.layer_normalization == "both",
        name,
    )
    actor(ops.zeros([1, state_size]))  # a subclassed network has no weights before its first call
    return actor


def make_critic(config: Config, state_size: int, action_size: int, seed: int, name: str) -> CriticNetwork:
    """Return a critic with the settings of a run; it has its weights."""
    critic = CriticNetwork(
        config.hidden_units,
        seed,
        config.batch_normalization,
        config.kernel_initializer,
        config.action_layer,
        config.critic_weight_decay,
        config.layer_normalization != "none",
        name,
    )
    critic(ops.zeros([1, state_size]), ops.zeros([1, action_size]))
    return critic


def make_optimizer(config: Config, learning_rate: float, network: keras.Model) -> keras.optimizers.Adam:
    """Return Adam for a network; its step size is constant, or falls linearly to zero."""
    step_size = learning_rate
    if config.learning_rate_decay_steps is not None:
        updates = max(1, updates_until(config, config.learning_rate_decay_steps))
        step_size = keras.optimizers.schedules.PolynomialDecay(learning_rate, updates, end_learning_rate=0.0)
    optimizer = keras.optimizers.Adam(step_size)
    optimizer.build(network.trainable_variables)
    return optimizer
