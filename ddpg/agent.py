"""The agent of both posts: four networks, a replay buffer, exploration noise, and Algorithm 1 in `DDPG.learn`."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ddpg.config import Config
from ddpg.equations import behaviour_action, bellman_target, critic_loss, policy_loss, soft_update
from ddpg.networks import ActorNetwork, CriticNetwork
from ddpg.noise import make_noise
from ddpg.replay_buffer import Batch, ReplayBuffer
from ddpg.seeding import generator, stream


class Metrics(NamedTuple):
    """What one update tells of itself, each a mean over the minibatch."""

    critic_loss: float  # (y - Q(s, a))²
    policy_loss: float  # -Q(s, μ(s))
    value: float  # Q(s, a)
    target: float  # y
    saturation: float  # share of the policy's actions within 1 % of a bound


class DDPG:
    """Deep Deterministic Policy Gradient (Lillicrap et al., arXiv 1509.02971).

    States are `(state_size,)`, actions `(action_size,)` in [-1, 1]; `ddpg.make_environment` gives a task both.

    Args:
        state_size: Numbers in a state.
        action_size: Numbers in an action.
        config: Hyper-parameters and seed.

    Raises:
        RequestError: The replay buffer does not fit into memory.
    """

    def __init__(self, state_size: int, action_size: int, config: Config = Config()) -> None:
        self.state_size, self.action_size, self.config = state_size, action_size, config
        self.replay_buffer = ReplayBuffer(config.buffer_size, state_size, action_size)
        self.generators = {name: generator(config.seed, name) for name in ("noise", "replay", "warm_up")}
        self.noise = make_noise(config.noise, action_size, config.noise_scale, self.generators["noise"])
        self.updates = 0
        self._ahead: tuple[np.ndarray, np.ndarray] | None = None  # the state that comes next, and μ of it
        self._between: Callable[[np.ndarray], np.ndarray] | None = None  # μ, as it stands until the next update

        actor_seed, critic_seed = (int(seed) for seed in stream(config.seed, "weights").generate_state(2))
        self.actor, self.target_actor = (self._make_actor(actor_seed, name) for name in ("actor", "target_actor"))
        self.critic, self.target_critic = (self._make_critic(critic_seed, name) for name in ("critic", "target_critic"))
        # A subclassed network has no weights before its first call; copying earlier would copy nothing.
        state, action = tf.zeros([1, state_size]), tf.zeros([1, action_size])
        for actor, critic in ((self.actor, self.critic), (self.target_actor, self.target_critic)):
            actor(state)
            critic(state, action)
        soft_update(self.target_actor.variables, self.actor.variables, tau=1.0)
        soft_update(self.target_critic.variables, self.critic.variables, tau=1.0)

        self.actor_optimizer = keras.optimizers.Adam(config.actor_learning_rate)
        self.critic_optimizer = keras.optimizers.Adam(config.critic_learning_rate)
        self.actor_optimizer.build(self.actor.trainable_variables)
        self.critic_optimizer.build(self.critic.trainable_variables)

    def _make_actor(self, seed: int, name: str) -> ActorNetwork:
        config = self.config
        return ActorNetwork(
            self.action_size, config.hidden_units, seed, config.batch_normalization, config.initialization, name
        )

    def _make_critic(self, seed: int, name: str) -> CriticNetwork:
        config = self.config
        return CriticNetwork(
            config.hidden_units,
            seed,
            config.batch_normalization,
            config.initialization,
            config.action_layer,
            config.critic_weight_decay,
            name,
        )

    def begin_episode(self) -> None:
        """Forget what belongs to the episode before: the noise's drift, and what acting has worked out or read."""
        self.noise.reset()
        self._ahead = self._between = None

    def act(self, state: np.ndarray, explore: bool = True) -> np.ndarray:
        """Return the action `(action_size,)` for a state `(state_size,)`.

        Args:
            state: The state.
            explore: True for the behaviour policy (first post, equation 6; uniform during the first
                `learning_starts` steps), False for the deterministic policy μ.
        """
        state = np.asarray(state, np.float32)
        if explore and self.replay_buffer.added < self.config.learning_starts:
            return self.generators["warm_up"].uniform(-1, 1, self.action_size).astype(np.float32)
        if not explore:
            return self._policy(tf.constant(state[None])).numpy()[0]
        policy = self._policy_ahead if self.config.train_frequency == 1 else self._policy_between
        return behaviour_action(policy(state), self.noise.sample() * self._noise_left())

    def _noise_left(self) -> np.float32:
        """Return the share of the noise that has not faded yet, 1 to 0."""
        steps = self.config.noise_decay_steps
        return np.float32(max(0.0, 1.0 - self.replay_buffer.added / steps) if steps else 1.0)

    def remember(self, state, action, reward: float, next_state, terminated: bool) -> None:
        """Store one transition in the replay buffer; `terminated` is False at a time limit."""
        self.replay_buffer.add(state, action, reward, terminated, next_state)
        self._next_state = np.array(next_state, np.float32)  # where the agent will act next, unless the episode is over

    def update(self) -> Metrics | None:
        """Sample minibatches and learn from them, when it is time; call it once after each `remember`.

        Every `train_frequency` steps it draws `gradient_steps` minibatches and runs `learn` on each, in one compiled
        call.  That call also evaluates the improved policy in the state just reached: with a `train_frequency` of 1 it
        spares `act` a call.

        Returns:
            The means of the updates' metrics, or None where it was not time to learn.
        """
        added, config = self.replay_buffer.added, self.config
        if added < max(config.batch_size, config.learning_starts) or added % config.train_frequency:
            return None
        minibatches = self.replay_buffer.sample(config.batch_size, self.generators["replay"], config.gradient_steps)
        self.updates += config.gradient_steps
        metrics, next_action = self._learn_from(tf.constant(minibatches), tf.constant(self._next_state[None]))
        self._ahead = self._next_state, next_action.numpy()[0]
        self._between = None
        return Metrics(*metrics.numpy().tolist())

    def learn(self, batch: Batch) -> Metrics:
        """Algorithm 1 of the paper, from the sampled minibatch (sᵢ, aᵢ, rᵢ, sᵢ₊₁) to the target networks."""
        state, action, reward, terminated, next_state = batch

        # Set yᵢ = rᵢ + γ Q'(sᵢ₊₁, μ'(sᵢ₊₁)).  Here batch normalisation, if any, is over the minibatch in all networks.
        next_action = self.target_actor(next_state, training=True)
        next_value = self.target_critic(next_state, next_action, training=True)
        target = bellman_target(reward, terminated, next_value, self.config.gamma)

        # Update the critic by minimising L = 1/N Σ (yᵢ - Q(sᵢ, aᵢ))².
        with tf.GradientTape() as tape:
            value = self.critic(state, action, training=True)
            loss = critic_loss(value, target)
            loss_and_decay = loss + sum(self.critic.losses)
        gradients = tape.gradient(loss_and_decay, self.critic.trainable_variables)
        self.critic_optimizer.apply(gradients, self.critic.trainable_variables)

        # Update the actor with the sampled policy gradient 1/N Σ ∇_a Q(s, a) ∇_θ μ(s), through the critic just updated.
        with tf.GradientTape() as tape:
            policy_action = self.actor(state, training=True)
            negative_return = policy_loss(self.critic(state, policy_action, training=True))
        gradients = tape.gradient(negative_return, self.actor.trainable_variables)
        self.actor_optimizer.apply(gradients, self.actor.trainable_variables)

        # Update the target networks: θ' <- τ θ + (1 - τ) θ'.
        soft_update(self.target_critic.variables, self.critic.variables, self.config.tau)
        soft_update(self.target_actor.variables, self.actor.variables, self.config.tau)

        saturated = tf.cast(tf.abs(policy_action) > 0.99, tf.float32)
        return Metrics(loss, negative_return, *map(tf.reduce_mean, (value, target, saturated)))

    def _policy_ahead(self, state: np.ndarray) -> np.ndarray:
        """Return μ(s), which the last update has worked out already if this is the state that it left the agent in."""
        ahead, self._ahead = self._ahead, None
        if ahead and np.array_equal(ahead[0], state):
            return ahead[1]
        return self._policy(tf.constant(state[None])).numpy()[0]

    def _policy_between(self, state: np.ndarray) -> np.ndarray:
        """Return μ(s) where many steps pass between two updates: through NumPy, with weights read after the last."""
        if self._between is None:
            self._between = self.actor.in_numpy()
        return self._between(state)

    @cached_property
    def _learn_from(self):
        """`learn` on minibatches `(gradient_steps, batch_size, row_size)` one after another, then μ of a state.

        Traced once; returns the metrics' means and the action `(1, action_size)` for the state `(1, state_size)`.
        """

        def learn(rows):
            return tf.stack(self.learn(self.replay_buffer.split(rows)))

        def learn_from(minibatches, next_state):
            if self.config.gradient_steps == 1:  # a loop around a single update takes 0.1 ms of its own
                metrics = learn(minibatches[0])
            else:
                each = tf.map_fn(learn, minibatches, parallel_iterations=1, fn_output_signature=tf.float32)
                metrics = tf.reduce_mean(each, axis=0)
            return metrics, self.actor(next_state)

        minibatches = (self.config.gradient_steps, self.config.batch_size, self.replay_buffer.row_size)
        return self._compile(learn_from, minibatches, (1, self.state_size))

    @cached_property
    def _policy(self):
        """μ(s) for one state, `(1, state_size)` -> `(1, action_size)`, traced once."""
        return self._compile(lambda state: self.actor(state), (1, self.state_size))

    def _compile(self, function, *shapes: tuple[int, ...]):
        """Return a function of float32 tensors, traced once, that is called as cheaply as TensorFlow allows.

        A `tf.function` looks its trace up in each call, and a concrete function binds its arguments and asks for the
        variables in it, which takes 0.1 ms each; the shapes are known here, and the variables stay what they are.
        """
        signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
        concrete = tf.function(function, jit_compile=self.config.jit_compile).get_concrete_function(*signature)
        variables = concrete.captured_inputs
        return lambda *inputs: concrete.inference_fn.call_preflattened([*inputs, *variables])
