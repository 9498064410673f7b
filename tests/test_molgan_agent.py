"""A round of MolGAN's learning: who learns from whom, and the same numbers from the same seed."""

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from rdkit import Chem

from ddpg.molgan.agent import MolGAN, one_hot
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.dataset import as_dataset
from ddpg.molgan.molecules import Graphs, to_molecules
from ddpg.molgan.rewards import Reward
from ddpg.molgan.training import RealRewards, train

SMALL = {"batch_size": 4, "critic_steps": 2, "latent_size": 3, "jit_compile": False}


def graphs(config: MolGANConfig) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    shape = (config.critic_steps, config.batch_size, 9)
    bonds = np.triu(random.integers(4, size=(*shape, 9)), 1)
    return random.integers(5, size=shape).astype(np.uint8), (bonds + bonds.swapaxes(2, 3)).astype(np.uint8)


def learned(rl_weight: float = 0.5, reward: float = 0.3, rounds: int = 1, **settings) -> MolGAN:
    """An agent after some rounds, which are not compiled here: tracing takes longer than learning."""
    agent = MolGAN(MolGANConfig(**SMALL | settings))
    rewards = np.full((agent.config.batch_size, 1), reward, np.float32)
    for agent.rounds in range(1, rounds + 1):
        agent.learn(*graphs(agent.config), rewards, rewards, np.float32(rl_weight), agent._seed())
    return agent


def weights(network) -> np.ndarray:
    return np.concatenate([variable.numpy().ravel() for variable in network.variables])


def test_every_network_learns_and_the_same_seed_gives_the_same_bits():
    fresh, one, other = MolGAN(MolGANConfig(**SMALL)), learned(rounds=3), learned(rounds=3)
    for name in ("generator", "discriminator", "reward_network"):
        assert not np.array_equal(weights(getattr(fresh, name)), weights(getattr(one, name))), name
        np.testing.assert_array_equal(weights(getattr(one, name)), weights(getattr(other, name)))


@pytest.mark.slow
def test_the_compiled_update_learns_and_gives_the_same_bits_again():
    """Compiling takes half a minute.  XLA draws other random numbers than TensorFlow does without it."""
    one, other = (MolGAN(MolGANConfig(**SMALL | {"jit_compile": True})) for _ in range(2))
    rewards = np.full((4, 1), 0.3, np.float32)
    before = weights(one.generator)
    for agent in (one, other):
        metrics = [agent.update(*graphs(agent.config), rewards, rewards, 0.5) for _ in range(30)]
        assert np.isfinite(metrics).all()
        assert metrics[-1].reward_loss < metrics[0].reward_loss
    assert not np.array_equal(before, weights(one.generator))
    for name in ("generator", "discriminator", "reward_network"):
        np.testing.assert_array_equal(*(weights(getattr(agent, name)) for agent in (one, other)))


def test_lambda_decides_whom_the_generator_follows():
    """At λ = 1 the rewards do not matter to it, and at λ = 0 the data do not."""
    data_only = [weights(learned(rl_weight=0.0, reward=reward).generator) for reward in (0.1, 0.9)]
    np.testing.assert_array_equal(*data_only)
    objective_only = [weights(learned(rl_weight=1.0, penalty_weight=penalty).generator) for penalty in (1.0, 10.0)]
    np.testing.assert_array_equal(*objective_only)
    assert not np.array_equal(data_only[0], objective_only[0])


def test_the_reward_network_learns_the_rewards_of_real_and_of_generated_graphs():
    agent = MolGAN(MolGANConfig(**SMALL))
    real, fake = (one_hot(atoms, bonds) for atoms, bonds in zip(*graphs(agent.config), strict=True))
    high, low = np.full((4, 1), 0.9, np.float32), np.full((4, 1), 0.2, np.float32)
    learn = tf.function(agent.learn_rewards)
    losses = [float(learn(real, fake, high, low)) for _ in range(150)]
    assert losses[-1] < 0.1 * losses[0]
    assert float(tf.reduce_mean(agent.reward_network(*real) - agent.reward_network(*fake))) > 0.4


