"""One update of MolGAN: which network learns from what, and the same numbers from the same seed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg.equations import critic_loss
from ddpg.molgan import networks
from ddpg.molgan.agent import MolGAN, interpolate
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.equations import adversarial_loss, discriminator_loss, feature_matching
from tests.helpers.molgan import SMALL, numbers, random_graphs, small_agent, soft_real_graphs, trained_agent

NETWORKS = ("generator", "discriminator", "reward_network")
LOW, HIGH = np.full((4, 1), 0.2, np.float32), np.full((4, 1), 0.9, np.float32)


def train_step(agent: MolGAN, real_reward=LOW, fake_reward=HIGH, rl_weight: float = 0.5):
    return agent.train_step(
        *random_graphs(agent.config), real_reward, fake_reward, np.float32(rl_weight), agent.update_seed
    )


@pytest.mark.slow
def test_every_network_learns_and_the_same_seed_gives_the_same_bits():
    fresh, one, other = small_agent(), trained_agent(updates=2), trained_agent(updates=2)
    for name in NETWORKS:
        assert not np.array_equal(numbers(getattr(fresh, name)), numbers(getattr(one, name))), name
        np.testing.assert_array_equal(numbers(getattr(one, name)), numbers(getattr(other, name)))


@pytest.mark.slow
def test_the_seed_decides_the_weights_of_each_network_and_the_random_numbers():
    one, other = small_agent(seed=1), small_agent(seed=2)
    for name in NETWORKS:
        assert not np.array_equal(numbers(getattr(one, name)), numbers(getattr(other, name))), name
    assert not np.array_equal(one.latent(one.update_seed), other.latent(other.update_seed))


@pytest.mark.slow
def test_the_compiled_update_learns_and_gives_the_same_bits_again():
    """Slow to compile. XLA draws other random numbers than TensorFlow without it."""
    one, other = (small_agent(jit_compile=True) for _ in range(2))
    rewards = np.full((4, 1), 0.3, np.float32)
    before = numbers(one.generator)
    for agent in (one, other):
        metrics = [agent.update(*random_graphs(agent.config), rewards, rewards, 0.5) for _ in range(30)]
        assert np.isfinite(metrics).all()
        assert metrics[-1].reward_loss < metrics[0].reward_loss
    assert not np.array_equal(before, numbers(one.generator))
    for name in NETWORKS:
        np.testing.assert_array_equal(*(numbers(getattr(agent, name)) for agent in (one, other)))


@pytest.mark.slow
def test_an_update_is_one_train_step_with_the_metrics_in_their_order():
    """Compiled or not, without XLA: the same numbers up to rounding."""
    compiled, plain = small_agent(), small_agent()
    metrics = compiled.update(*random_graphs(compiled.config), LOW, HIGH, 0.5)
    np.testing.assert_allclose(metrics, train_step(plain), rtol=1e-4, atol=1e-6)
    assert compiled.updates == 1


def test_each_optimizer_has_its_own_settings():
    agent = small_agent(learning_rate=0.01, reward_learning_rate=0.02, adam_beta_1=0.3, adam_beta_2=0.4)
    for optimizer in (agent.generator_optimizer, agent.discriminator_optimizer):
        assert (float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2) == (np.float32(0.01), 0.3, 0.4)
    assert float(agent.reward_optimizer.learning_rate) == np.float32(0.02)
    assert (agent.reward_optimizer.beta_1, agent.reward_optimizer.beta_2) == (0.9, 0.999)  # Adam's defaults


@pytest.mark.slow
@pytest.mark.parametrize("imitation", ["wgan", "features"])
def test_the_metrics_are_what_their_names_say(imitation):
    """Worked out with the equations on an equal agent, in the order in which the networks learn."""
    agent, same = (small_agent(discriminator_steps=1, imitation=imitation) for _ in range(2))
    metrics = train_step(agent)
    seed, real = same.update_seed, soft_real_graphs(same.config)

    first_fake = same.soft_graphs(same.latent(seed + np.array([0, 1])))
    expected = discriminator_loss(same.discriminator(*real), same.discriminator(*first_fake))
    np.testing.assert_allclose(metrics.discriminator_loss, expected, rtol=1e-4)
    np.testing.assert_allclose(
        metrics.gradient_penalty, same.train_discriminator(real, seed + np.array([0, 1]))[1], rtol=1e-4
    )

    fake = same.soft_graphs(same.latent(seed))
    predicted = tf.concat([same.reward_network(*real), same.reward_network(*fake)], axis=0)
    np.testing.assert_allclose(metrics.reward_loss, critic_loss(predicted, tf.concat([LOW, HIGH], 0)), rtol=1e-4)
    same.train_reward_network(real, fake, LOW, HIGH)
    np.testing.assert_allclose(metrics.predicted_reward, tf.reduce_mean(same.reward_network(*fake)), rtol=1e-4)
    if imitation == "features":
        expected = feature_matching(same.discriminator.features(*real), same.discriminator.features(*fake))
    else:
        expected = adversarial_loss(same.discriminator(*fake))
    np.testing.assert_allclose(metrics.imitation_loss, expected, rtol=1e-4)


def test_the_discriminators_metrics_are_means_over_its_steps(monkeypatch):
    agent = small_agent(discriminator_steps=2)
    answers = iter([(1.0, 10.0), (3.0, 40.0)])
    monkeypatch.setattr(agent, "train_discriminator", lambda real, seed: next(answers))
    metrics = train_step(agent)
    assert (float(metrics.discriminator_loss), float(metrics.gradient_penalty)) == (2.0, 25.0)


def test_the_penalty_is_taken_between_real_and_generated_graphs_with_one_share_per_graph():
    real, fake = tf.fill([2, 9, 5], 1.0), tf.fill([2, 9, 5], 3.0)
    between = interpolate(tf.constant([0.25, 1.0]), real, fake)
    np.testing.assert_allclose(between[0], np.full((9, 5), 0.25 * 1.0 + 0.75 * 3.0))
    np.testing.assert_allclose(between[1], real[1])


@pytest.mark.slow
def test_the_penalty_is_part_of_the_discriminators_loss_with_its_weight():
    """With plain gradient steps, the step is linear in the weight of the penalty."""
    steps = []
    for weight in (0.0, 1.0, 10.0):
        agent = small_agent(penalty_weight=weight)
        agent.discriminator_optimizer = keras.optimizers.SGD(1.0)
        before = numbers(agent.discriminator)
        agent.train_discriminator(soft_real_graphs(agent.config), agent.update_seed)
        steps.append(numbers(agent.discriminator) - before)
    without, once, tenfold = steps
    assert np.abs(once - without).max() > 1e-3
    np.testing.assert_allclose(tenfold - without, 10 * (once - without), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_the_discriminator_learns_to_tell_real_graphs_from_generated_ones():
    agent = small_agent(learning_rate=0.01, penalty_weight=0.0)
    real, fake = soft_real_graphs(agent.config), agent.soft_graphs(agent.latent(agent.update_seed))
    for _ in range(5):
        agent.train_discriminator(real, agent.update_seed)
    assert float(tf.reduce_mean(agent.discriminator(*real)) - tf.reduce_mean(agent.discriminator(*fake))) > 0.5


@pytest.mark.slow
def test_lambda_decides_whether_the_generator_follows_the_data_or_the_rewards():
    """With λ = 1 the rewards do not matter to it, and with λ = 0 the discriminator does not."""
    data_only = [
        numbers(trained_agent(rl_weight=0.0, reward=reward, discriminator_steps=1).generator) for reward in (0.1, 0.9)
    ]
    np.testing.assert_array_equal(*data_only)
    objective_only = [
        numbers(trained_agent(rl_weight=1.0, penalty_weight=weight, discriminator_steps=1).generator)
        for weight in (1.0, 10.0)
    ]
    np.testing.assert_array_equal(*objective_only)
    assert not np.array_equal(data_only[0], objective_only[0])


@pytest.mark.slow
def test_the_generator_learns_to_be_predicted_a_higher_reward():
    agent = small_agent(learning_rate=1e-3)
    real, z = soft_real_graphs(agent.config), agent.latent(agent.update_seed)
    predicted = [float(agent.train_generator(real, z, 1.0)[1]) for _ in range(5)]
    assert predicted == sorted(predicted) and predicted[-1] > predicted[0] + 0.001


def test_the_generators_step_changes_no_other_network():
    agent = small_agent()
    before = [numbers(network) for network in (agent.discriminator, agent.reward_network)]
    agent.train_generator(soft_real_graphs(agent.config), agent.latent(agent.update_seed), 0.5)
    np.testing.assert_array_equal(numbers(agent.discriminator), before[0])
    np.testing.assert_array_equal(numbers(agent.reward_network), before[1])


@pytest.mark.slow
def test_the_reward_network_learns_the_rewards_of_real_and_of_generated_graphs():
    agent = small_agent(reward_learning_rate=5e-3)
    real, fake = soft_real_graphs(agent.config), agent.soft_graphs(agent.latent(agent.update_seed))
    losses = [float(agent.train_reward_network(real, fake, HIGH, LOW)) for _ in range(30)]
    assert losses[-1] < 0.1 * losses[0]
    assert float(tf.reduce_mean(agent.reward_network(*real) - agent.reward_network(*fake))) > 0.4


def test_the_scored_graph_is_the_one_that_the_reward_network_sees():
    """The authors' code shows it the soft graph, too, but scores a graph that is drawn at random from it."""
    agent = small_agent()
    atoms, bonds = agent.generate()
    soft_atoms, soft_bonds = agent.soft_graphs(agent.latent(agent.update_seed))
    np.testing.assert_array_equal(atoms, np.argmax(soft_atoms, axis=-1))
    np.testing.assert_array_equal(bonds, np.argmax(soft_bonds, axis=-1))


