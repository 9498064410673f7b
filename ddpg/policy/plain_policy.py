"""The whole policy as a plain Keras model: states and actions in the task's own units, and no class of this package."""

import keras
import numpy as np
from keras import layers, ops

from ddpg.agent import DDPG
from ddpg.errors import RequestError
from ddpg.normalization import EPSILON, LIMIT


def plain_policy(agent: DDPG, low: np.ndarray, high: np.ndarray) -> keras.Model:
    """Return μ of an agent followed by the scaling to the task's bounds.

    Every file format is made from this model. It has one input, `state (batch, state_size)`, and one output,
    `action (batch, action_size)`, both float32; batch normalization uses its running averages.

    Args:
        agent: The agent.
        low, high: The bounds of the task's actions, `(action_size,)`.
    """
    actor = agent.evaluated_actor
    state = keras.Input((agent.state_size,), name="state")
    x = copied(actor.normalize[0], normalized(agent, state))
    x = layers.ReLU(name="relu_1")(copied(actor.normalize[1], copied(actor.hidden_1, x)))
    x = layers.ReLU(name="relu_2")(copied(actor.normalize[2], copied(actor.hidden_2, x)))
    x = ops.clip(copied(actor.action, x, name="tanh"), -1.0, 1.0)  # some runtimes' tanh exceeds 1 by rounding
    scale, offset = scaling_to(low, high)
    action = layers.Rescaling(scale.tolist(), offset.tolist(), name="action")(x)
    return keras.Model(state, action, name="policy")


def exact_actions(agent: DDPG, low: np.ndarray, high: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Return the policy's actions computed in float64, `(N, action_size)`.

    The agent itself computes in float32. After long training, the weights can be so large that the rounding error shows
    in the fifth digit of an action.

    Args:
        agent: The agent.
        low, high: The bounds of the task's actions, `(action_size,)`.
        states: States, `(N, state_size)`.
    """
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        model = plain_policy(agent, low, high)
    finally:
        keras.config.set_dtype_policy(usual)
    return np.asarray(model(states))


def normalized(agent: DDPG, state):
    """Apply the agent's scaling of observations, if it has one."""
    if not agent.normalization:
        return state
    mean, variance = agent.normalization.mean.numpy(), agent.normalization.variance.numpy() + EPSILON
    x = layers.Normalization(mean=mean, variance=variance, name="normalize_observations")(state)
    return ops.clip(x, -LIMIT, LIMIT)


def copied(layer: keras.Layer, x, name: str | None = None):
    """Apply a copy of a layer, made of Keras's own classes, with the same weights."""
    if isinstance(layer, layers.Identity):
        return x
    if isinstance(layer, layers.BatchNormalization):
        copy = layers.BatchNormalization(epsilon=layer.epsilon, name=name or layer.name)
        y = copy(x, training=False)
    elif isinstance(layer, layers.LayerNormalization):
        copy = layers.LayerNormalization(epsilon=layer.epsilon, name=name or layer.name)
        y = copy(x)
    elif not isinstance(layer, layers.Dense):
        raise RequestError(
            f"the layer {layer.name!r} is a {type(layer).__name__}, which the file formats do not know; "
            "add it to ddpg/policy/plain_policy.py"
        )
    else:  # a subclass differs in its initial weights only
        copy = layers.Dense(layer.units, layer.activation, name=name or layer.name)
        y = copy(x)
    copy.set_weights(layer.get_weights())
    return y


def scaling_to(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 scale and offset that map [-1, 1] to [low, high], and never beyond by rounding."""
    low, high = low.astype(np.float64), high.astype(np.float64)
    scale, offset = ((high - low) / 2).astype(np.float32), ((high + low) / 2).astype(np.float32)
    while (outside := (offset + scale > high) | (offset - scale < low)).any():
        scale = np.where(outside, np.nextafter(scale, np.float32(0)), scale)
    return scale, offset
