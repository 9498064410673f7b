"""`DDPG.train_step`: Algorithm 1 against numbers worked out by hand, and ways to mix up its parts."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddpg import DDPG, Batch
from tests.helpers.agents import Linear, batch, fill, linear_agent, numbers

EXAMPLE = batch([1, 2], [0.5, -1], [1, 0], [0, 1], [2, 4])  # s, a, r, terminated, s'


def floats(metrics) -> dict[str, float]:
    return {name: float(value) for name, value in metrics._asdict().items()}


def test_one_update_gives_the_numbers_worked_out_by_hand():
    """y = [8.2, 0]; without the terminal mask it would be [8.2, 13.5], with the broadcast bug the loss 19.095."""
    agent = linear_agent()
    metrics = floats(agent.train_step(EXAMPLE))
    assert metrics["target_q"] == pytest.approx(4.1)
    assert metrics["critic_loss"] == pytest.approx(8.845)
    np.testing.assert_allclose(numbers(agent.critic), [1.97, 3.385, 1.17], rtol=1e-6)
    # 1.5155 if the actor's loss were summed, 0.95 if the actor followed the critic of before the step.
    np.testing.assert_allclose(numbers(agent.actor), [1.00775], rtol=1e-6)
    np.testing.assert_allclose(numbers(agent.target_actor), [0.5050775], rtol=1e-6)
    np.testing.assert_allclose(numbers(agent.target_critic), [1.9997, 3.00385, 1.0017], rtol=1e-6)


def test_each_metric_is_the_mean_that_its_name_says():
    """Q(s, a) = [4.5, 2] before the step and Q(s, μ(s)) = [4.8325, 8.495] after it; μ(s) = [0.5, 1]."""
    expected = {
        "critic_loss": (3.7**2 + 2**2) / 2,
        "actor_loss": -(4.8325 + 8.495) / 2,
        "q_value": (4.5 + 2) / 2,
        "target_q": (8.2 + 0) / 2,
        "action_saturation": 0.5,
    }
    assert floats(linear_agent().train_step(EXAMPLE)) == pytest.approx(expected)


def test_saturation_is_the_share_of_the_policys_actions_within_1_percent_of_a_bound():
    """Not of the actions in the minibatch, nor of the target actor's."""
    agent = linear_agent()
    agent.actor, agent.target_actor = Linear([1.0]), Linear([100.0])
    states = batch([0.98, 0.995, 2, -3], [1] * 4, [0] * 4, [1] * 4, [9] * 4)
    assert float(agent.train_step(states).action_saturation) == 0.75


def test_saturation_counts_every_dimension_of_an_action(small):
    agent = fill(DDPG(3, 4, small))
    agent.actor.action.bias.assign([0.0, 9.0, 0.0, 0.0])
    assert agent.update().action_saturation == 0.25


def test_weight_decay_adds_2_lambda_w_to_the_gradient_of_the_kernel():
    """λ = 0.05 and a step of 0.1 take 0.01 w off each weight; the bias and the metric show none of it."""
    agent = linear_agent(weight_decay=0.05)
    metrics = agent.train_step(EXAMPLE)
    np.testing.assert_allclose(numbers(agent.critic), [1.97 - 0.02, 3.385 - 0.03, 1.17], rtol=1e-6)
    assert float(metrics.critic_loss) == pytest.approx(8.845)


def test_the_setting_decays_the_critics_kernels_and_nothing_else(small):
    """The difference that λ makes to one plain gradient step: -0.1 · 2 λ w for kernels, 0 for biases and the actor."""
    plain, decayed = (DDPG(3, 2, replace(small, critic_weight_decay=decay)) for decay in (0.0, 0.3))
    kernels = [layer.kernel.numpy() for layer in (plain.critic.hidden_1, plain.critic.hidden_2, plain.critic.value)]
    for agent in (plain, decayed):
        agent.critic_optimizer, agent.actor_optimizer = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.0)
        fill(agent).update()
    for layer, kernel in zip(("hidden_1", "hidden_2", "value"), kernels, strict=True):
        one, other = getattr(plain.critic, layer), getattr(decayed.critic, layer)
        np.testing.assert_allclose(other.kernel - one.kernel, -0.1 * 2 * 0.3 * kernel, atol=1e-6)
        np.testing.assert_allclose(other.bias, one.bias, atol=1e-6)
    np.testing.assert_array_equal(numbers(plain.actor), numbers(decayed.actor))