@pytest.mark.slow
def test_the_reward_network_learns_from_the_graphs_that_the_rewards_belong_to(monkeypatch):
    """The last minibatch of real graphs with its rewards, and the generated graphs that were scored with theirs."""
    agent, seen = small_agent(), []
    scored = agent.generate()
    monkeypatch.setattr(agent, "train_reward_network", lambda *arguments: seen.append(arguments) or tf.constant(0.0))
    train_step(agent, real_reward=LOW, fake_reward=HIGH)
    ((real, fake, real_reward, fake_reward),) = seen
    atoms, bonds = random_graphs(agent.config)
    for soft_graphs, graphs in ((real, (atoms[-1], bonds[-1])), (fake, scored)):
        for soft, hard in zip(soft_graphs, graphs, strict=True):
            np.testing.assert_array_equal(np.argmax(soft, axis=-1), hard)
    assert real_reward is LOW and fake_reward is HIGH


@pytest.mark.slow
def test_the_temperature_makes_graphs_soft():
    cold, warm = (small_agent(temperature=temperature) for temperature in (0.01, 100.0))
    (sharp, _), (flat, _) = (agent.soft_graphs(agent.latent(agent.update_seed)) for agent in (cold, warm))
    assert np.median(np.max(sharp, axis=-1)) > 0.9
    np.testing.assert_allclose(flat, 0.2, atol=0.01)


