"""MolGAN's equations with numbers worked out by hand, and the bridge to DDPG's."""

import ast
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ddpg.equations import bellman_target, critic_loss
from ddpg.errors import RequestError
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.equations import (
    adversarial_loss,
    discriminator_loss,
    feature_matching,
    generator_loss,
    gradient_penalty,
)

ROOT = Path(__file__).parent.parent


def imports(path: Path) -> set[str]:
    """What a file imports, as "module.name", also inside its functions, but not for the type checker alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {f"{node.module}.{alias.name}" for node in found for alias in node.names}


def test_with_one_step_episodes_the_bellman_target_is_the_reward():
    """So MolGAN's critic is DDPG's: the same loss, and a target that needs no next state."""
    reward, value = tf.constant([[0.3], [0.7]]), tf.constant([[0.1], [0.9]])
    target = bellman_target(reward, terminated=tf.ones((2, 1)), next_value=tf.constant([[5.0], [-8.0]]), gamma=0.99)
    np.testing.assert_array_equal(target, reward)
    assert float(critic_loss(value, target)) == pytest.approx((0.2**2 + 0.2**2) / 2)


def test_molgan_needs_no_replay_no_noise_and_no_soft_update():
    """The first post: its data are independent, so there is nothing for them to do."""
    own = set().union(*(imports(path) for path in (ROOT / "ddpg" / "molgan").glob("*.py")))
    assert {"ddpg.equations.critic_loss", "ddpg.equations.policy_loss"} <= own
    assert "ddpg.equations.soft_update" not in own
    modules, new = set(), own
    while new:  # and what its imports import
        modules |= new
        paths = [ROOT / f"{name.rpartition('.')[0].replace('.', '/')}.py" for name in new if name.startswith("ddpg.")]
        new = set().union(*(imports(path) for path in paths if path.is_file())) - modules
    for module in ("ddpg.replay_buffer", "ddpg.noise", "ddpg.agent"):
        assert not [name for name in modules if name.startswith(f"{module}.")], module


def test_the_wasserstein_losses_pull_in_opposite_directions():
    real, fake = tf.constant([[2.0], [4.0]]), tf.constant([[1.0], [0.0]])
    assert float(discriminator_loss(real, fake)) == 0.5 - 3.0
    assert float(adversarial_loss(fake)) == -0.5


def test_the_penalty_takes_the_norm_of_a_whole_graph():
    """MolGAN's own code takes one norm per atom or bond slot, which asks every slot for a gradient of size 1."""
    by_atoms, by_bonds = np.zeros((2, 9, 5), np.float32), np.zeros((2, 9, 9, 4), np.float32)
    by_atoms[0, 3, 1], by_bonds[0, 2, 4, 0] = 3.0, 4.0  # norm 5; the other graph's is 0
    assert float(gradient_penalty(tf.constant(by_atoms), tf.constant(by_bonds))) == pytest.approx((16 + 1) / 2, 1e-4)


def test_feature_matching_compares_means():
    real, fake = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([[2.0, 0.0], [2.0, 0.0]])
    assert float(feature_matching(real, fake)) == 9.0


def test_equation_7_gives_both_losses_one_size_and_lets_no_gradient_through_the_ratio():
    imitation, policy = tf.Variable(6.0), tf.Variable(-0.5)
    with tf.GradientTape() as tape:
        loss = generator_loss(imitation, policy, rl_weight=0.25, ratio=True)
    by_imitation, by_policy = tape.gradient(loss, (imitation, policy))
    assert float(loss) == pytest.approx(0.75 * 6 + 0.25 * 12 * -0.5)
    assert float(by_imitation) == pytest.approx(0.75)
    assert float(by_policy) == pytest.approx(0.25 * 12)


def test_the_weight_of_the_objective_is_one_minus_lambda():
    assert float(generator_loss(tf.constant(6.0), tf.constant(-0.5), 0.25)) == pytest.approx(0.75 * 6 - 0.25 * 0.5)
    assert float(generator_loss(tf.constant(6.0), tf.constant(-0.5), 0.0)) == 6.0


def test_the_objective_comes_in_late_and_evenly():
    config = MolGANConfig(rl_weight=0.8, epochs=30, rl_start=10, rl_full=20)
    assert [config.rl_weight_in(epoch) for epoch in (1, 10, 21, 30)] == [0, 0, 0.8, 0.8]
    steps = np.diff([config.rl_weight_in(epoch) for epoch in range(10, 22)])
    np.testing.assert_allclose(steps, 0.8 / 11)
    assert MolGANConfig(rl_weight=0.8, rl_start=0, rl_full=0).rl_weight_in(1) == 0.8


def test_an_objective_that_would_never_come_in_is_refused():
    for epochs, start, full in ((10, 10, 20), (15, 10, 20), (20, 10, 20), (30, 20, 10)):
        with pytest.raises(RequestError, match=f"comes in after {start} epochs and in full after {full}, of {epochs}"):
            MolGANConfig(rl_weight=0.8, epochs=epochs, rl_start=start, rl_full=full)
    MolGANConfig(rl_weight=0.0, epochs=10)  # there is none


def test_the_best_generator_is_not_the_one_that_makes_one_good_molecule():
    """Mode collapse: the objective alone would always choose the latest, which has the highest score and no variety."""
    config = MolGANConfig(rl_weight=0.8, least_unique=0.4)
    varied = {"likeliest_valid": 0.9, "objective": 0.55, "unique": 0.4}
    collapsed = {"likeliest_valid": 1.0, "objective": 0.7, "unique": 0.1}
    assert config.score(varied) > config.score(collapsed)
    assert config.score(varied | {"unique": 0.9}) == config.score(varied)  # more than enough is no reason by itself


def test_without_an_objective_the_best_generator_needs_the_sampler_least():
    """What the sampler has mended is always valid, of an untrained generator too."""
    config = MolGANConfig(rl_weight=0.0)
    untrained = {"valid": 1.0, "likeliest_valid": 0.0, "objective": 0.3, "unique": 0.99}
    trained = {"valid": 1.0, "likeliest_valid": 0.8, "objective": 0.2, "unique": 0.7}
    assert config.score(trained) > config.score(untrained)
