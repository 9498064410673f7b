"""The equations of the two posts, one function each, and the metrics of an update.

Q' and μ' are the target networks. All values, rewards and flags are `(N, 1)`: see `ddpg.replay_buffer.Batch`.
"""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

M = TypeVar("M", bound=tuple)


def bellman_target(reward, terminated, next_q, gamma: float, limits: tuple[float, float] | None = None):
    """y = r + γ (1 - terminated) Q'(s', μ'(s')): the target of the critic.

    First post, equation 1 and the y of equation 3; second post, the Bellman equation, which needs no inner expectation
    because the policy is deterministic. No reward follows a terminal state; a time limit is not a terminal state.

    Args:
        reward, terminated: `(N, 1)`.
        next_q: Q'(s', μ'(s')), `(N, 1)`.
        gamma: γ.
        limits: What y is clipped to, or None. Andrychowicz et al. (2017, arXiv 1707.01495), appendix A, take the least
            and the largest return that there can be: [-1 / (1 - γ), 0] for rewards of -1 and 0.

    Returns:
        y, `(N, 1)`.
    """
    y = reward + gamma * (1.0 - terminated) * next_q
    return tf.clip_by_value(y, *limits) if limits else y


def critic_loss(q_value, target_q):
    """L = mean (y - Q(s, a))²: first post, equation 3; second post, the critic loss.

    Args:
        q_value: Q(s, a), `(N, 1)`.
        target_q: y, `(N, 1)`, a constant for the gradient.

    Returns:
        The mean over the minibatch, a scalar.

    Raises:
        ValueError: The shapes differ. Broadcasting them would compare each value with every target.
    """
    if tuple(q_value.shape) != tuple(target_q.shape):
        raise ValueError(
            f"q_value {tuple(q_value.shape)} and target_q {tuple(target_q.shape)} must have the same shape, (N, 1)"
        )
    return tf.reduce_mean(tf.square(tf.stop_gradient(target_q) - q_value))


def actor_loss(q_value):
    """-J = -mean Q(s, μ(s)): first post, equations 2 and 4; second post, the policy gradient and the actor loss.

    Equation 2 asks for the greedy policy, argmax over a of Q(s, a); gradient descent on this loss approaches it. The
    gradient with respect to θ^μ is -mean ∇_a Q(s, a) ∇_θ μ(s), the deterministic policy gradient: automatic
    differentiation applies the chain rule through the critic.

    Args:
        q_value: Q(s, μ(s)) from the online critic, `(N, 1)`.

    Returns:
        The mean over the minibatch, negated, a scalar.
    """
    return -tf.reduce_mean(q_value)


def action_penalty(action):
    """mean μ(s)²: keeps the policy away from the bounds, where the gradient of tanh vanishes.

    Andrychowicz et al. (2017, arXiv 1707.01495), appendix A, add it to the actor's loss.

    Args:
        action: μ(s), `(N, action_size)`.

    Returns:
        The mean over the minibatch and the dimensions, a scalar.
    """
    return tf.reduce_mean(action**2)


def imitation_loss(action, logged_action, logged, q_value):
    """mean |Q(s, μ(s))| · mean (μ(s) - a)²: keeps the policy near logged actions, where the critic knows the values.

    TD3+BC (Fujimoto and Gu, 2021, arXiv 2106.06860), equation 5, which divides the other term of the actor's loss by
    mean |Q|, so that its weight suits rewards of any size. Multiplying this one instead leaves `actor_loss` as it is.

    Args:
        action: μ(s), `(N, action_size)`.
        logged_action: a, `(N, action_size)`.
        logged: How much each transition counts, `(N, 1)`: 0 for the agent's own.
        q_value: Q(s, μ(s)), `(N, 1)`, a constant for the gradient.

    Returns:
        The mean over the minibatch and the dimensions, a scalar.
    """
    scale = tf.reduce_mean(tf.abs(tf.stop_gradient(q_value)))
    return scale * tf.reduce_mean(logged * tf.square(action - logged_action))


def soft_update(target_variables, variables, tau: float) -> None:
    """θ' <- τ θ + (1 - τ) θ', in place: first post, equation 5; second post, the target updates. τ = 1 copies.

    Args:
        target_variables: θ', the target network's variables.
        variables: θ, the online network's variables, in the same order; they are only read.
        tau: τ.
    """
    for target, source in zip(target_variables, variables, strict=True):
        target.assign(tau * source + (1.0 - tau) * target)


def exploration_action(action: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """β(s) = μ(s) + N, clipped to [-1, 1]: first post, equation 6 (written μ' there); second post, exploration.

    Args:
        action: μ(s), `(action_size,)`.
        noise: N, `(action_size,)`.

    Returns:
        The action to take, `(action_size,)`.
    """
    return np.clip(action + noise, -1.0, 1.0)


class Metrics(NamedTuple):
    """Metrics of one update, each a mean over the minibatch."""

    critic_loss: float  # (y - Q(s, a))²
    actor_loss: float  # -Q(s, μ(s))
    q_value: float  # Q(s, a)
    target_q: float  # y
    action_saturation: float  # share of the policy's actions within 1 % of a bound


class MeanMetrics(Generic[M]):
    """The running mean of updates' metrics.

    Args:
        kind: The NamedTuple of the metrics.
    """

    def __init__(self, kind: type[M]) -> None:
        self.kind = kind
        self.sums, self.count = np.zeros(len(kind._fields)), 0  # type: ignore[attr-defined]

    def add(self, metrics: Sequence[float] | None) -> None:
        """Add the metrics of one round of updates; None, for no update, adds nothing."""
        if metrics is not None:
            self.sums += metrics
            self.count += 1

    def mean(self) -> M | None:
        """Return the means, or None if nothing was added."""
        return self.kind(*(self.sums / self.count).tolist()) if self.count else None
