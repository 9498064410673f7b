"""The agent of both posts: four networks, a replay buffer, exploration noise, and Algorithm 1 in `DDPG.train_step`."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ddpg import equations
from ddpg.config import Config
from ddpg.fast import FastCalls, RowNormalization
from ddpg.networks import ActorNetwork, CriticNetwork, StateNormalization
from ddpg.noise import make_noise
from ddpg.replay_buffer import Batch, ReplayBuffer
from ddpg.seeding import rng, stream


class Metrics(NamedTuple):
    """Metrics of one update, each a mean over the minibatch."""

    critic_loss: float  # (y - Q(s, a))²
    actor_loss: float  # -Q(s, μ(s))
    q_value: float  # Q(s, a)
    target_q: float  # y
    action_saturation: float  # share of the policy's actions within 1 % of a bound


class DDPG:
    """Deep Deterministic Policy Gradient (Lillicrap et al., arXiv 1509.02971).

    In the terms of the paper's Algorithm 1: `act` selects an action, `remember` stores the transition in R, `update`
    samples minibatches, and `train_step` is all that follows.

    States are `(state_size,)`, actions `(action_size,)` in [-1, 1]; `ddpg.make_environment` gives a task both.

    Args:
        state_size: Numbers in a state.
        action_size: Numbers in an action.
        config: Hyperparameters and seed.
    """

    def __init__(self, state_size: int, action_size: int, config: Config = Config()) -> None:
        self.state_size, self.action_size, self.config = state_size, action_size, config
        self.replay_buffer = ReplayBuffer(config.buffer_size, state_size, action_size)
        self.rngs = {name: rng(config.seed, name) for name in ("noise", "replay", "warm_up")}
        self.noise = make_noise(config.noise, action_size, config.noise_sigma, self.rngs["noise"])
        self.normalization = StateNormalization(state_size) if config.normalize_observations else None
        if self.normalization:
            self._normalize_rows = RowNormalization(self.normalization, self.replay_buffer)
        self.updates = 0  # made so far

        actor_seed, critic_seed = (int(seed) for seed in stream(config.seed, "weights").generate_state(2))
        self.actor, self.target_actor = (self._make_actor(actor_seed, name) for name in ("actor", "target_actor"))
        self.critic, self.target_critic = (self._make_critic(critic_seed, name) for name in ("critic", "target_critic"))
        # The actor without exploration: the same one, or an average of it over about 1 / evaluation_tau updates.
        self.evaluated_actor = self._make_actor(actor_seed, "evaluated_actor") if config.averages_actor else self.actor
        # A subclassed network has no weights before its first call; copying earlier would copy nothing.
        state, action = tf.zeros([1, state_size]), tf.zeros([1, action_size])
        for actor, critic in ((self.actor, self.critic), (self.target_actor, self.target_critic)):
            actor(state)
            critic(state, action)
        self.evaluated_actor(state)
        equations.soft_update(self.target_actor.variables, self.actor.variables, tau=1.0)
        equations.soft_update(self.target_critic.variables, self.critic.variables, tau=1.0)
        equations.soft_update(self.evaluated_actor.variables, self.actor.variables, tau=1.0)

        self.actor_optimizer = keras.optimizers.Adam(self._learning_rate(config.actor_learning_rate))
        self.critic_optimizer = keras.optimizers.Adam(self._learning_rate(config.critic_learning_rate))
        self.actor_optimizer.build(self.actor.trainable_variables)
        self.critic_optimizer.build(self.critic.trainable_variables)

        self.fast = FastCalls(
            lambda rows: self.train_step(self.replay_buffer.split(rows)),
            self.actor,
            self.evaluated_actor,
            self.normalized,
            (config.gradient_steps, config.batch_size, self.replay_buffer.row_size),
            state_size,
            updates_every_step=config.train_frequency == 1,
            jit_compile=config.jit_compile,
        )

    @property
    def steps(self) -> int:
        """Environment steps so far: every transition that was ever stored."""
        return self.replay_buffer.added

    def begin_episode(self) -> None:
        """Reset the noise and the cached actions."""
        self.noise.reset()
        self.fast.forget_actions()

    def act(self, state: np.ndarray, explore: bool = True) -> np.ndarray:
        """Return the action `(action_size,)` for a state `(state_size,)`.

        Args:
            state: The state.
            explore: True for the exploration policy β (first post, equation 6; uniform during the first
                `learning_starts` steps), False for the deterministic policy μ.
        """
        state = np.asarray(state, np.float32)
        if not explore:
            return self.fast.evaluated_policy(state)  # μ(s)
        if self.steps < self.config.learning_starts:
            return self.rngs["warm_up"].uniform(-1, 1, self.action_size).astype(np.float32)
        return equations.exploration_action(self.fast.next_policy(state), self.noise.sample() * self._noise_scale())

    def remember(self, state, action, reward: float, next_state, terminated: bool) -> None:
        """Store one transition in the replay buffer; `terminated` is False at a time limit."""
        self.replay_buffer.add(state, action, reward, terminated, next_state)
        if self.normalization:
            self.normalization.add(state)

    def update(self) -> Metrics | None:
        """Sample `gradient_steps` minibatches and train on each, if an update is due; call it after each `remember`.

        Returns:
            The means of the updates' metrics, or None if no update was due.
        """
        if not self._update_is_due():
            return None
        config = self.config
        minibatches = self.replay_buffer.sample(config.batch_size, self.rngs["replay"], config.gradient_steps)
        if self.normalization:
            self.normalization.refresh()
            self._normalize_rows(minibatches)
        self.updates += config.gradient_steps
        next_state = self.replay_buffer.last_next_state()
        return Metrics(*self.fast.train(minibatches, next_state))

    def normalized(self, states: np.ndarray) -> np.ndarray:
        """Return states `(..., state_size)` as the networks see them: the same, unless observations are normalized."""
        return self.normalization(states) if self.normalization else states

    def train_step(self, batch: Batch) -> Metrics:
        """Algorithm 1 of the paper, from the sampled minibatch (sᵢ, aᵢ, rᵢ, sᵢ₊₁) to the target networks.

        Args:
            batch: The minibatch; its states are as the networks see them.
        """
        state, action, reward, terminated, next_state = batch

        # Set yᵢ = rᵢ + γ Q'(sᵢ₊₁, μ'(sᵢ₊₁)). Batch normalization, if any, is over the minibatch in all networks.
        next_action = self.target_actor(next_state, training=True)
        next_q = self.target_critic(next_state, next_action, training=True)
        target_q = equations.bellman_target(reward, terminated, next_q, self.config.gamma)

        # Update the critic by minimizing L = 1/N Σ (yᵢ - Q(sᵢ, aᵢ))², plus its weight decay, if any.
        with tf.GradientTape() as tape:
            q_value = self.critic(state, action, training=True)
            critic_loss = equations.critic_loss(q_value, target_q)
            regularized_loss = critic_loss + sum(self.critic.losses)
        gradients = tape.gradient(regularized_loss, self.critic.trainable_variables)
        self.critic_optimizer.apply(gradients, self.critic.trainable_variables)

        # Update the actor with the sampled policy gradient 1/N Σ ∇_a Q(s, a) ∇_θ μ(s), through the updated critic.
        with tf.GradientTape() as tape:
            policy_action = self.actor(state, training=True)
            actor_loss = equations.actor_loss(self.critic(state, policy_action, training=True))
            penalized_loss = actor_loss
            if self.config.action_penalty:  # not in the paper
                penalized_loss += self.config.action_penalty * equations.action_penalty(policy_action)
        gradients = tape.gradient(penalized_loss, self.actor.trainable_variables)
        self.actor_optimizer.apply(gradients, self.actor.trainable_variables)

        # Update the target networks: θ' <- τ θ + (1 - τ) θ'.
        equations.soft_update(self.target_critic.variables, self.critic.variables, self.config.tau)
        equations.soft_update(self.target_actor.variables, self.actor.variables, self.config.tau)

        # Not in the paper: an average of the actor, to evaluate and export. Nothing learns from it.
        if self.config.averages_actor:
            equations.soft_update(self.evaluated_actor.variables, self.actor.variables, self.config.evaluation_tau)

        saturated = tf.cast(tf.abs(policy_action) > 0.99, tf.float32)
        return Metrics(critic_loss, actor_loss, *map(tf.reduce_mean, (q_value, target_q, saturated)))

    def _update_is_due(self) -> bool:
        return self.steps >= self.config.first_update_step and self.steps % self.config.train_frequency == 0

    def _learning_rate(self, initial: float) -> float | keras.optimizers.schedules.LearningRateSchedule:
        """Return Adam's step size: constant, or falling linearly to zero over `learning_rate_decay_steps`."""
        steps = self.config.learning_rate_decay_steps
        if steps is None:
            return initial
        updates = max(1, self.config.updates_until(steps))
        return keras.optimizers.schedules.PolynomialDecay(initial, updates, end_learning_rate=0.0)

    def _noise_scale(self) -> np.float32:
        """Return the factor of the noise, which falls linearly from 1 to 0 over `noise_decay_steps`."""
        steps = self.config.noise_decay_steps
        return np.float32(max(0.0, 1.0 - self.steps / steps) if steps else 1.0)

    def _make_actor(self, seed: int, name: str) -> ActorNetwork:
        config = self.config
        return ActorNetwork(
            self.action_size,
            config.hidden_units,
            seed,
            config.batch_normalization,
            config.kernel_initializer,
            config.layer_normalization == "both",
            name,
        )

    def _make_critic(self, seed: int, name: str) -> CriticNetwork:
        config = self.config
        return CriticNetwork(
            config.hidden_units,
            seed,
            config.batch_normalization,
            config.kernel_initializer,
            config.action_layer,
            config.critic_weight_decay,
            config.layer_normalization != "none",
            name,
        )
