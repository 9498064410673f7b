"""Numbers that others worked out: the inputs of other projects' unit tests give the same results here.

Each test names its source. Only inputs and expected numbers are taken; mistakes that this project's own tests share
with its code would show here.
"""

import gymnasium
import numpy as np
import pytest
import tensorflow as tf
from gymnasium import spaces

from ddpg import DDPG, Config, equations, evaluate, train
from ddpg.environment import make_environment

COLUMN = (-1, 1)


def column(*numbers) -> tf.Tensor:
    return tf.constant(np.reshape(numbers, COLUMN), tf.float32)


def linear_critic(state, action):
    """TF-Agents' dummy critic: Q = s₁ + 3 s₂ + 2 a + 4."""
    return tf.concat([state, action], axis=1) @ column(1, 3, 2) + 4.0


def linear_actor(state):
    """TF-Agents' dummy actor without bounds: μ = 2 s₁ + s₂ + 5."""
    return state @ column(2, 1) + 5.0


def test_the_critic_loss_is_that_of_tf_agents_ddpg():
    """tf_agents/agents/ddpg/ddpg_agent_test.py, testCriticLoss: 59.6 with Huber's loss, whose errors here are y - Q."""
    state, next_state = tf.constant([[1.0, 2], [3, 4]]), tf.constant([[5.0, 6], [7, 8]])
    q_value = linear_critic(state, column(5, 6))
    next_q = linear_critic(next_state, linear_actor(next_state))
    target_q = equations.bellman_target(column(10, 20), column(0, 0), next_q, gamma=0.9)
    error = (target_q - q_value).numpy()
    assert np.mean(np.abs(error) - 0.5) == pytest.approx(59.6)  # Huber's loss of errors beyond 1
    np.testing.assert_allclose(error.ravel(), [51.1, 69.1], rtol=1e-6)
    assert float(equations.critic_loss(q_value, target_q)) == pytest.approx((51.1**2 + 69.1**2) / 2)


def test_the_actors_gradient_through_the_critic_is_that_of_tf_agents_ddpg():
    """The same file, testActorLoss: 4.0, which is (∂Q/∂a)²."""
    state = tf.constant([[1.0, 2], [3, 4]])
    action = linear_actor(state)
    with tf.GradientTape() as tape:
        tape.watch(action)
        loss = equations.actor_loss(linear_critic(state, action))
    by_action = -2 * tape.gradient(loss, action)  # the loss is a mean over two states, and negated
    np.testing.assert_allclose(by_action**2, [[4.0], [4.0]])


@pytest.mark.parametrize(("keep", "gamma", "terminated"), [(0, 0.99, 1), (0.5, 0.5, 0), (1, 1.0, 0)])
def test_targets_errors_and_losses_are_those_of_trfls_td_learning(keep, gamma, terminated):
    """trfl/value_ops_test.py, TDLearningTest: v = 1, r = -1, next values 0, 1, 2, continuation 0, 0.5 and 1."""
    expected_target = {0: (-1, -1, -1), 0.5: (-1, -0.5, 0), 1: (-1, 0, 1)}[keep]
    expected_loss = {0: (2, 2, 2), 0.5: (2, 1.125, 0.5), 1: (2, 0.5, 0)}[keep]  # trfl's: half the square
    target = equations.bellman_target(column(-1, -1, -1), column(*[terminated] * 3), column(0, 1, 2), gamma)
    np.testing.assert_allclose(target.numpy().ravel(), expected_target)
    for one, half in zip(expected_target, expected_loss, strict=True):
        assert float(equations.critic_loss(column(1), column(one))) == pytest.approx(2 * half)


def test_no_gradient_flows_through_the_target_as_in_trfls_td_learning():
    """The same test, testGradVtm1 and testNoOtherGradients: the gradient of the loss is -(y - v), and y has none."""
    value, target = tf.Variable(column(1, 1, 1)), tf.Variable(column(-1, -0.5, 1))
    with tf.GradientTape() as tape:
        half_loss_summed = 1.5 * equations.critic_loss(value, target)  # the mean of three squares, as a sum of halves
    by_value, by_target = tape.gradient(half_loss_summed, [value, target])
    np.testing.assert_allclose(-by_value.numpy().ravel(), [-2, -1.5, 0])
    assert by_target is None


