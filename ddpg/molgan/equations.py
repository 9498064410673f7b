"""What MolGAN adds to DDPG's equations: the Wasserstein GAN's two losses, and the first post's equation 7.

The reward network's regression and the policy's loss are `ddpg.equations.critic_loss` and `policy_loss`.
"""

import tensorflow as tf


def discriminator_loss(real, fake):
    """L_D = mean D(G(z)) - mean D(x): minus the estimated Wasserstein distance (Arjovsky et al., 2017).

    Args:
        real: D of real graphs, `(B, 1)`.
        fake: D of generated graphs, `(B, 1)`.

    Returns:
        A scalar.
    """
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def gradient_penalty(by_atoms, by_bonds):
    """mean (‖∇D(x̂)‖ - 1)², the norm being one of a whole graph (Gulrajani et al., 2017, equation 3).

    Args:
        by_atoms: The gradient of D by the atoms of graphs x̂ between real and generated ones, `(B, 9, 5)`.
        by_bonds: That by their bonds, `(B, 9, 9, 4)`.

    Returns:
        A scalar.
    """
    squares = tf.reduce_sum(by_atoms**2, axis=(1, 2)) + tf.reduce_sum(by_bonds**2, axis=(1, 2, 3))
    return tf.reduce_mean((tf.sqrt(squares + 1e-12) - 1.0) ** 2)


def adversarial_loss(fake):
    """L_WGAN = -mean D(G(z)), what the generator wants of the discriminator; `fake` is `(B, 1)`."""
    return -tf.reduce_mean(fake)


def feature_matching(real, fake):
    """(mean φ(x) - mean φ(G(z)))², summed over the discriminator's features φ, `(B, F)` each.

    What the first post calls the least squared error between real and fake feature weights.
    """
    return tf.reduce_sum((tf.reduce_mean(real, axis=0) - tf.reduce_mean(fake, axis=0)) ** 2)


def generator_loss(imitation, policy, rl_weight, ratio: bool = False):
    """λ L_WGAN + (1 - λ) L_RL; with `ratio`, L_RL is first multiplied by |L_WGAN / L_RL| (first post, equation 7).

    The ratio is held constant: it gives both losses the same size, and lets no gradient through.

    Args:
        imitation: L_WGAN, a scalar.
        policy: L_RL, a scalar, from `ddpg.equations.policy_loss`.
        rl_weight: 1 - λ, from 0 to 1.
        ratio: Whether to balance the two.
    """
    size = tf.stop_gradient(tf.abs(imitation / policy)) if ratio else 1.0
    return (1.0 - rl_weight) * imitation + rl_weight * size * policy
