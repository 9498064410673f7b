"""The averaged actor: it follows the actor at its own rate, acts without exploration, and changes no training."""

from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG, load_policy
from ddpg.export import export_policy
from ddpg.policy.formats import FORMATS
from tests.helpers.agents import NETWORKS, fill, numbers
from tests.helpers.runs import finished_run, read_back

STATE = np.ones(3, np.float32)


@pytest.fixture(scope="module")
def averaging(small):
    """Settings with an averaged actor, and an actor fast enough to leave it behind."""
    return replace(small, evaluation_tau=0.25, actor_learning_rate=0.01, noise_sigma=0.0)


@pytest.fixture(scope="module")
def averaging_run(averaging, tmp_path_factory):
    """A finished run with an averaged actor."""
    config = replace(averaging, steps=250, evaluation_episodes=1)
    return finished_run(config, tmp_path_factory.mktemp("averaging") / "run")


@pytest.mark.parametrize("normalized", [False, True])
def test_it_starts_as_a_copy_and_follows_the_updated_actor(averaging, normalized):
    """The running averages of batch normalization are averaged too."""
    agent = fill(DDPG(3, 2, replace(averaging, batch_normalization=normalized)), averaging.batch_size)
    before = numbers(agent.evaluated_actor)
    np.testing.assert_array_equal(before, numbers(agent.actor))
    for _ in range(2):  # after one update it could still be following the actor of before the update
        agent.update()
        expected = 0.25 * numbers(agent.actor) + 0.75 * before
        np.testing.assert_allclose(numbers(agent.evaluated_actor), expected, atol=1e-6)
        before = expected


@pytest.mark.parametrize("train_frequency", [1, 4])
def test_it_acts_without_exploration_and_the_actor_explores(averaging, train_frequency):
    agent = fill(DDPG(3, 2, replace(averaging, train_frequency=train_frequency)))
    agent.evaluated_actor.action.bias.assign([5.0, -5.0])
    average, own = (network(STATE[None])[0].numpy() for network in (agent.evaluated_actor, agent.actor))
    assert np.abs(average - own).max() > 0.5
    np.testing.assert_allclose(agent.act(STATE, explore=False), average, atol=1e-6)
    np.testing.assert_allclose(agent.act(STATE), own, atol=1e-6)


@pytest.mark.parametrize("train_frequency", [1, 4])
def test_the_action_after_an_update_is_the_actors_too(averaging, train_frequency):
    """Whether it was computed with the update or after it."""
    agent = fill(DDPG(3, 2, replace(averaging, train_frequency=train_frequency)))
    agent.evaluated_actor.action.bias.assign([5.0, -5.0])
    agent.update()
    state = agent.replay_buffer.newest(1).next_state[0]
    np.testing.assert_allclose(agent.act(state), agent.actor(state[None])[0], atol=1e-6)
    np.testing.assert_allclose(agent.act(state, explore=False), agent.evaluated_actor(state[None])[0], atol=1e-6)


def test_it_follows_each_of_several_updates_in_a_round(averaging):
    together, apart = (fill(DDPG(3, 2, replace(averaging, gradient_steps=steps))) for steps in (3, 1))
    together.update()
    for _ in range(3):
        apart.update()
    np.testing.assert_allclose(numbers(together.evaluated_actor), numbers(apart.evaluated_actor), atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_it_changes_no_bit_of_what_is_learned(averaging, jit_compile):
    """So one setting can be compared with and without it, and its τ needs no other settings."""
    config = replace(averaging, jit_compile=jit_compile)
    with_average, without = (fill(DDPG(3, 2, each)) for each in (config, replace(config, evaluation_tau=1.0)))
    for _ in range(3):
        assert with_average.update() == without.update()
    for name in NETWORKS:
        np.testing.assert_array_equal(numbers(getattr(with_average, name)), numbers(getattr(without, name)))
    assert without.evaluated_actor is without.actor


def test_a_checkpoint_holds_it(averaging_run):
    agent, _ = read_back(averaging_run.folder.path)
    np.testing.assert_array_equal(numbers(agent.evaluated_actor), numbers(averaging_run.agent.evaluated_actor))
    assert not np.array_equal(numbers(agent.evaluated_actor), numbers(agent.actor))


def test_a_loaded_policy_is_the_average(averaging_run):
    agent, _ = read_back(averaging_run.folder.path)
    state = STATE / 2
    action = load_policy(averaging_run.folder.path)(state)
    np.testing.assert_allclose(action, 2 * agent.evaluated_actor(state[None])[0], atol=1e-5)  # Pendulum's bound is 2
    assert np.abs(action - 2 * agent.actor(state[None])[0]).max() > 1e-3


@pytest.mark.parametrize("ending", [".onnx", ".keras"])
def test_an_exported_policy_is_the_average(averaging_run, tmp_path, ending):
    out = tmp_path / f"policy{ending}"
    export_policy(averaging_run.folder.path, out)
    agent, _ = read_back(averaging_run.folder.path)
    action = FORMATS[ending[1:]].functions.open_runtime(out)(STATE[None])[0]
    np.testing.assert_allclose(action, 2 * agent.evaluated_actor(STATE[None])[0], atol=1e-5)
