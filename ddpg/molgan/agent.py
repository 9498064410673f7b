"""The agent of the first post's last section: DDPG's actor and critic with one-step episodes, plus a discriminator.

The generator is the actor: its action is a graph, which ends the episode. The reward network is the critic: with no
next state, its target is the reward itself. There is no replay buffer and no target network: all data are new.
"""

from functools import cached_property, partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ddpg.equations import actor_loss, critic_loss, soft_update
from ddpg.fast import compile_function
from ddpg.molgan.chemistry.molecules import ATOMS, BONDS, MAX_ATOMS, Graphs
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.equations import (
    adversarial_loss,
    discriminator_loss,
    feature_matching,
    generator_loss,
    gradient_penalty,
)
from ddpg.molgan.networks import Generator, GraphNetwork
from ddpg.seeding import integer_seed, stream


class Metrics(NamedTuple):
    """Metrics of one update; the first two are means over its discriminator steps."""

    discriminator_loss: float  # L_D without the penalty: the negative estimate of the Wasserstein distance
    gradient_penalty: float  # before its weight
    reward_loss: float  # mean (V(x) - reward(x))², over real and generated graphs
    imitation_loss: float  # L_WGAN, or the feature matching loss
    predicted_reward: float  # mean V(G(z))


class MolGAN:
    """MolGAN (De Cao and Kipf, arXiv 1805.11973).

    `generate` returns graphs to be scored, and `update` makes one `train_step`, which learns from their rewards.

    The networks see soft graphs: `atoms (N, 9, 5)` and `bonds (N, 9, 9, 4)`, distributions over `ATOMS` and `BONDS`.

    Args:
        config: Hyperparameters and seed.
    """

    def __init__(self, config: MolGANConfig) -> None:
        self.config = config
        self.updates = 0  # made so far; together with the seed, the root of every random number drawn in TensorFlow
        seeds = stream(config.seed, "weights").generate_state(3).tolist()
        self.generator = Generator(seed=seeds[0])
        self.discriminator = GraphNetwork(None, seed=seeds[1], name="discriminator")
        self.reward_network = GraphNetwork("sigmoid", seed=seeds[2], name="reward_network")
        # The generator that is evaluated: an average of the one that learns over about 1 / evaluation_tau updates.
        self.evaluated_generator = Generator(seed=seeds[0], name="evaluated_generator")
        graphs = self.generator(tf.zeros([1, config.latent_size]))
        self.evaluated_generator(tf.zeros([1, config.latent_size]))
        self.discriminator(*graphs)
        self.reward_network(*graphs)
        soft_update(self.evaluated_generator.variables, self.generator.variables, tau=1.0)

        adam = partial(
            keras.optimizers.Adam, config.learning_rate, beta_1=config.adam_beta_1, beta_2=config.adam_beta_2
        )
        self.generator_optimizer, self.discriminator_optimizer = adam(), adam()
        self.reward_optimizer = keras.optimizers.Adam(config.reward_learning_rate)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.reward_optimizer.build(self.reward_network.trainable_variables)

    @property
    def update_seed(self) -> np.ndarray:
        """The seed `(2,)` of the next update's random numbers; its steps count up from it, and 1,000 are reserved."""
        return np.array([integer_seed(self.config.seed, "noise"), 1_000 * self.updates % 2_147_483_000], np.int32)

    def generate(self) -> Graphs:
        """Return the likeliest graphs of the next update's z, whose rewards `update` needs.

        Returns:
            `atoms (N, 9)` and `bonds (N, 9, 9)`, where N is the batch size.
        """
        atoms, bonds = self._generate(tf.constant(self.update_seed))
        return Graphs(atoms.numpy(), bonds.numpy())

    def update(self, atoms, bonds, real_reward, fake_reward, rl_weight: float) -> Metrics:
        """Make one `train_step`, compiled.

        Args:
            atoms: Real graphs, `(discriminator_steps, N, 9)`, uint8.
            bonds: Their bonds, `(discriminator_steps, N, 9, 9)`, uint8.
            real_reward: The rewards of the last N of them, `(N, 1)`, float32.
            fake_reward: The rewards of the graphs from `generate`, `(N, 1)`, float32.
            rl_weight: 1 - λ.

        Returns:
            The update's metrics.
        """
        arguments = (atoms, bonds, real_reward, fake_reward, np.float32(rl_weight), self.update_seed)
        metrics = self._train_step(*map(tf.constant, arguments))
        self.updates += 1
        return Metrics(*metrics.numpy().tolist())

    def train_step(self, atoms, bonds, real_reward, fake_reward, rl_weight, seed) -> Metrics:
        """Train the discriminator several times, then the reward network, then the generator.

        Args:
            atoms, bonds, real_reward, fake_reward, rl_weight: Those of `update`, as tensors.
            seed: `update_seed`, `(2,)`.
        """
        seeds = seed + tf.range(1, 1 + self.config.discriminator_steps)[:, None] * tf.constant([[0, 1]])
        losses = tf.map_fn(
            lambda each: tf.stack(self.train_discriminator(one_hot(*each[:2]), each[2])),
            (atoms, bonds, seeds),
            parallel_iterations=1,
            fn_output_signature=tf.float32,
        )
        real, z = one_hot(atoms[-1], bonds[-1]), self.latent(seed)
        reward_loss = self.train_reward_network(real, self.soft_graphs(z), real_reward, fake_reward)
        imitation_loss, predicted_reward = self.train_generator(real, z, rl_weight)
        loss, penalty = tf.unstack(tf.reduce_mean(losses, axis=0))
        return Metrics(loss, penalty, reward_loss, imitation_loss, predicted_reward)

    def train_discriminator(self, real, seed):
        """One step of the discriminator, with the gradient penalty at graphs between real and generated ones.

        Args:
            real: Soft real graphs.
            seed: `(2,)`.

        Returns:
            L_D and the gradient penalty.
        """
        fake = self.soft_graphs(self.latent(seed))
        share = tf.random.stateless_uniform([tf.shape(real[0])[0]], seed + tf.constant([1, 0]))
        between = [interpolate(share, x, y) for x, y in zip(real, fake, strict=True)]
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner_tape:
                inner_tape.watch(between)
                score = self.discriminator(*between)
            penalty = gradient_penalty(*inner_tape.gradient(score, between))
            loss = discriminator_loss(self.discriminator(*real), self.discriminator(*fake))
            penalized_loss = loss + self.config.penalty_weight * penalty
        gradients = tape.gradient(penalized_loss, self.discriminator.trainable_variables)
        self.discriminator_optimizer.apply(gradients, self.discriminator.trainable_variables)
        return loss, penalty

    def train_reward_network(self, real, fake, real_reward, fake_reward):
        """One step of the critic: DDPG's regression, with the reward itself as the target (every episode ends here).

        Args:
            real, fake: Soft graphs, real and generated.
            real_reward, fake_reward: Their rewards, `(N, 1)` each.

        Returns:
            The critic's loss.
        """
        with tf.GradientTape() as tape:
            predicted_reward = tf.concat([self.reward_network(*real), self.reward_network(*fake)], axis=0)
            loss = critic_loss(predicted_reward, tf.concat([real_reward, fake_reward], axis=0))
        gradients = tape.gradient(loss, self.reward_network.trainable_variables)
        self.reward_optimizer.apply(gradients, self.reward_network.trainable_variables)
        return loss

    def train_generator(self, real, z, rl_weight):
        """One step of the actor, along the gradients of the discriminator and of the reward network.

        Args:
            real: Soft real graphs, for feature matching.
            z: `(N, latent_size)`.
            rl_weight: 1 - λ.

        Returns:
            The imitation loss and the mean predicted reward.
        """
        with tf.GradientTape() as tape:
            fake = self.soft_graphs(z)
            predicted_reward = self.reward_network(*fake)
            if self.config.imitation == "features":
                features = self.discriminator.features
                imitation_loss = feature_matching(features(*real), features(*fake))
            else:
                imitation_loss = adversarial_loss(self.discriminator(*fake))
            loss = generator_loss(imitation_loss, actor_loss(predicted_reward), rl_weight, self.config.ratio)
        gradients = tape.gradient(loss, self.generator.trainable_variables)
        self.generator_optimizer.apply(gradients, self.generator.trainable_variables)
        soft_update(self.evaluated_generator.variables, self.generator.variables, self.config.evaluation_tau)
        return imitation_loss, tf.reduce_mean(predicted_reward)

    def latent(self, seed):
        """Return z ~ N(0, I), `(N, latent_size)`, drawn from a seed `(2,)`."""
        return tf.random.stateless_normal([self.config.batch_size, self.config.latent_size], seed)

    def soft_graphs(self, z):
        """Return soft graphs for z `(N, latent_size)`: atoms `(N, 9, 5)` and bonds `(N, 9, 9, 4)`."""
        return [tf.nn.softmax(logits / self.config.temperature) for logits in self.generator(z)]

    def logits(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return logits of the averaged generator for z `(N, latent_size)`: atoms `(N, 9, 5)`, bonds `(N, 9, 9, 4)`."""
        atoms, bonds = self.evaluated_generator(tf.constant(z))
        return atoms.numpy(), bonds.numpy()

    @cached_property
    def _generate(self):
        def generate(seed):
            atoms, bonds = self.soft_graphs(self.latent(seed))
            return tf.argmax(atoms, -1, tf.int32), tf.argmax(bonds, -1, tf.int32)

        return compile_function(generate, [tf.TensorSpec([2], tf.int32)], self.config.jit_compile)

    @cached_property
    def _train_step(self):
        steps, size = self.config.discriminator_steps, self.config.batch_size
        signature = [
            tf.TensorSpec([steps, size, MAX_ATOMS], tf.uint8),
            tf.TensorSpec([steps, size, MAX_ATOMS, MAX_ATOMS], tf.uint8),
            tf.TensorSpec([size, 1], tf.float32),
            tf.TensorSpec([size, 1], tf.float32),
            tf.TensorSpec([], tf.float32),
            tf.TensorSpec([2], tf.int32),
        ]
        return compile_function(lambda *args: tf.stack(self.train_step(*args)), signature, self.config.jit_compile)


def one_hot(atoms, bonds):
    """Return graphs `(N, 9)` and `(N, 9, 9)` as soft graphs `(N, 9, 5)` and `(N, 9, 9, 4)`, float32."""
    return [tf.one_hot(tf.cast(atoms, tf.int32), len(ATOMS)), tf.one_hot(tf.cast(bonds, tf.int32), len(BONDS))]


def interpolate(share, x, y):
    """Return share · x + (1 - share) · y, with one share per graph, `(N,)`."""
    share = tf.reshape(share, [-1] + [1] * (len(x.shape) - 1))
    return share * x + (1.0 - share) * y
