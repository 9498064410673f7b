"""Each equation against numbers worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from ddpg.equations import (
    actor_loss,
    bellman_target,
    critic_loss,
    exploration_action,
    imitation_loss,
    soft_update,
)
from ddpg.networks import ActorNetwork, CriticNetwork


def column(*values: float) -> tf.Tensor:
    return tf.constant([[value] for value in values], tf.float32)


def test_the_bellman_target_bootstraps_unless_the_task_has_terminated():
    target = bellman_target(column(1, 0, 2), column(0, 1, 1), column(8, 15, -3), gamma=0.9)
    np.testing.assert_allclose(target, [[8.2], [0], [2]], rtol=1e-6)


def test_the_bellman_target_is_clipped_to_its_limits_with_its_reward():
    """y = -1 + 0.9 · [-20, -5, 3] = [-19, -5.5, 1.7]; clipping Q' instead would give [-10, -5.5, -1]."""
    target = bellman_target(column(-1, -1, -1), column(0, 0, 0), column(-20, -5, 3), 0.9, limits=(-10, 0))
    np.testing.assert_allclose(target, [[-10], [-5.5], [0]], rtol=1e-6)


def test_the_critic_loss_is_the_mean_squared_error():
    assert float(critic_loss(column(1, 2), column(4, 0))) == pytest.approx((9 + 4) / 2)


def test_the_critic_loss_refuses_to_broadcast():
    """(N,) targets against (N, 1) values is the best-known DDPG bug: each value is pulled to the mean target."""
    with pytest.raises(ValueError, match=r"q_value \(2, 1\) and target_q \(2,\) must have the same shape"):
        critic_loss(column(1, 2), tf.constant([4.0, 0.0]))


def test_the_target_is_a_constant_for_the_gradient():
    q_value, target_q = tf.Variable(column(1.0)), tf.Variable(column(4.0))
    with tf.GradientTape() as tape:
        loss = critic_loss(q_value, target_q)
    by_value, by_target = tape.gradient(loss, [q_value, target_q])
    assert float(by_value[0, 0]) == -6
    assert by_target is None


def test_the_actor_loss_is_averaged_not_summed():
    assert float(actor_loss(column(1, 2, 6))) == -3


def test_the_gradient_of_the_actor_loss_is_the_deterministic_policy_gradient():
    """Autodiff through the critic equals -mean ∇_a Q ∇_θ μ, multiplied out sample by sample."""
    actor, critic = ActorNetwork(2, (8, 8), seed=1), CriticNetwork((8, 8), seed=2)
    state = tf.constant(np.random.default_rng(0).normal(size=(5, 3)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        action = actor(state)
        tape.watch(action)
        q_value = critic(state, action)
        loss = actor_loss(q_value)
    variables = actor.trainable_variables
    action_gradient = tape.gradient(q_value, action)  # ∇_a Q, (5, 2)
    with tf.GradientTape() as again:
        action = actor(state)
    jacobians = again.jacobian(action, variables)  # ∇_θ μ, (5, 2, *θ)
    for gradient, jacobian in zip(tape.gradient(loss, variables), jacobians, strict=True):
        written_out = -tf.einsum("na,na...->...", action_gradient, jacobian) / 5
        np.testing.assert_allclose(gradient, written_out, atol=1e-6)


def test_a_soft_update_moves_the_target_and_not_its_source():
    target, source = [tf.Variable([1.0, 2.0])], [tf.Variable([3.0, -2.0])]
    soft_update(target, source, tau=0.25)
    np.testing.assert_allclose(target[0], [1.5, 1.0])
    np.testing.assert_array_equal(source[0], [3.0, -2.0])
    soft_update(target, source, tau=1.0)
    np.testing.assert_array_equal(target[0], source[0])


def test_a_soft_update_of_networks_of_different_depth_is_refused():
    with pytest.raises(ValueError, match="zip"):
        soft_update([tf.Variable(1.0)], [tf.Variable(1.0), tf.Variable(2.0)], tau=0.5)


def test_the_exploration_action_is_clipped_to_the_range_of_actions():
    action = exploration_action(np.float32([0.5, 0.9, -0.9]), np.float32([0.1, 0.3, -0.3]))
    np.testing.assert_allclose(action, [0.6, 1.0, -1.0], rtol=1e-6)
    assert action.dtype == np.float32


def test_imitation_is_the_squared_distance_from_logged_actions_in_units_of_the_values():
    """mean |Q| = 3; mean [1², 2² · 0, 0.5² · 0.5] = 0.375: the second is the agent's own, the third counts half."""
    loss = imitation_loss(column(1, 2, 0.5), column(0, 0, 0), column(1, 0, 0.5), column(-4, 2, -3))
    assert float(loss) == pytest.approx(3 * (1 + 0 + 0.125) / 3)


def test_imitation_has_no_gradient_through_its_scale():
    """Else the actor would make its actions worth less, to imitate less."""
    action = tf.Variable(column(1.0, 3.0))
    with tf.GradientTape() as tape:
        loss = imitation_loss(action, column(0, 0), column(1, 1), 2 * action)
    np.testing.assert_allclose(tape.gradient(loss, action), [[4], [12]], rtol=1e-6)  # 4 · 2 a / 2