def test_what_is_scored_is_what_the_reward_network_sees():
    """The original code shows it the soft graph, too, but scores one that is drawn at random from it."""
    agent = MolGAN(MolGANConfig(**SMALL))
    atoms, bonds = agent.generate()
    seed = agent._seed()
    soft_atoms, soft_bonds = agent.sample(agent.latent(seed))
    np.testing.assert_array_equal(atoms, np.argmax(soft_atoms, axis=-1))
    np.testing.assert_array_equal(bonds, np.argmax(soft_bonds, axis=-1))


def test_each_learner_sees_what_its_rewards_belong_to(monkeypatch):
    """The last minibatch of real graphs with their rewards, and the very graphs that were scored with theirs."""
    agent, seen = MolGAN(MolGANConfig(**SMALL)), []
    scored = agent.generate()
    monkeypatch.setattr(agent, "learn_rewards", lambda *arguments: seen.append(arguments) or tf.constant(0.0))
    atoms, bonds = graphs(agent.config)
    low, high = np.full((4, 1), 0.2, np.float32), np.full((4, 1), 0.9, np.float32)
    agent.learn(atoms, bonds, low, high, np.float32(0.5), agent._seed())
    ((real, fake, real_reward, fake_reward),) = seen
    for soft, numbers in ((real, (atoms[-1], bonds[-1])), (fake, scored)):
        for one, other in zip(soft, numbers, strict=True):
            np.testing.assert_array_equal(np.argmax(one, axis=-1), other)
    assert real_reward is low and fake_reward is high


def test_training_hands_over_the_rewards_of_the_graphs_that_it_hands_over(monkeypatch):
    dataset = read_dataset()
    agent, reward, rounds = MolGAN(MolGANConfig(**SMALL, epochs=2, rl_start=0, rl_full=1)), Reward(["solubility"]), []

    def update(atoms, bonds, real_reward, fake_reward, rl_weight):
        np.testing.assert_array_equal(real_reward, reward(to_molecules(Graphs(atoms[-1], bonds[-1]))))
        np.testing.assert_array_equal(fake_reward, reward(to_molecules(agent.generate())))
        rounds.append(rl_weight)
        return (0.0,) * 5

    monkeypatch.setattr(agent, "update", update)
    assert [epoch.epoch for epoch in train(agent, dataset)] == [1, 2]
    assert rounds == [0.45] * 2 + [0.9] * 2


def test_the_score_of_the_data_does_not_depend_on_what_is_scored_beside_it():
    """As it would if each molecule had to share its uniqueness with others of the same minibatch, and a resumed run
    would not be the same run."""
    dataset = read_dataset("CC CC CCO")
    alone = [float(RealRewards(["solubility", "uniqueness"], dataset)[np.array([k])][0, 0]) for k in range(3)]
    together = RealRewards(["solubility", "uniqueness"], dataset)[np.arange(3)]
    np.testing.assert_array_equal(together[:, 0], np.float32(alone))


def read_dataset(smiles: str = "C CC CCC CCO CCN C=C C#N CC=O CC(C)C C1CC1 CCF OCCO NCCO CC(=O)O COC CNC"):
    return as_dataset(Chem.MolFromSmiles(each) for each in smiles.split())


def test_the_averaged_generator_is_lent_and_given_back():
    agent = learned(rounds=3, generator_average=0.5)
    own = weights(agent.generator)
    with agent.averaged():
        assert not np.array_equal(weights(agent.generator), own)
    np.testing.assert_array_equal(weights(agent.generator), own)


def test_no_two_minibatches_share_their_random_numbers():
    agent = MolGAN(MolGANConfig(**SMALL))
    seeds = [tuple(agent._seed() + np.array([0, step])) for step in range(agent.config.critic_steps + 1)]
    agent.rounds += 1
    seeds += [tuple(agent._seed() + np.array([0, step])) for step in range(agent.config.critic_steps + 1)]
    assert len(set(seeds)) == len(seeds)
