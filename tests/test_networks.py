"""The networks have the layers, the activations and the first weights of the second post."""

import numpy as np
import pytest

from ddpg import ActorNetwork, CriticNetwork


@pytest.fixture
def networks():
    actor, critic = ActorNetwork(2, seed=1), CriticNetwork(seed=2)
    actor(np.zeros((1, 3), np.float32))
    critic(np.zeros((1, 3), np.float32), np.zeros((1, 2), np.float32))
    return actor, critic


def test_layers_of_400_and_300(networks):
    actor, critic = networks
    assert [tuple(w.shape) for w in actor.weights] == [(3, 400), (400,), (400, 300), (300,), (300, 2), (2,)]
    assert [tuple(w.shape) for w in critic.weights] == [(5, 400), (400,), (400, 300), (300,), (300, 1), (1,)]


def test_the_actor_is_relu_relu_tanh_written_out(networks):
    actor, _ = networks
    state = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    w1, b1, w2, b2, w3, b3 = (w.numpy() for w in actor.weights)
    expected = np.tanh(np.maximum(np.maximum(state @ w1 + b1, 0) @ w2 + b2, 0) @ w3 + b3)
    np.testing.assert_allclose(actor(state), expected, atol=1e-6)


def test_the_critic_is_linear_at_its_end_and_sees_the_action(networks):
    _, critic = networks
    random = np.random.default_rng(0)
    state, action = random.normal(size=(7, 3)).astype(np.float32), random.normal(size=(7, 2)).astype(np.float32)
    w1, b1, w2, b2, w3, b3 = (w.numpy() for w in critic.weights)
    hidden = np.maximum(np.concatenate([state, action], 1) @ w1 + b1, 0)
    np.testing.assert_allclose(critic(state, action), np.maximum(hidden @ w2 + b2, 0) @ w3 + b3, atol=1e-5)


def test_the_actors_last_layer_starts_within_0_003_and_fills_that_range(networks):
    last = networks[0].action.kernel.numpy()
    assert np.abs(last).max() <= 3e-3
    assert np.abs(last).max() > 2.5e-3


def test_the_seed_makes_the_weights():
    def first_weights(seed: int) -> np.ndarray:
        actor = ActorNetwork(2, seed=seed)
        actor(np.zeros((1, 3), np.float32))
        return np.concatenate([w.numpy().ravel() for w in actor.weights])

    np.testing.assert_array_equal(first_weights(5), first_weights(5))
    assert not np.array_equal(first_weights(5), first_weights(6))


def built(actor: ActorNetwork, critic: CriticNetwork) -> tuple[ActorNetwork, CriticNetwork]:
    actor(np.zeros((1, 3), np.float32))
    critic(np.zeros((1, 3), np.float32), np.zeros((1, 2), np.float32))
    return actor, critic


PAPER = {"batch_normalization": True, "initialization": "fan_in"}


def test_the_papers_initialisation_fills_1_over_the_root_of_the_fan_in():
    """Its appendix 7: weights and biases; the last layers within 0.003."""
    actor, critic = built(ActorNetwork(2, seed=1, **PAPER), CriticNetwork(seed=2, **PAPER, action_layer=2))
    fan_in = {actor.hidden_1: 3, actor.hidden_2: 400, critic.hidden_1: 3, critic.hidden_2: 402}
    for layer, inputs in fan_in.items():
        for values in (layer.kernel.numpy(), layer.bias.numpy()):
            assert np.abs(values).max() <= inputs**-0.5
            assert np.abs(values).max() > 0.9 * inputs**-0.5
    for layer in (actor.action, critic.value):
        assert 0 < np.abs(layer.bias.numpy()).max() <= 3e-3
        assert 2.5e-3 < np.abs(layer.kernel.numpy()).max() <= 3e-3


def test_the_papers_action_enters_at_the_second_hidden_layer_after_the_last_normalisation():
    _, critic = built(ActorNetwork(2), CriticNetwork(**PAPER, action_layer=2))
    assert [critic.hidden_1.kernel.shape[0], critic.hidden_2.kernel.shape[0]] == [3, 402]
    assert critic.hidden_2(np.zeros((1, 402), np.float32)).shape == (1, 300)
    # Far actions must change the value linearly at the input of the second layer: nothing normalises them away.
    state = np.ones((2, 3), np.float32)
    value = critic(state, np.float32([[100, 0], [-100, 0]]), training=True)
    assert abs(float(value[0, 0] - value[1, 0])) > 1e-3


def test_batch_normalisation_uses_the_minibatch_while_learning_and_running_averages_otherwise():
    actor, _ = built(ActorNetwork(2, (8, 8), **PAPER), CriticNetwork(**PAPER))
    states = np.random.default_rng(0).normal(5000, 1000, (64, 3)).astype(np.float32)
    normalised = actor.normalize[0](states, training=True).numpy()
    np.testing.assert_allclose(normalised.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(normalised.std(axis=0), 1, atol=1e-3)
    alone = actor(states[:1])
    np.testing.assert_allclose(alone, actor(states)[:1], atol=1e-5)  # no other state of the batch takes part
    assert not np.allclose(alone, actor(states, training=True)[:1], atol=1e-5)


def test_weight_decay_is_on_the_critics_kernels_alone():
    actor, critic = built(ActorNetwork(2), CriticNetwork(weight_decay=0.01))
    kernels = [layer.kernel.numpy() for layer in (critic.hidden_1, critic.hidden_2, critic.value)]
    assert float(sum(critic.losses)) == pytest.approx(0.01 * sum((kernel**2).sum() for kernel in kernels), rel=1e-5)
    critic.hidden_1.bias.assign(np.full(400, 100.0))
    assert float(sum(critic.losses)) == pytest.approx(0.01 * sum((kernel**2).sum() for kernel in kernels), rel=1e-5)
    assert actor.losses == []
