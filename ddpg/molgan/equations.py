"""MolGAN's additions to DDPG's equations: the losses of the Wasserstein GAN, and the first post's equation 7.

The reward network's loss is `ddpg.equations.critic_loss`; L_RL is `ddpg.equations.actor_loss`.
"""

import tensorflow as tf


def discriminator_loss(real, fake):
    """L_D = mean D(G(z)) - mean D(x): the negative estimate of the Wasserstein distance (Arjovsky et al., 2017).

    Args:
        real: D of real graphs, `(N, 1)`.
        fake: D of generated graphs, `(N, 1)`.

    Returns:
        A scalar.
    """
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def gradient_penalty(atoms_gradient, bonds_gradient):
    """mean (‖∇D(x̂)‖ - 1)², with one norm per graph (Gulrajani et al., 2017, equation 3).

    Args:
        atoms_gradient: ∇D with respect to the atoms of x̂, graphs between real and generated ones, `(N, 9, 5)`.
        bonds_gradient: ∇D with respect to their bonds, `(N, 9, 9, 4)`.

    Returns:
        A scalar.
    """
    squares = tf.reduce_sum(atoms_gradient**2, axis=(1, 2)) + tf.reduce_sum(bonds_gradient**2, axis=(1, 2, 3))
    return tf.reduce_mean((tf.sqrt(squares + 1e-12) - 1.0) ** 2)


def adversarial_loss(fake):
    """L_WGAN = -mean D(G(z)): the generator's loss from the discriminator.

    Args:
        fake: D of generated graphs, `(N, 1)`.

    Returns:
        A scalar.
    """
    return -tf.reduce_mean(fake)


def feature_matching(real, fake):
    """Σ (mean φ(x) - mean φ(G(z)))²: the first post's least squared error between real and fake feature weights.

    Args:
        real: φ(x), the discriminator's features of real graphs, `(N, F)`.
        fake: φ(G(z)), those of generated graphs, `(N, F)`.

    Returns:
        A scalar, the sum over the features.
    """
    return tf.reduce_sum((tf.reduce_mean(real, axis=0) - tf.reduce_mean(fake, axis=0)) ** 2)


def generator_loss(imitation_loss, actor_loss, rl_weight, ratio: bool = False):
    """λ L_WGAN + (1 - λ) L_RL; with `ratio`, L_RL is first multiplied by |L_WGAN / L_RL| (first post, equation 7).

    The ratio is a constant for the gradient: it scales L_RL to the size of L_WGAN.

    Args:
        imitation_loss: L_WGAN, a scalar.
        actor_loss: L_RL, a scalar, from `ddpg.equations.actor_loss`.
        rl_weight: 1 - λ, from 0 to 1.
        ratio: Whether to scale L_RL.

    Returns:
        A scalar.
    """
    scale = tf.stop_gradient(tf.abs(imitation_loss / actor_loss)) if ratio else 1.0
    return (1.0 - rl_weight) * imitation_loss + rl_weight * scale * actor_loss
