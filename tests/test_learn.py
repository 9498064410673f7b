"""`DDPG.learn`: Algorithm 1 against numbers worked out by hand, and the ways in which its parts could be mixed up."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddpg import DDPG, Batch, Config
from tests.agents import fill, numbers


class Linear(keras.Model):
    """w · inputs + bias, the smallest actor or critic there is."""

    def __init__(self, weights: list[float], bias: float | None = None) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(1, use_bias=bias is not None)
        self.dense.build((None, len(weights)))
        self.dense.set_weights([np.array([weights]).T] + ([np.array([bias])] if bias is not None else []))

    def call(self, *inputs, training=False):
        return self.dense(tf.concat(inputs, axis=1))


@pytest.fixture
def by_hand() -> DDPG:
    """Q(s, a) = 2 s + 3 a + 1 and μ(s) = s / 2, targets equal, plain gradient steps of 0.1, γ = 0.9, τ = 0.01."""
    agent = DDPG(1, 1, Config(gamma=0.9, tau=0.01, hidden_units=(2, 2), buffer_size=100))
    agent.critic, agent.target_critic = Linear([2, 3], 1), Linear([2, 3], 1)
    agent.actor, agent.target_actor = Linear([0.5]), Linear([0.5])
    agent.critic_optimizer, agent.actor_optimizer = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
    return agent


def batch(state, action, reward, terminated, next_state) -> Batch:
    return Batch(*(tf.constant(x, tf.float32)[:, None] for x in (state, action, reward, terminated, next_state)))


def test_one_update_gives_the_numbers_worked_out_by_hand(by_hand):
    """y = [8.2, 0]; without the terminal mask it would be [8.2, 13.5], with the broadcast bug the loss 19.095."""
    metrics = by_hand.learn(batch([1, 2], [0.5, -1], [1, 0], [0, 1], [2, 4]))
    assert float(metrics.target) == pytest.approx(4.1)
    assert float(metrics.critic_loss) == pytest.approx(8.845)
    np.testing.assert_allclose(numbers(by_hand.critic), [1.97, 3.385, 1.17], rtol=1e-6)
    # 1.5155 if the actor's loss were summed, 0.95 if the actor followed the critic of before the step.
    np.testing.assert_allclose(numbers(by_hand.actor), [1.00775], rtol=1e-6)
    np.testing.assert_allclose(numbers(by_hand.target_actor), [0.5050775], rtol=1e-6)
    np.testing.assert_allclose(numbers(by_hand.target_critic), [1.9997, 3.00385, 1.0017], rtol=1e-6)


def test_targets_come_from_the_target_networks(by_hand):
    by_hand.target_critic = Linear([0, 0], 10)
    assert float(by_hand.learn(batch([1], [0], [1], [0], [2])).target) == pytest.approx(1 + 0.9 * 10)
    by_hand.target_critic, by_hand.target_actor = Linear([0, 1], 0), Linear([4])
    assert float(by_hand.learn(batch([1], [0], [1], [0], [2])).target) == pytest.approx(1 + 0.9 * 8)


def test_the_actor_follows_the_online_critic_not_the_target_critic(by_hand):
    by_hand.target_critic = Linear([2, -3], 1)  # would push the actor the other way
    before = numbers(by_hand.actor)
    by_hand.learn(batch([1], [0.5], [0], [1], [1]))
    assert (numbers(by_hand.actor) > before).all()


def test_targets_start_as_exact_copies_of_built_networks(small):
    agent = DDPG(3, 2, small)
    for online, target in ((agent.actor, agent.target_actor), (agent.critic, agent.target_critic)):
        assert len(target.variables) == 6
        np.testing.assert_array_equal(numbers(online), numbers(target))
        assert not {id(v) for v in online.variables} & {id(v) for v in target.variables}


def test_both_targets_move_a_little_at_each_update(small):
    agent = fill(DDPG(3, 2, replace(small, actor_learning_rate=0.01)))
    for online, target in ((agent.actor, agent.target_actor), (agent.critic, agent.target_critic)):
        before = numbers(target)
        agent.update()
        expected = before + small.tau * (numbers(online) - before)
        np.testing.assert_allclose(numbers(target), expected, atol=1e-6)
        assert not np.array_equal(numbers(target), before)


def test_target_networks_own_no_optimizer(small):
    agent = DDPG(3, 2, small)
    for network in (agent.target_actor, agent.target_critic):
        assert getattr(network, "optimizer", None) is None
    targets = {v.path for v in agent.target_actor.variables + agent.target_critic.variables}
    for optimizer in (agent.actor_optimizer, agent.critic_optimizer):
        assert not targets & {v.path for v in optimizer._trainable_variables}


def test_saturation_tells_the_share_of_actions_at_the_bounds(by_hand):
    by_hand.actor = Linear([1.0])
    metrics = by_hand.learn(batch([0.1, 1, 2, -3], [0] * 4, [0] * 4, [1] * 4, [0] * 4))
    assert float(metrics.saturation) == 0.75


def test_the_target_is_normalised_over_the_minibatch(small):
    """The stated rule: in learning, no network normalises by running averages, which lag behind; nor do the targets."""
    config = replace(small, batch_normalization=True, action_layer=2)
    sound, shifted = fill(DDPG(3, 2, config)), fill(DDPG(3, 2, config))
    for network in (shifted.target_actor, shifted.target_critic):
        for variable in network.non_trainable_variables:
            variable.assign(variable + 5.0)
    assert shifted.update() == sound.update()


def test_running_averages_follow_what_learning_sees_and_the_targets_follow_them(small):
    agent = fill(DDPG(3, 2, replace(small, batch_normalization=True, action_layer=2, tau=0.5)), small.batch_size)
    rows = agent.replay_buffer.split(agent.replay_buffer.rows[: small.batch_size])  # the one minibatch that there is
    agent.update()
    online, target = agent.actor.normalize[0].moving_mean, agent.target_actor.normalize[0].moving_mean
    seen, seen_next = 0.01 * rows.state.mean(axis=0), 0.01 * rows.next_state.mean(axis=0)  # Keras's momentum is 0.99
    np.testing.assert_allclose(online, seen, atol=1e-7)
    np.testing.assert_allclose(target, 0.5 * seen + 0.5 * seen_next, atol=1e-7)
