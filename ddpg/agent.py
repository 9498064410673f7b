"""The agent of both posts: four networks, a replay buffer, exploration noise, and Algorithm 1 in `DDPG.train_step`."""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from ddpg import equations
from ddpg.config import Config
from ddpg.equations import Metrics
from ddpg.fast import TrainingPolicy, compile_policy, compile_train_step, numpy_policy
from ddpg.networks import make_actor, make_critic, make_optimizer
from ddpg.noise import make_noise
from ddpg.normalization import StateNormalization
from ddpg.replay_buffer import Batch, ReplayBuffer, check_transition, finite
from ddpg.seeding import rng, stream
from ddpg.settings.schedules import falling, update_is_due


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
        self.replay_buffer = ReplayBuffer(config.buffer_size, state_size, action_size, config.imitation_weight > 0)
        self.rngs = {name: rng(config.seed, name) for name in ("noise", "replay", "warm_up")}
        self.noise = make_noise(config.noise, action_size, config.noise_sigma, self.rngs["noise"])
        self.normalization = StateNormalization(self.replay_buffer) if config.normalize_observations else None
        self.updates = 0  # made so far
        self.leader: Any = None  # acts in the first `learning_starts` steps, in the place of random actions
        self.rows_from_elsewhere = 0  # transitions in the replay buffer that are no environment steps of this run

        actor_seed, critic_seed = stream(config.seed, "weights").generate_state(2).tolist()
        new_actor = partial(make_actor, config, state_size, action_size, actor_seed)
        new_critic = partial(make_critic, config, state_size, action_size, critic_seed)
        self.actor, self.target_actor = new_actor("actor"), new_actor("target_actor")
        self.critic, self.target_critic = new_critic("critic"), new_critic("target_critic")
        # The actor without exploration: the same one, or an average of it over about 1 / evaluation_tau updates.
        self.evaluated_actor = new_actor("evaluated_actor") if config.averages_actor else self.actor
        self.actor_optimizer = make_optimizer(config, config.actor_learning_rate, self.actor)
        self.critic_optimizer = make_optimizer(config, config.critic_learning_rate, self.critic)
        equations.soft_update(self.target_actor.variables, self.actor.variables, tau=1.0)
        equations.soft_update(self.target_critic.variables, self.critic.variables, tau=1.0)

        # Compiled when first called; `ddpg.fast` says what makes them fast.
        policy, average = lambda state: self.actor(state), lambda state: self.evaluated_actor(state)
        self.compiled_train_step = compile_train_step(self.train_step, policy, self.replay_buffer, config)
        self.compiled_policy = compile_policy(policy, state_size, config.jit_compile)
        self.compiled_average = compile_policy(average, state_size, config.jit_compile)
        self.training_policy = TrainingPolicy(
            self.compiled_policy, lambda: numpy_policy(self.actor), self.normalized, config.train_frequency == 1
        )

    @property
    def steps(self) -> int:
        """Environment steps so far: every transition that was ever stored, but those from elsewhere."""
        return self.replay_buffer.added - self.rows_from_elsewhere

    def begin_episode(self) -> None:
        """Reset the noise and the cached actions."""
        self.noise.reset()
        self.training_policy.forget()
        if self.leader and self.steps < self.config.learning_starts:
            self.leader.begin_episode()

    def act(self, state: np.ndarray, explore: bool = True) -> np.ndarray:
        """Return the action `(action_size,)` for a state `(state_size,)`.

        Args:
            state: The state.
            explore: True for the exploration policy β (first post, equation 6) and its random actions, False for μ.
        """
        state = finite("state", state, self.state_size)
        if not explore:
            policy = self.compiled_average if self.config.averages_actor else self.compiled_policy
            return policy(self.normalized(state))  # μ(s)
        policy, random, share = self.training_policy, self.rngs["warm_up"], self.config.random_actions
        if self.leader and self.steps < self.config.learning_starts:
            policy = self.leader.act
        elif self.steps < self.config.learning_starts or (share and random.random() < share):
            return random.uniform(-1, 1, self.action_size).astype(np.float32)
        noise = self.noise.sample() * np.float32(falling(self.steps, self.config.noise_decay_steps))
        return equations.exploration_action(policy(state), noise)

    def remember(self, state, action, reward: float, next_state, terminated: bool) -> None:
        """Store one transition in the replay buffer; `terminated` is False at a time limit.

        Raises:
            ValueError: A part has another shape, is not finite, or is an action outside of [-1, 1].
        """
        check_transition(state, action, reward, next_state, self.state_size, self.action_size)
        self.replay_buffer.add(state, action, reward, terminated, next_state)

    def update(self, after_episode: bool = False) -> Metrics | None:
        """Learn if an update is due, or else return None; call it after each `remember`."""
        return self.learn() if update_is_due(self.config, self.steps, after_episode) else None

    def learn(self) -> Metrics:
        """Sample `gradient_steps` minibatches, train on each, and return the means of the updates' metrics."""
        minibatches = self.minibatches(self.config.gradient_steps)
        next_state = self.replay_buffer.newest(1).next_state[0]
        metrics, next_action = self.compiled_train_step(minibatches, self.normalized(next_state))
        self.training_policy.updated(next_state, next_action)
        self.updates += self.config.gradient_steps
        return Metrics(*metrics)

    def minibatches(self, count: int) -> np.ndarray:
        """Return rows of the replay buffer `(count, batch_size, row_size)`, with states as the networks see them."""
        minibatches = self.replay_buffer.sample(self.config.batch_size, self.rngs["replay"], count)
        if self.config.imitation_weight:
            self.replay_buffer.split(minibatches).logged[:] *= falling(self.steps, self.config.imitation_decay_steps)
        if self.normalization:
            self.normalization.follow()
            minibatches = self.normalization.rows(minibatches)
        return minibatches

    def train_step(self, batch: Batch) -> Metrics:
        """Algorithm 1 of the paper, from the minibatch (sᵢ, aᵢ, rᵢ, sᵢ₊₁), states scaled, to the target networks."""
        state, action, reward, terminated, next_state, logged = batch

        # Set yᵢ = rᵢ + γ Q'(sᵢ₊₁, μ'(sᵢ₊₁)). Batch normalization, if any, is over the minibatch in all networks.
        next_action = self.target_actor(next_state, training=True)
        next_q = self.target_critic(next_state, next_action, training=True)
        target_q = equations.bellman_target(reward, terminated, next_q, self.config.gamma, self.config.target_limits)

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
            policy_q = self.critic(state, policy_action, training=True)
            actor_loss = equations.actor_loss(policy_q)
            penalized_loss = actor_loss
            if self.config.action_penalty:  # not in the paper
                penalized_loss += self.config.action_penalty * equations.action_penalty(policy_action)
            if weight := self.config.imitation_weight:  # not in the paper
                penalized_loss += weight * equations.imitation_loss(policy_action, action, logged, policy_q)
        gradients = tape.gradient(penalized_loss, self.actor.trainable_variables)
        self.actor_optimizer.apply(gradients, self.actor.trainable_variables)

        # Update the target networks: θ' <- τ θ + (1 - τ) θ'.
        equations.soft_update(self.target_critic.variables, self.critic.variables, self.config.tau)
        equations.soft_update(self.target_actor.variables, self.actor.variables, self.config.tau)
        if self.config.averages_actor:  # not in the paper; nothing learns from this average of the actor
            equations.soft_update(self.evaluated_actor.variables, self.actor.variables, self.config.evaluation_tau)

        saturated = tf.cast(tf.abs(policy_action) > 0.99, tf.float32)
        return Metrics(critic_loss, actor_loss, *map(tf.reduce_mean, (q_value, target_q, saturated)))

    def normalized(self, states: np.ndarray) -> np.ndarray:
        """Return states `(..., state_size)` as the networks see them: the same, unless observations are normalized."""
        return self.normalization(states) if self.normalization else states
