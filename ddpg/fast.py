"""What makes the agent fast; it changes no result beyond rounding, and `ddpg.agent` can be read without it.

Three things cost more than the arithmetic of one action: a call of TensorFlow (0.1 to 0.2 ms), looking up the trace of
a `tf.function`, and binding its arguments. So updates are compiled once and called as cheaply as TensorFlow allows; the
call that updates the networks also computes the next action; and where many steps pass between two updates, actions
are computed with NumPy.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:  # MolGAN compiles too, and has no replay buffer
    from ddpg.config import Config
    from ddpg.replay_buffer import ReplayBuffer

Function = Callable[[np.ndarray], np.ndarray]  # of one state (state_size,)


def compile_function(function: Callable, signature: Sequence[tf.TensorSpec], jit_compile: bool) -> Callable:
    """Return a function of tensors that is traced once, in its first call, and called as cheaply as TensorFlow allows.

    A `tf.function` looks up its trace in each call, and a concrete function binds its arguments by name and collects
    the variables it uses: 0.1 ms each. Here the signature is fixed and the variables are known. TensorFlow has a call
    for that, which is not part of its public interface; where it is missing, the concrete function is called.

    Args:
        function: A function of tensors.
        signature: The shape and type of each argument.
        jit_compile: Compile with XLA.
    """
    traced: Callable | None = None

    def trace() -> Callable:
        # No `if` or loop here depends on a tensor, so AutoGraph would only take time.
        concrete = tf.function(function, jit_compile=jit_compile, autograph=False).get_concrete_function(*signature)
        call = getattr(getattr(concrete, "inference_fn", None), "call_preflattened", None)
        if call is None:
            return concrete
        variables = concrete.captured_inputs
        return lambda *inputs: call([*inputs, *variables])

    def compiled(*inputs: tf.Tensor) -> Any:
        nonlocal traced
        traced = traced or trace()
        return traced(*inputs)

    return compiled


def compile_policy_of_many(policy: Callable, states: int, state_size: int, jit_compile: bool) -> Function:
    """Return a policy, compiled, as a function of `states` states at once: `(N, state_size)` -> `(N, action_size)`."""
    compiled = compile_function(policy, [tf.TensorSpec([states, state_size], tf.float32)], jit_compile)
    return lambda many: compiled(tf.constant(many)).numpy()


def compile_policy(policy: Callable, state_size: int, jit_compile: bool) -> Function:
    """Return a policy, compiled, as a function of one state.

    Args:
        policy: `(1, state_size)` -> `(1, action_size)`, both tensors.
        state_size: Numbers in a state.
        jit_compile: Compile with XLA.
    """
    compiled = compile_policy_of_many(policy, 1, state_size, jit_compile)
    return lambda state: compiled(state[None])[0]


def compile_train_step(
    train_step: Callable, policy: Callable, replay_buffer: "ReplayBuffer", config: "Config"
) -> Callable[[np.ndarray, np.ndarray], tuple[list[float], np.ndarray]]:
    """Return one compiled call that runs `train_step` on each minibatch in turn, and then the policy for one state.

    Args:
        train_step: A minibatch, a `Batch` -> a tuple of scalar metrics.
        policy: `(1, state_size)` -> `(1, action_size)`, for the state in which the agent acts next.
        replay_buffer: Where the minibatches come from.
        config: The settings of the run.

    Returns:
        A function of minibatches `(gradient_steps, batch_size, row_size)` and the next state `(state_size,)`. It
        returns the mean of each metric over the minibatches, and the next action `(action_size,)`.
    """

    def train(minibatches, next_state):
        return train_on_each(train_step, replay_buffer, minibatches), policy(next_state)

    shapes = (config.gradient_steps, config.batch_size, replay_buffer.row_size), (1, replay_buffer.state_size)
    compiled = compile_function(train, [tf.TensorSpec(shape, tf.float32) for shape in shapes], config.jit_compile)

    def train_and_act(minibatches: np.ndarray, next_state: np.ndarray) -> tuple[list[float], np.ndarray]:
        metrics, next_action = compiled(tf.constant(minibatches), tf.constant(next_state[None]))
        return metrics.numpy().tolist(), next_action.numpy()[0]

    return train_and_act


def compile_updates(
    train_step: Callable, replay_buffer: "ReplayBuffer", config: "Config", updates: int
) -> Callable[[np.ndarray], list[float]]:
    """Return one compiled call that runs `train_step` on each of `updates` minibatches in turn.

    It takes `(updates, batch_size, row_size)` and returns the mean of each metric; see `compile_train_step`.
    """
    shape = (updates, config.batch_size, replay_buffer.row_size)
    train = partial(train_on_each, train_step, replay_buffer)
    compiled = compile_function(train, [tf.TensorSpec(shape, tf.float32)], config.jit_compile)
    return lambda minibatches: compiled(tf.constant(minibatches)).numpy().tolist()


def train_on_each(train_step: Callable, replay_buffer: "ReplayBuffer", minibatches: tf.Tensor) -> tf.Tensor:
    """Run `train_step` on each minibatch in turn, and return the mean of each metric, as tensors."""

    def train_on(rows):
        return tf.stack(train_step(replay_buffer.split(rows)))

    if minibatches.shape[0] == 1:  # a loop around a single update would add 0.1 ms
        return train_on(minibatches[0])
    each = tf.map_fn(train_on, minibatches, parallel_iterations=1, fn_output_signature=tf.float32)
    return tf.reduce_mean(each, axis=0)


class TrainingPolicy:
    """μ of the state in which training continues, as cheaply as possible.

    After an update the next action is known already. Where many steps pass between two updates, NumPy is faster than a
    call of TensorFlow.

    Args:
        compiled: μ of any state, as the actor sees it.
        make_numpy: Returns the same as a NumPy function of the weights as they are now.
        as_seen: Returns a state as the actor sees it.
        updates_every_step: Whether there is an update after each step.
    """

    def __init__(
        self, compiled: Function, make_numpy: Callable[[], Function], as_seen: Function, updates_every_step: bool
    ) -> None:
        self.compiled, self.make_numpy, self.as_seen = compiled, make_numpy, as_seen
        self.updates_every_step = updates_every_step
        self.forget()

    def forget(self) -> None:
        """Drop the cached action and the cached weights: an episode begins."""
        self._next: tuple[np.ndarray, np.ndarray] | None = None  # the next state, and μ of it
        self._numpy: Function | None = None  # μ until the next update

    def updated(self, next_state: np.ndarray, next_action: np.ndarray) -> None:
        """Take note of an update: the weights are others, and the next action is known."""
        self._next, self._numpy = (next_state, next_action), None

    def __call__(self, state: np.ndarray) -> np.ndarray:
        """Return μ(s), `(action_size,)`."""
        if not self.updates_every_step:
            self._numpy = self._numpy or self.make_numpy()
            return self._numpy(self.as_seen(state))
        known, self._next = self._next, None
        return known[1] if known and np.array_equal(known[0], state) else self.compiled(self.as_seen(state))


def numpy_policy(actor) -> Function:
    """Return μ of one state `(state_size,)` as a NumPy function of the weights as they are now.

    Args:
        actor: An `ActorNetwork`.
    """
    *hidden, output = [layer.get_weights() for layer in (actor.hidden_1, actor.hidden_2, actor.action)]
    normalize = [numpy_normalization(layer) for layer in actor.normalize]

    def policy(state: np.ndarray) -> np.ndarray:
        x = normalize[0](state)
        for (kernel, bias), normalized in zip(hidden, normalize[1:], strict=True):
            x = np.maximum(normalized(x @ kernel + bias), 0.0)
        return np.tanh(x @ output[0] + output[1])

    return policy


def numpy_normalization(layer: keras.Layer) -> Callable[[np.ndarray], np.ndarray]:
    """Return a batch normalization (by its running averages), a layer normalization or an identity with NumPy."""
    if not isinstance(layer, keras.layers.LayerNormalization):
        scale, shift = scale_and_shift(layer)
        return lambda x: x * scale + shift
    gamma, beta = layer.get_weights()
    epsilon = np.float32(layer.epsilon)

    def normalized(x: np.ndarray) -> np.ndarray:
        centered = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centered).mean(axis=-1, keepdims=True)
        return centered / np.sqrt(variance + epsilon) * gamma + beta

    return normalized


def scale_and_shift(layer: keras.Layer) -> tuple[Any, Any]:
    """Return what a batch normalization multiplies by and adds, by its running averages; 1 and 0 for an identity."""
    if not layer.weights:
        return np.float32(1.0), np.float32(0.0)
    gamma, beta, mean, variance = layer.get_weights()
    scale = gamma / np.sqrt(variance + np.float32(layer.epsilon))
    return scale, beta - mean * scale
