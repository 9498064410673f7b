"""The networks have the layers, the activations and the initial weights of the second post, or of the paper."""

import keras
import numpy as np
import pytest

from ddpg import ActorNetwork, CriticNetwork

PAPER = {"batch_normalization": True, "kernel_initializer": "fan_in"}


def built(actor: ActorNetwork, critic: CriticNetwork) -> tuple[ActorNetwork, CriticNetwork]:
    actor(np.zeros((1, 3), np.float32))
    critic(np.zeros((1, 3), np.float32), np.zeros((1, 2), np.float32))
    return actor, critic


@pytest.fixture
def networks():
    return built(ActorNetwork(2, seed=1), CriticNetwork(seed=2))


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def test_the_hidden_layers_have_400_and_300_units(networks):
    actor, critic = networks
    assert [tuple(w.shape) for w in actor.weights] == [(3, 400), (400,), (400, 300), (300,), (300, 2), (2,)]
    assert [tuple(w.shape) for w in critic.weights] == [(5, 400), (400,), (400, 300), (300,), (300, 1), (1,)]


def test_the_actor_is_relu_relu_tanh(networks):
    actor, _ = networks
    state = draw(7, 3)
    actor.action.kernel.assign(100 * actor.action.kernel)  # beyond tanh's linear range
    w1, b1, w2, b2, w3, b3 = (w.numpy() for w in actor.weights)
    expected = np.tanh(np.maximum(np.maximum(state @ w1 + b1, 0) @ w2 + b2, 0) @ w3 + b3)
    np.testing.assert_allclose(actor(state), expected, atol=1e-6)


def test_the_critic_is_relu_relu_linear_and_sees_the_action_beside_the_state(networks):
    _, critic = networks
    state, action = draw(7, 3), draw(7, 2)
    w1, b1, w2, b2, w3, b3 = (w.numpy() for w in critic.weights)
    hidden = np.maximum(np.concatenate([state, action], 1) @ w1 + b1, 0)
    np.testing.assert_allclose(critic(state, action), np.maximum(hidden @ w2 + b2, 0) @ w3 + b3, atol=1e-5)


def test_the_papers_critic_sees_the_action_at_its_second_hidden_layer():
    _, critic = built(ActorNetwork(2), CriticNetwork(seed=2, action_layer=2))
    state, action = draw(7, 3), draw(7, 2)
    w1, b1, w2, b2, w3, b3 = (w.numpy() for w in critic.weights)
    hidden = np.concatenate([np.maximum(state @ w1 + b1, 0), action], 1)
    np.testing.assert_allclose(critic(state, action), np.maximum(hidden @ w2 + b2, 0) @ w3 + b3, atol=1e-5)


def test_the_actors_last_layer_starts_within_0_003_and_fills_that_range(networks):
    last = networks[0].action
    assert 2.5e-3 < np.abs(last.kernel.numpy()).max() <= 3e-3
    assert not last.bias.numpy().any()


def test_all_other_layers_of_the_second_post_start_with_keras_defaults(networks):
    """Glorot's limit √(6 / (inputs + outputs)) and biases of zero; the critic's last layer is no exception there."""
    actor, critic = networks
    for layer in (actor.hidden_1, actor.hidden_2, critic.hidden_1, critic.hidden_2, critic.value):
        limit = np.sqrt(6 / sum(layer.kernel.shape))
        assert 0.9 * limit < np.abs(layer.kernel.numpy()).max() <= limit
        assert not layer.bias.numpy().any()


@pytest.mark.parametrize("settings", [{}, PAPER])
def test_the_seed_decides_the_weights_of_every_layer(settings):
    def first_weights(seed: int) -> list[np.ndarray]:
        actor, critic = built(ActorNetwork(2, (8, 8), seed, **settings), CriticNetwork((8, 8), seed, **settings))
        layers = (actor.hidden_1, actor.hidden_2, actor.action, critic.hidden_1, critic.hidden_2, critic.value)
        return [layer.kernel.numpy() for layer in layers]

    for one, again, other in zip(first_weights(5), first_weights(5), first_weights(6), strict=True):
        np.testing.assert_array_equal(one, again)
        assert not np.array_equal(one, other)


def test_no_two_layers_of_a_network_start_with_the_same_weights():
    for kind in ("keras", "fan_in"):
        actor = ActorNetwork(8, (8, 8), kernel_initializer=kind)
        actor(np.zeros((1, 8), np.float32))
        kernels = [layer.kernel.numpy() for layer in (actor.hidden_1, actor.hidden_2, actor.action)]
        scaled = [kernel / np.abs(kernel).max() for kernel in kernels]
        for k in range(3):
            assert not np.allclose(scaled[k], scaled[k - 1])


def test_the_papers_initial_weights_fill_1_over_the_root_of_the_fan_in():
    """Its section 7: weights and biases; the last layers within 0.003."""
    actor, critic = built(ActorNetwork(2, seed=1, **PAPER), CriticNetwork(seed=2, **PAPER, action_layer=2))
    fan_in = {actor.hidden_1: 3, actor.hidden_2: 400, critic.hidden_1: 3, critic.hidden_2: 402}
    for layer, inputs in fan_in.items():
        for values in (layer.kernel.numpy(), layer.bias.numpy()):
            assert 0.9 * inputs**-0.5 < np.abs(values).max() <= inputs**-0.5
            assert abs(values.mean()) < 0.2 * inputs**-0.5
    for layer in (actor.action, critic.value):
        assert 0 < np.abs(layer.bias.numpy()).max() <= 3e-3
        assert 2.5e-3 < np.abs(layer.kernel.numpy()).max() <= 3e-3