def test_the_policy_gradient_is_that_of_trfls_dpg():
    """trfl/dpg_ops_test.py, testDpgGradient: for linear networks, minus w times the sum of the states."""
    rng = np.random.default_rng(0)
    state = tf.constant([[0.0, 1, 0], [1, 1, 2]])
    actor, critic = (
        tf.Variable(rng.normal(size=(3, 2)), dtype=tf.float32),
        tf.constant(rng.normal(size=(2, 1)), tf.float32),
    )
    with tf.GradientTape() as tape:
        loss = 2 * equations.actor_loss(state @ actor @ critic)  # trfl sums over its two states
    expected = -np.outer(np.sum(state, axis=0), critic)
    np.testing.assert_allclose(tape.gradient(loss, actor), expected, rtol=1e-6)


def test_one_step_returns_are_those_of_tianshou():
    """Tianshou's test/base/test_returns.py, test_nstep_returns with n_step = 1 and γ = 0.1.

    The rewards are 3 to 12; the next value is minus the next reward, or minus its own reward at the end of an episode;
    the episode that ends with the reward 4 is truncated, and those that end with 8 and 12 are terminated.
    """
    reward = np.arange(3.0, 13)
    ends = np.isin(reward, (4, 8, 12))
    next_q = -np.where(ends, reward, reward + 1)
    target = equations.bellman_target(column(*reward), column(*np.isin(reward, (8, 12))), column(*next_q), gamma=0.1)
    expected = [2.6, 3.6, 4.4, 5.3, 6.2, 8, 8, 8.9, 9.8, 12]
    np.testing.assert_allclose(target.numpy().ravel(), expected, rtol=1e-6)


def test_soft_updates_are_those_of_pfrl_trfl_and_stable_baselines3():
    """PFRL's test_copy_param.py: 0.5 follows 1 with τ = 0.1 to 0.55 and 0.595.

    trfl's target_update_ops_test.py: τ source + (1 - τ) target. Stable-Baselines3's test_utils.py, test_polyak: zeros
    follow ones with τ = 0.1 to 0.1, and the ones stay.
    """
    target, source = [tf.Variable(0.5)], [tf.Variable(1.0)]
    for expected in (0.55, 0.595):
        equations.soft_update(target, source, tau=0.1)
        assert float(target[0]) == pytest.approx(expected)
    zeros, ones = [tf.Variable(tf.zeros([5, 5]))], [tf.Variable(tf.ones([5, 5]))]
    equations.soft_update(zeros, ones, tau=0.1)
    np.testing.assert_allclose(zeros[0], np.full((5, 5), 0.1))
    np.testing.assert_array_equal(ones[0], np.ones((5, 5)))
    with pytest.raises(ValueError):  # trfl's testIncompatibleLength
        equations.soft_update(zeros, ones + ones, tau=0.1)


def test_actions_are_scaled_as_tf_agents_scales_to_a_spec():
    """tf_agents/utils/common_test.py, ScaleToSpecTest: bounds ±5, ±5, ±4, ±4, ±2 and ±6."""
    bounds = [5, 5, 4, 4, 2, 6]
    environment = make_environment("Bounds-v0", {"low": [-bound for bound in bounds], "high": bounds})
    environment.reset(seed=0)
    environment.step(np.float32([1, -1, 0.5, -0.5, 1, 0]))
    np.testing.assert_allclose(environment.unwrapped.action, [5, -5, 2, -2, 2, 0], atol=1e-6)


class Identity(gymnasium.Env):
    """Stable-Baselines3's identity task for boxes: 1 for an action within 0.5 of the state, 100 steps an episode."""

    observation_space = action_space = spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock, self.state = 0, self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self.state, {}

    def step(self, action):
        reward = float(abs(action[0] - self.state[0]) <= 0.5)
        self.clock, self.state = self.clock + 1, self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self.state, reward, False, self.clock == 100, {}


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 10))])
def test_the_identity_task_of_stable_baselines3_is_solved_with_every_seed(seed):
    """Its tests/test_identity.py, test_continuous: 90 of 100, here after 400 of its 500 steps."""
    config = Config(
        steps=400, seed=seed, gamma=0.95, hidden_units=(64, 64), learning_starts=100, batch_size=100, buffer_size=500,
        actor_learning_rate=1e-3, jit_compile=False,
    )  # fmt: skip
    agent = DDPG(1, 1, config)
    list(train(agent, Identity()))
    assert evaluate(agent, Identity(), episodes=20).mean >= 90
