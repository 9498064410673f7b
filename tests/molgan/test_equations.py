"""MolGAN's equations with numbers worked out by hand, and what it shares with DDPG."""

import ast
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ddpg.equations import bellman_target, critic_loss
from ddpg.molgan.equations import (
    adversarial_loss,
    discriminator_loss,
    feature_matching,
    generator_loss,
    gradient_penalty,
)
from tests.helpers.molgan import small_agent
from tests.helpers.pages import ROOT


def imports(path: Path) -> set[str]:
    """Return what a file imports, also inside its functions, as "module.name" or "module"."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_with_episodes_of_one_step_the_bellman_target_is_the_reward():
    """So MolGAN's critic is DDPG's: the same loss, with a target that needs no next state."""
    reward, value = tf.constant([[0.3], [0.7]]), tf.constant([[0.1], [0.9]])
    target = bellman_target(reward, tf.ones((2, 1)), tf.constant([[5.0], [-8.0]]), 0.99)
    np.testing.assert_array_equal(target, reward)
    assert float(critic_loss(value, target)) == pytest.approx((0.2**2 + 0.2**2) / 2)


def test_molgan_uses_ddpgs_two_losses_and_neither_replay_nor_noise_nor_target_networks():
    """The first post: its data are independent, so it needs none of the three. The average of the generator is a copy
    that nothing learns from."""
    used = set().union(*(imports(path) for path in (ROOT / "ddpg" / "molgan").rglob("*.py")))
    assert {name for name in used if name.startswith("ddpg.equations") and name.islower()} == {
        "ddpg.equations.actor_loss",
        "ddpg.equations.critic_loss",
        "ddpg.equations.soft_update",
    }
    assert not [name for name in vars(small_agent()) if "target" in name]
    for module in ("agent", "environment", "noise", "replay_buffer"):
        assert (ROOT / "ddpg" / f"{module}.py").is_file(), f"ddpg.{module} has another name now"
        assert not [name for name in used if f"{name}.".startswith(f"ddpg.{module}.")], module


def test_generator_and_discriminator_pull_in_opposite_directions():
    real, fake = tf.constant([[2.0], [4.0]]), tf.constant([[1.0], [0.0]])
    assert float(discriminator_loss(real, fake)) == 0.5 - 3.0
    assert float(adversarial_loss(fake)) == -0.5


def test_the_penalty_takes_the_norm_of_a_whole_graph():
    """The authors' code takes one norm per atom and per pair of atoms: each is to have a gradient of size 1."""
    atoms, bonds = np.zeros((2, 9, 5), np.float32), np.zeros((2, 9, 9, 4), np.float32)
    atoms[0, 3, 1], bonds[0, 2, 4, 0] = 3.0, 4.0  # norm 5; the other graph's is 0
    assert float(gradient_penalty(tf.constant(atoms), tf.constant(bonds))) == pytest.approx((16 + 1) / 2, 1e-4)


def test_the_penalty_has_a_gradient_where_the_norm_is_zero():
    """The derivative of a square root at 0 is infinite; times 0 it would be NaN."""
    atoms, bonds = tf.Variable(tf.zeros((1, 9, 5))), tf.zeros((1, 9, 9, 4))
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(atoms, bonds)
    assert np.isfinite(tape.gradient(penalty, atoms)).all()


def test_feature_matching_compares_means_and_sums_over_the_features():
    real, fake = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([[2.0, 0.0], [4.0, 0.0]])
    assert float(feature_matching(real, fake)) == 1.0 + 9.0


def test_the_ratio_gives_both_losses_one_size_and_lets_no_gradient_through():
    """The first post's equation 7."""
    imitation, actor = tf.Variable(6.0), tf.Variable(-0.5)
    with tf.GradientTape() as tape:
        loss = generator_loss(imitation, actor, rl_weight=0.25, ratio=True)
    imitation_gradient, actor_gradient = tape.gradient(loss, (imitation, actor))
    assert float(loss) == pytest.approx(0.75 * 6 + 0.25 * 12 * -0.5)
    assert float(imitation_gradient) == pytest.approx(0.75)
    assert float(actor_gradient) == pytest.approx(0.25 * 12)


def test_the_weight_of_the_objective_is_one_minus_lambda():
    assert float(generator_loss(tf.constant(6.0), tf.constant(-0.5), 0.25)) == pytest.approx(0.75 * 6 - 0.25 * 0.5)
    assert float(generator_loss(tf.constant(6.0), tf.constant(-0.5), 0.0)) == 6.0
