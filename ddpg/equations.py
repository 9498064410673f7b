"""The equations of the two posts, one function each.

Q' and μ' are the target networks.  All values, rewards and flags are `(N, 1)`: see `ddpg.replay_buffer.Batch`.
"""

import numpy as np
import tensorflow as tf


def bellman_target(reward, terminated, next_value, gamma: float):
    """y = r + γ (1 - terminated) Q'(s', μ'(s')): what the critic learns.

    First post, equation 1 and the y of equation 3; second post, the Bellman equation with a deterministic policy, whose
    inner expectation is gone.  Nothing follows a state in which the task ended; a time limit is not such an end.

    Args:
        reward, terminated: `(N, 1)`.
        next_value: Q'(s', μ'(s')), `(N, 1)`.
        gamma: γ.

    Returns:
        y, `(N, 1)`.
    """
    return reward + gamma * (1.0 - terminated) * next_value


def critic_loss(value, target):
    """L = mean (y - Q(s, a))²: first post, equation 3; second post, the critic loss.

    Args:
        value: Q(s, a), `(N, 1)`.
        target: y, `(N, 1)`, a constant for the gradient.

    Returns:
        The mean over the minibatch, a scalar.

    Raises:
        ValueError: The shapes differ; broadcasting them would compare each value with every target.
    """
    if tuple(value.shape) != tuple(target.shape):
        raise ValueError(f"values {tuple(value.shape)} and targets {tuple(target.shape)} must have one shape, (N, 1)")
    return tf.reduce_mean(tf.square(tf.stop_gradient(target) - value))


def policy_loss(value):
    """-J = -mean Q(s, μ(s)): first post, equations 2 and 4; second post, the policy gradient and the actor loss.

    Its gradient by θ^μ is -mean ∇_a Q(s, a) ∇_θ μ(s), the deterministic policy gradient: automatic differentiation
    applies the chain rule through the critic.

    Args:
        value: Q(s, μ(s)) from the online critic, `(N, 1)`.

    Returns:
        The mean over the minibatch, negated, a scalar.
    """
    return -tf.reduce_mean(value)


def soft_update(target_variables, variables, tau: float) -> None:
    """θ' <- τ θ + (1 - τ) θ', in place: first post, equation 5; second post, moving part 5.  τ = 1 copies.

    Args:
        target_variables: θ', the target network's variables.
        variables: θ, the online network's variables, in the same order; they are only read.
        tau: τ.
    """
    for target, source in zip(target_variables, variables, strict=True):
        target.assign(tau * source + (1.0 - tau) * target)


def behaviour_action(action: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """μ'(s) = μ(s) + N, clipped to [-1, 1]: first post, equation 6; second post, moving part 4.

    Args:
        action: μ(s), `(action_size,)`.
        noise: N, `(action_size,)`.

    Returns:
        The action to take, `(action_size,)`.
    """
    return np.clip(action + noise, -1.0, 1.0)