def test_the_evaluated_generator_starts_as_a_copy_and_follows_the_generator_by_the_soft_update():
    agent = small_agent(evaluation_tau=0.25, discriminator_steps=1)
    average = numbers(agent.generator)
    np.testing.assert_array_equal(numbers(agent.evaluated_generator), average)
    for _ in range(3):
        train_step(agent)
        agent.updates += 1
        average = 0.25 * numbers(agent.generator) + 0.75 * average
        np.testing.assert_allclose(numbers(agent.evaluated_generator), average, rtol=1e-5, atol=1e-7)


def test_no_two_networks_and_no_two_seeds_start_with_layers_of_one_seed(monkeypatch):
    """Seeds that count on from one another would give layer k of run 0 the weights of layer k - 1 of run 1."""
    drawn: list[int] = []
    dense = networks.dense
    monkeypatch.setattr(
        networks, "dense", lambda units, seed, *rest: (drawn.append(seed), dense(units, seed, *rest))[1]
    )
    for seed in range(3):
        MolGAN(MolGANConfig(**SMALL, seed=seed))
    copies = len(drawn) - len(set(drawn))
    layers = len(drawn) // 3
    assert layers > 15
    assert copies == 3 * 5  # those of the evaluated generator, which starts as a copy


@pytest.mark.slow
def test_random_numbers_of_two_runs_differ_also_between_their_parts():
    keys = {int(small_agent(seed=seed).update_seed[0]) + offset for seed in range(10) for offset in (0, 1)}
    assert len(keys) == 20


@pytest.mark.slow
def test_no_two_minibatches_share_their_random_numbers():
    agent = MolGAN(MolGANConfig(**SMALL))
    seeds = []
    for agent.updates in (0, 1):
        for step in range(agent.config.discriminator_steps + 1):
            seeds.append(tuple(agent.update_seed + np.array([0, step])))
    assert len(set(seeds)) == len(seeds)
