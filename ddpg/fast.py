"""What makes the agent fast; it changes no result beyond rounding, and `ddpg.agent` can be read without it.

Three things cost more than the arithmetic of one action: a call of TensorFlow (0.1 to 0.2 ms), looking up the trace of
a `tf.function`, and binding its arguments. So updates are compiled once and called as cheaply as TensorFlow allows; the
call that updates the networks also computes the next action; and where many steps pass between two updates, actions
are computed with NumPy. The states of a minibatch are normalized in one pass over whole rows.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddpg.networks import STATE_LIMIT, StateNormalization
from ddpg.replay_buffer import ReplayBuffer


def compile_function(function: Callable, signature: Sequence[tf.TensorSpec], jit_compile: bool) -> Callable:
    """Return a function of tensors that is traced once and called as cheaply as TensorFlow allows.

    A `tf.function` looks up its trace in each call, and a concrete function binds its arguments by name and collects
    the variables it uses: 0.1 ms each. Here the signature is fixed and the variables are known. TensorFlow has a call
    for that, which is not part of its public interface; where it is missing, the concrete function is called.

    Args:
        function: A function of tensors.
        signature: The shape and type of each argument.
        jit_compile: Compile with XLA.
    """
    # No `if` or loop here depends on a tensor, so AutoGraph would only take time.
    compiled = tf.function(function, jit_compile=jit_compile, autograph=False)
    concrete = compiled.get_concrete_function(*signature)
    call = getattr(getattr(concrete, "inference_fn", None), "call_preflattened", None)
    if call is None:
        return concrete
    variables = concrete.captured_inputs
    return lambda *inputs: call([*inputs, *variables])


class FastCalls:
    """The agent's compiled calls, and the actions that they make unnecessary to compute again.

    Args:
        train_step: Takes the rows of one minibatch `(batch_size, row_size)`, returns a tuple of scalar metrics.
        actor: The actor network, which explores.
        evaluated_actor: The actor without exploration: the same network, or another.
        normalized: Takes a state `(state_size,)`, returns it as the networks see it.
        minibatches_shape: `(gradient_steps, batch_size, row_size)`, what one update takes.
        state_size: Numbers in a state.
        updates_every_step: An update follows each step, so the next action can come from the call that updates.
        jit_compile: Compile with XLA.
    """

    def __init__(
        self,
        train_step: Callable[[Any], Sequence[Any]],
        actor: keras.Model,
        evaluated_actor: keras.Model,
        normalized: Callable[[np.ndarray], np.ndarray],
        minibatches_shape: tuple[int, int, int],
        state_size: int,
        updates_every_step: bool,
        jit_compile: bool,
    ) -> None:
        self.train_step, self.actor, self.evaluated_actor = train_step, actor, evaluated_actor
        self.normalized = normalized
        self.minibatches_shape, self.state_shape = minibatches_shape, (1, state_size)
        self.updates_every_step, self.jit_compile = updates_every_step, jit_compile
        self.forget_actions()

    def forget_actions(self) -> None:
        """Drop the cached actions and weights: an episode begins."""
        self._next_action: tuple[np.ndarray, np.ndarray] | None = None  # the next state, and μ of it
        self._numpy_policy: Callable[[np.ndarray], np.ndarray] | None = None  # μ until the next update

    def train(self, minibatches: np.ndarray, next_state: np.ndarray) -> list[float]:
        """Run `train_step` on each minibatch in turn; also compute μ of the state in which the agent acts next.

        Args:
            minibatches: `(gradient_steps, batch_size, row_size)`, their states as the networks see them.
            next_state: `(state_size,)`, as the task gave it.

        Returns:
            The mean of each metric over the minibatches.
        """
        metrics, next_action = self._train(tf.constant(minibatches), self._one_state(next_state))
        self._next_action = next_state, next_action.numpy()[0]
        self._numpy_policy = None
        return metrics.numpy().tolist()

    def policy(self, state: np.ndarray) -> np.ndarray:
        """Return μ(s), `(action_size,)`, for any state `(state_size,)`."""
        return self._policy(self._one_state(state)).numpy()[0]

    def evaluated_policy(self, state: np.ndarray) -> np.ndarray:
        """Return μ(s) of the evaluated actor, `(action_size,)`, for any state `(state_size,)`."""
        return self._evaluated_policy(self._one_state(state)).numpy()[0]

    def next_policy(self, state: np.ndarray) -> np.ndarray:
        """Return μ(s), `(action_size,)`, for the state in which training continues, as cheaply as possible."""
        if not self.updates_every_step:
            self._numpy_policy = self._numpy_policy or numpy_policy(self.actor)
            return self._numpy_policy(self.normalized(state))
        cached, self._next_action = self._next_action, None
        if cached and np.array_equal(cached[0], state):
            return cached[1]
        return self.policy(state)

    def _one_state(self, state: np.ndarray) -> tf.Tensor:
        """Return one state as the networks see it, `(1, state_size)`."""
        return tf.constant(self.normalized(state)[None])

    @cached_property
    def _train(self) -> Callable:
        """The updates, then the next action: minibatches, `(1, state_size)` -> metrics, `(1, action_size)`."""

        def train_step(rows):
            return tf.stack(self.train_step(rows))

        def train(minibatches, next_state):
            if self.minibatches_shape[0] == 1:  # a loop around a single update would add 0.1 ms
                metrics = train_step(minibatches[0])
            else:
                each = tf.map_fn(train_step, minibatches, parallel_iterations=1, fn_output_signature=tf.float32)
                metrics = tf.reduce_mean(each, axis=0)
            return metrics, self.actor(next_state)

        return self._compile(train, self.minibatches_shape, self.state_shape)

    @cached_property
    def _policy(self) -> Callable:
        """μ for one state, `(1, state_size)` -> `(1, action_size)`."""
        return self._compile(lambda state: self.actor(state), self.state_shape)

    @cached_property
    def _evaluated_policy(self) -> Callable:
        """The same, of the evaluated actor."""
        if self.evaluated_actor is self.actor:
            return self._policy
        return self._compile(lambda state: self.evaluated_actor(state), self.state_shape)

    def _compile(self, function: Callable, *shapes: tuple[int, ...]) -> Callable:
        return compile_function(function, [tf.TensorSpec(shape, tf.float32) for shape in shapes], self.jit_compile)


class RowNormalization:
    """Normalizes the states in rows of the replay buffer, in place; the same bits as `StateNormalization`.

    The rows lie in one piece of memory and their states do not, so one pass over all columns is faster than two over
    the states and the next states. The other columns are shifted by 0, scaled by 1 and never clipped.

    Args:
        normalization: The statistics; those in effect at each call count.
        replay_buffer: Where the rows come from.
    """

    def __init__(self, normalization: StateNormalization, replay_buffer: ReplayBuffer) -> None:
        self.normalization = normalization
        size = replay_buffer.row_size
        self.offset, self.scale = np.zeros(size, np.float32), np.ones(size, np.float32)
        self.low, self.high = np.full(size, -np.inf, np.float32), np.full(size, np.inf, np.float32)
        offset, scale, low, high = map(replay_buffer.split, (self.offset, self.scale, self.low, self.high))
        low.state[:], low.next_state[:] = -STATE_LIMIT, -STATE_LIMIT
        high.state[:], high.next_state[:] = STATE_LIMIT, STATE_LIMIT
        self.offsets, self.scales = (offset.state, offset.next_state), (scale.state, scale.next_state)  # views

    def __call__(self, rows: np.ndarray) -> None:
        """Normalize the states in rows `(..., row_size)` float32."""
        for offset, scale in zip(self.offsets, self.scales, strict=True):
            offset[:], scale[:] = self.normalization.offset, self.normalization.scale
        rows -= self.offset
        rows *= self.scale
        np.minimum(np.maximum(rows, self.low, out=rows), self.high, out=rows)  # `np.clip` is slower on few rows


def numpy_policy(actor) -> Callable[[np.ndarray], np.ndarray]:
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
