"""The agent of the first post's last section: DDPG's actor and critic with one-step episodes, and a discriminator.

The generator is the actor: its action is a graph, and the episode is over.  The reward network is the critic: what it
learns is the reward itself, for nothing follows.  There is no replay buffer and no target network: all data are new.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ddpg.equations import critic_loss, policy_loss
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.equations import (
    adversarial_loss,
    discriminator_loss,
    feature_matching,
    generator_loss,
    gradient_penalty,
)
from ddpg.molgan.molecules import ATOMS, BONDS, MOST_ATOMS, Graphs
from ddpg.molgan.networks import Generator, GraphNetwork


class Metrics(NamedTuple):
    """What one round of learning tells of itself."""

    discriminator_loss: float  # L_D, without the penalty: minus the estimated Wasserstein distance
    penalty: float  # the gradient penalty, before its weight
    reward_loss: float  # mean (V(x) - reward(x))², real and generated graphs
    imitation: float  # L_WGAN, or the feature matching
    value: float  # mean V(G(z))


class MolGAN:
    """MolGAN (De Cao and Kipf, arXiv 1805.11973).

    Graphs are soft: `atoms (B, 9, 5)` and `bonds (B, 9, 9, 4)`, distributions over `ATOMS` and `BONDS`.

    Args:
        config: Hyper-parameters and seed.
    """

    def __init__(self, config: MolGANConfig) -> None:
        self.config = config
        self.rounds = 0  # of learning so far; with the seed, the root of every random number drawn in TensorFlow
        self.generator = Generator(seed=config.seed)
        self.discriminator = GraphNetwork(None, seed=config.seed + 100, name="discriminator")
        self.reward_network = GraphNetwork("sigmoid", seed=config.seed + 200, name="reward_network")
        graphs = self.generator(tf.zeros([1, config.latent_size]))
        self.discriminator(*graphs)
        self.reward_network(*graphs)

        adam = partial(
            keras.optimizers.Adam, config.learning_rate, beta_1=config.adam_beta_1, beta_2=config.adam_beta_2
        )
        self.generator_optimizer = adam(use_ema=True, ema_momentum=config.generator_average)
        self.discriminator_optimizer = adam()
        self.reward_optimizer = keras.optimizers.Adam(config.reward_learning_rate)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.reward_optimizer.build(self.reward_network.trainable_variables)

    def generate(self) -> Graphs:
        """Return the likeliest graphs, whose rewards the next `update` needs: `atoms (B, 9)` and `bonds (B, 9, 9)`."""
        atoms, bonds = self._generate(self._seed())
        return Graphs(atoms.numpy(), bonds.numpy())

    def logits(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the generator's logits for `z (B, latent_size)`: atoms `(B, 9, 5)` and bonds `(B, 9, 9, 4)`."""
        atoms, bonds = self.generator(tf.constant(z))
        return atoms.numpy(), bonds.numpy()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the generator work with the running average of its weights, which wander less than the weights."""
        variables = self.generator.trainable_variables
        own = [variable.numpy() for variable in variables]
        if self.rounds:
            self.generator_optimizer.finalize_variable_values(variables)
        try:
            yield
        finally:
            for variable, value in zip(variables, own, strict=True):
                variable.assign(value)

    def update(self, atoms, bonds, real_reward, fake_reward, rl_weight: float) -> Metrics:
        """Learn once, in one compiled call.

        Args:
            atoms, bonds: Real graphs, `(critic_steps, B, 9)` and `(critic_steps, B, 9, 9)`, numbers.
            real_reward: Of the last B of them, `(B, 1)` float32.
            fake_reward: Of what `generate` just returned, `(B, 1)` float32.
            rl_weight: 1 - λ of this round.
        """
        arguments = (atoms, bonds, real_reward, fake_reward, np.float32(rl_weight), self._seed())
        metrics = self._learn(*map(tf.constant, arguments))
        self.rounds += 1
        return Metrics(*metrics.numpy().tolist())

    def learn(self, atoms, bonds, real_reward, fake_reward, rl_weight, seed):
        """A round of learning: the discriminator several times, then the reward network, then the generator.

        The arguments are those of `update` as tensors; `seed (2,)` is the round's.  Returns `Metrics`, `(5,)`.
        """
        seeds = seed + tf.range(1, 1 + self.config.critic_steps)[:, None] * tf.constant([[0, 1]])
        losses = tf.map_fn(
            lambda each: tf.stack(self.learn_discriminator(one_hot(*each[:2]), each[2])),
            (atoms, bonds, seeds),
            parallel_iterations=1,
            fn_output_signature=tf.float32,
        )
        real, z = one_hot(atoms[-1], bonds[-1]), self.latent(seed)
        reward_loss = self.learn_rewards(real, self.sample(z), real_reward, fake_reward)
        imitation, value = self.learn_generator(real, z, rl_weight)
        return tf.stack([*tf.unstack(tf.reduce_mean(losses, axis=0)), reward_loss, imitation, value])

    def learn_discriminator(self, real, seed):
        """One step of the Wasserstein critic, with a gradient penalty on graphs between real and generated ones."""
        fake = self.sample(self.latent(seed))
        share = tf.random.stateless_uniform([tf.shape(real[0])[0]], seed + tf.constant([7, 0]))
        between = [mixed(share, one, other) for one, other in zip(real, fake, strict=True)]
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(between)
                value = self.discriminator(*between)
            penalty = gradient_penalty(*inner.gradient(value, between))
            loss = discriminator_loss(self.discriminator(*real), self.discriminator(*fake))
            total = loss + self.config.penalty_weight * penalty
        gradients = tape.gradient(total, self.discriminator.trainable_variables)
        self.discriminator_optimizer.apply(gradients, self.discriminator.trainable_variables)
        return loss, penalty

    def learn_rewards(self, real, fake, real_reward, fake_reward):
        """One step of the critic: DDPG's regression, whose target is the reward itself, for every episode ends here."""
        with tf.GradientTape() as tape:
            values = tf.concat([self.reward_network(*real), self.reward_network(*fake)], axis=0)
            loss = critic_loss(values, tf.concat([real_reward, fake_reward], axis=0))
        gradients = tape.gradient(loss, self.reward_network.trainable_variables)
        self.reward_optimizer.apply(gradients, self.reward_network.trainable_variables)
        return loss

    def learn_generator(self, real, z, rl_weight):
        """One step of the actor, along the gradients of the discriminator and of the reward network."""
        with tf.GradientTape() as tape:
            fake = self.sample(z)
            value = self.reward_network(*fake)
            if self.config.imitation == "features":
                imitation = feature_matching(self.discriminator.features(*real), self.discriminator.features(*fake))
            else:
                imitation = adversarial_loss(self.discriminator(*fake))
            loss = generator_loss(imitation, policy_loss(value), rl_weight, self.config.ratio)
        gradients = tape.gradient(loss, self.generator.trainable_variables)
        self.generator_optimizer.apply(gradients, self.generator.trainable_variables)
        return imitation, tf.reduce_mean(value)

    def latent(self, seed):
        """Return z ~ N(0, I), `(B, latent_size)`."""
        return tf.random.stateless_normal([self.config.batch_size, self.config.latent_size], seed)

    def sample(self, z):
        """Return soft graphs for z: atoms `(B, 9, 5)` and bonds `(B, 9, 9, 4)`."""
        return [tf.nn.softmax(logits / self.config.temperature) for logits in self.generator(z)]

    def _seed(self) -> np.ndarray:
        """Return the seed of this round's random numbers, whose steps add 1 each: 1,000 for a round are enough."""
        return np.array([self.config.seed, 1_000 * self.rounds % 2_147_483_000], np.int32)

    @cached_property
    def _generate(self):
        def generate(seed):
            atoms, bonds = self.sample(self.latent(seed))
            return tf.argmax(atoms, -1, tf.int32), tf.argmax(bonds, -1, tf.int32)

        return self._compile(generate, ([2], tf.int32))

    @cached_property
    def _learn(self):
        steps, size = self.config.critic_steps, self.config.batch_size
        return self._compile(
            self.learn,
            ([steps, size, MOST_ATOMS], tf.uint8),
            ([steps, size, MOST_ATOMS, MOST_ATOMS], tf.uint8),
            ([size, 1], tf.float32),
            ([size, 1], tf.float32),
            ([], tf.float32),
            ([2], tf.int32),
        )

    def _compile(self, function, *inputs):
        signature = [tf.TensorSpec(shape, kind) for shape, kind in inputs]
        return tf.function(function, jit_compile=self.config.jit_compile).get_concrete_function(*signature)


def one_hot(atoms, bonds):
    """Return `atoms (B, 9)` and `bonds (B, 9, 9)`, numbers, as `(B, 9, 5)` and `(B, 9, 9, 4)`, float32."""
    return [tf.one_hot(tf.cast(atoms, tf.int32), len(ATOMS)), tf.one_hot(tf.cast(bonds, tf.int32), len(BONDS))]


def mixed(share, one, other):
    """Return share · one + (1 - share) · other, with one share `(B,)` for each graph."""
    share = tf.reshape(share, [-1] + [1] * (len(one.shape) - 1))
    return share * one + (1.0 - share) * other