def test_the_actor_and_its_metric_are_without_weight_decay(small):
    """Where the critic does not learn, λ makes no difference to anything."""
    plain, decayed = (DDPG(3, 2, replace(small, critic_weight_decay=decay)) for decay in (0.0, 0.3))
    for agent in (plain, decayed):
        agent.critic_optimizer, agent.actor_optimizer = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1)
        before = numbers(agent.actor)
        fill(agent)
    assert plain.update() == decayed.update()
    assert not np.array_equal(numbers(plain.actor), before)
    np.testing.assert_array_equal(numbers(plain.actor), numbers(decayed.actor))


def test_both_optimizers_are_plain_adam_with_the_learning_rates_of_the_settings(small):
    agent = DDPG(3, 2, replace(small, actor_learning_rate=0.003, critic_learning_rate=0.02))
    for optimizer, rate in ((agent.actor_optimizer, 0.003), (agent.critic_optimizer, 0.02)):
        assert type(optimizer) is keras.optimizers.Adam
        plain = keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
        assert optimizer.get_config() | {"name": ""} == plain.get_config() | {"name": ""}


def test_adams_first_step_moves_each_network_by_its_own_learning_rate(small):
    """Adam's first step is the learning rate in each weight, whatever the size of the gradient."""
    agent = fill(DDPG(3, 2, replace(small, actor_learning_rate=0.003, critic_learning_rate=0.02)))
    actor, critic = numbers(agent.actor), numbers(agent.critic)
    agent.update()
    assert np.abs(numbers(agent.actor) - actor).max() == pytest.approx(0.003, rel=0.01)
    assert np.abs(numbers(agent.critic) - critic).max() == pytest.approx(0.02, rel=0.01)


def test_targets_come_from_the_target_networks():
    one = batch([1], [0], [1], [0], [2])
    agent = linear_agent()
    agent.target_critic = Linear([0, 0], 10)
    assert float(agent.train_step(one).target_q) == pytest.approx(1 + 0.9 * 10)
    agent.target_critic, agent.target_actor = Linear([0, 1], 0), Linear([4])
    assert float(agent.train_step(one).target_q) == pytest.approx(1 + 0.9 * 8)


def test_the_actor_follows_the_online_critic_not_the_target_critic():
    agent = linear_agent()
    agent.target_critic = Linear([2, -3], 1)  # would push the actor the other way
    before = numbers(agent.actor)
    agent.train_step(batch([1], [0.5], [0], [1], [1]))
    assert (numbers(agent.actor) > before).all()


def test_targets_start_as_exact_copies_of_built_networks(small):
    for normalized in (False, True):
        agent = DDPG(3, 2, replace(small, batch_normalization=normalized, kernel_initializer="fan_in"))
        for online, target in ((agent.actor, agent.target_actor), (agent.critic, agent.target_critic)):
            assert len(target.variables) == len(online.variables) >= 6
            np.testing.assert_array_equal(numbers(online), numbers(target))
            assert not {id(v) for v in online.variables} & {id(v) for v in target.variables}


@pytest.mark.parametrize("normalized", [False, True])
def test_both_targets_move_by_tau_at_each_update(small, normalized):
    config = replace(small, batch_normalization=normalized, action_layer=2, tau=0.25, actor_learning_rate=0.01)
    agent = fill(DDPG(3, 2, config), small.batch_size)
    pairs = [(agent.actor, agent.target_actor), (agent.critic, agent.target_critic)]
    before = [[v.numpy() for v in target.trainable_variables] for _, target in pairs]
    agent.update()
    for (online, target), weights in zip(pairs, before, strict=True):
        for new, old, source in zip(target.trainable_variables, weights, online.trainable_variables, strict=True):
            np.testing.assert_allclose(new, 0.25 * source + 0.75 * old, atol=1e-6)
            assert not np.array_equal(new, old)


def test_target_networks_have_no_optimizer(small):
    agent = DDPG(3, 2, small)
    for network in (agent.target_actor, agent.target_critic):
        assert getattr(network, "optimizer", None) is None
    for optimizer, network in ((agent.actor_optimizer, agent.actor), (agent.critic_optimizer, agent.critic)):
        moments = [tuple(v.shape) for v in optimizer.variables if len(v.shape)]  # two for each weight
        assert sorted(moments) == sorted(2 * [tuple(v.shape) for v in network.trainable_variables])