@pytest.mark.parametrize(("action_layer", "normalized"), [(1, [True, False, False]), (2, [True, True, False])])
def test_the_critic_normalizes_all_layers_before_the_action_enters_and_none_after(action_layer, normalized):
    actor, critic = built(ActorNetwork(2, (8, 8), **PAPER), CriticNetwork((8, 8), **PAPER, action_layer=action_layer))
    assert [isinstance(layer, keras.layers.BatchNormalization) for layer in critic.normalize] == normalized
    assert all(isinstance(layer, keras.layers.BatchNormalization) for layer in actor.normalize)
    # Far actions must change the value: nothing normalizes them away.
    value = critic(np.ones((2, 3)), np.float32([[100, 0], [-100, 0]]), training=True)
    assert abs(float(value[0, 0] - value[1, 0])) > 1e-3


def test_batch_normalization_uses_the_minibatch_in_training_and_running_averages_otherwise():
    actor, critic = built(ActorNetwork(2, (8, 8), **PAPER), CriticNetwork((8, 8), **PAPER, action_layer=2))
    states = np.random.default_rng(0).normal(5000, 1000, (64, 3)).astype(np.float32)
    normalized = actor.normalize[0](states, training=True).numpy()
    np.testing.assert_allclose(normalized.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(normalized.std(axis=0), 1, atol=1e-3)
    for network in (actor, lambda states, **training: critic(states, np.zeros((len(states), 2)), **training)):
        alone = network(states[:1])
        np.testing.assert_allclose(alone, network(states)[:1], rtol=1e-4)  # no other state of the batch takes part
        assert not np.allclose(alone, network(states, training=True)[:1], rtol=1e-3)


def test_every_normalization_of_both_networks_learns_running_averages_in_training_only():
    actor, critic = built(ActorNetwork(2, (8, 8), **PAPER), CriticNetwork((8, 8), **PAPER, action_layer=2))
    layers = (*actor.normalize, *critic.normalize[:2])
    before = [layer.moving_mean.numpy() for layer in layers]
    for training in (False, True):
        actor(draw(9, 3), training=training)
        critic(draw(9, 3), draw(9, 2), training=training)
        for layer, mean in zip(layers, before, strict=True):
            assert np.array_equal(layer.moving_mean, mean) is not training


def test_the_actor_normalizes_before_each_relu():
    """Written out with the minibatch's moments: normalize, dense, normalize, ReLU, dense, normalize, ReLU, tanh."""
    actor, _ = built(ActorNetwork(2, (8, 8), seed=1, **PAPER), CriticNetwork((8, 8)))

    def normal(x: np.ndarray) -> np.ndarray:
        return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)  # Keras's ε

    state = draw(9, 3)
    x = normal(state)
    for layer in (actor.hidden_1, actor.hidden_2):
        x = np.maximum(normal(x @ layer.kernel.numpy() + layer.bias.numpy()), 0)
    expected = np.tanh(x @ actor.action.kernel.numpy() + actor.action.bias.numpy())
    np.testing.assert_allclose(actor(state, training=True), expected, atol=1e-5)


@pytest.mark.parametrize("kernel_initializer", ["keras", "fan_in"])
def test_weight_decay_is_on_the_critics_kernels_only(kernel_initializer):
    actor, critic = built(
        ActorNetwork(2, **PAPER), CriticNetwork(weight_decay=0.01, kernel_initializer=kernel_initializer)
    )
    kernels = [layer.kernel.numpy() for layer in (critic.hidden_1, critic.hidden_2, critic.value)]
    expected = 0.01 * sum((kernel**2).sum() for kernel in kernels)
    assert float(sum(critic.losses)) == pytest.approx(expected, rel=1e-5)
    critic.hidden_1.bias.assign(np.full(400, 100.0))
    assert float(sum(critic.losses)) == pytest.approx(expected, rel=1e-5)
    assert actor.losses == []


def test_without_weight_decay_there_is_no_penalty(networks):
    assert networks[1].losses == []


def test_layer_normalization_is_over_the_units_of_each_state_before_each_relu():
    actor, critic = built(ActorNetwork(2, layer_normalization=True), CriticNetwork(layer_normalization=True))
    rng = np.random.default_rng(0)
    for network in (actor, critic):
        network.set_weights([rng.normal(size=weight.shape) for weight in network.get_weights()])
    state, action = draw(7, 3), draw(7, 2)

    def normalized(x, scale, shift):
        mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
        return np.maximum((x - mean) / np.sqrt(variance + 1e-3) * scale + shift, 0)

    def expected(x, network):
        layers = (network.hidden_1, network.normalize[1], network.hidden_2, network.normalize[2])
        (w1, b1), (s1, c1), (w2, b2), (s2, c2) = (layer.get_weights() for layer in layers)
        return normalized(normalized(x @ w1 + b1, s1, c1) @ w2 + b2, s2, c2)

    w, b = critic.value.get_weights()
    value = expected(np.concatenate([state, action], 1), critic) @ w + b
    np.testing.assert_allclose(critic(state, action), value, rtol=1e-4, atol=1e-3)
    w, b = actor.action.get_weights()
    np.testing.assert_allclose(actor(state), np.tanh(expected(state, actor) @ w + b), atol=1e-3)
    alone = critic(state[:1], action[:1])  # no state is seen through the others of its minibatch
    np.testing.assert_allclose(alone, critic(state, action)[:1], rtol=1e-5)