def test_the_penalty_on_actions_is_their_mean_square():
    """μ(s) = s / 2 and ∂Q/∂a = 3: the penalty adds X mean 2 μ(s) ∂μ/∂w to the slope, and nothing to the logged loss."""
    plain, penalized = linear_agent(), linear_agent()
    penalized.config = replace(penalized.config, action_penalty=0.5)
    rows = batch([1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0])
    assert penalized.train_step(rows).actor_loss == plain.train_step(rows).actor_loss
    weights = [float(agent.actor.dense.kernel.numpy().item()) for agent in (plain, penalized)]
    slope = 0.5 * np.mean([2 * 0.5 * 1.0 * 1.0, 2 * 1.0 * 2.0])  # X mean(2 μ(s) ∂μ/∂w)
    assert weights[1] - weights[0] == pytest.approx(-0.1 * slope, rel=1e-5)


def test_the_actor_is_drawn_to_logged_actions_and_its_metric_shows_none_of_it():
    """μ(s) = s / 2 = [0.5, 1], a = [0.5, -1], the second one logged; Q(s, μ(s)) = [4.8325, 8.495] after a step.

    The slope of the imitation is X · mean |Q| · mean [0, 2 (μ - a) ∂μ/∂w].
    """
    plain, drawn = linear_agent(), linear_agent()
    drawn.config = replace(drawn.config, imitation=0.5, data={"log.npz": ""})
    rows = EXAMPLE._replace(logged=tf.constant([[0.0], [1.0]]))
    assert drawn.train_step(rows).actor_loss == plain.train_step(rows).actor_loss
    weights = [float(agent.actor.dense.kernel.numpy().item()) for agent in (plain, drawn)]
    slope = 0.5 * (4.8325 + 8.495) / 2 * (2 * (1 - -1) * 2) / 2
    assert weights[1] - weights[0] == pytest.approx(-0.1 * slope, rel=1e-5)


def test_the_targets_are_clipped_to_the_limits_in_the_settings():
    """y = [8.2, 0] becomes [5, 0.5], so the critic's loss is mean [(5 - 4.5)², (0.5 - 2)²]."""
    agent = linear_agent()
    agent.config = replace(agent.config, target_limits=(0.5, 5.0))
    metrics = floats(agent.train_step(EXAMPLE))
    assert metrics["target_q"] == pytest.approx(2.75)
    assert metrics["critic_loss"] == pytest.approx((0.25 + 2.25) / 2)


@pytest.mark.parametrize(("choice", "has_layers"), [("none", 0), ("critic", 2), ("both", 4)])
def test_layer_normalization_is_in_the_networks_that_are_named_and_in_their_targets(small, choice, has_layers):
    agent = DDPG(3, 2, replace(small, layer_normalization=choice))
    for networks in ((agent.actor, agent.critic), (agent.target_actor, agent.target_critic)):
        kinds = [type(layer).__name__ for network in networks for layer in network.normalize]
        assert kinds.count("LayerNormalization") == has_layers


NORMALIZED = {"batch_normalization": True, "action_layer": 2}


@pytest.mark.slow
def test_no_network_is_normalized_by_running_averages_in_training(small):
    """They lag behind the minibatch. The rule holds for all four networks, the targets included."""
    config = replace(small, **NORMALIZED)
    sound, shifted = fill(DDPG(3, 2, config)), fill(DDPG(3, 2, config))
    for network in (shifted.actor, shifted.critic, shifted.target_actor, shifted.target_critic):
        for variable in network.non_trainable_variables:
            variable.assign(variable + 5.0)
    assert shifted.update() == sound.update()
    for name in ("actor", "critic"):
        weights = [[v.numpy() for v in getattr(agent, name).trainable_variables] for agent in (sound, shifted)]
        for one, other in zip(*weights, strict=True):
            np.testing.assert_array_equal(one, other)


def test_running_averages_follow_the_minibatch_and_the_targets_follow_them(small):
    agent = fill(DDPG(3, 2, replace(small, **NORMALIZED, tau=0.5)), small.batch_size)
    rows: Batch = agent.replay_buffer.split(agent.replay_buffer.rows[: small.batch_size])  # the only minibatch
    agent.update()
    seen, seen_next = 0.01 * rows.state.mean(axis=0), 0.01 * rows.next_state.mean(axis=0)  # Keras's momentum is 0.99
    means = [network.normalize[0].moving_mean for network in (agent.actor, agent.target_actor)]
    np.testing.assert_allclose(means[0], seen, atol=1e-7)
    np.testing.assert_allclose(means[1], 0.5 * seen + 0.5 * seen_next, atol=1e-7)
    # The critic sees each minibatch twice: in its own loss and in the actor's.
    seen_twice = seen + 0.99 * seen
    means = [network.normalize[0].moving_mean for network in (agent.critic, agent.target_critic)]
    np.testing.assert_allclose(means[0], seen_twice, atol=1e-7)
    np.testing.assert_allclose(means[1], 0.5 * seen_twice + 0.5 * seen_next, atol=1e-7)
