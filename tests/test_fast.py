"""`ddpg.fast` changes no result: compiled calls, the action computed with the update, and the NumPy policy."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddpg import DDPG, ActorNetwork
from ddpg.fast import compile_function, numpy_policy
from tests.helpers.agents import NETWORKS, fill, numbers

TF_FUNCTION = tf.function


def last_next_state(agent: DDPG) -> np.ndarray:
    return agent.replay_buffer.split(agent.replay_buffer.rows[agent.steps - 1]).next_state.copy()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_compiled_update_computes_what_train_step_computes(small, jit_compile):
    compiled = fill(DDPG(3, 2, replace(small, jit_compile=jit_compile)))
    plain = fill(DDPG(3, 2, small))
    for _ in range(3):
        metrics = compiled.update()
        rows = plain.replay_buffer.sample(small.batch_size, plain.rngs["replay"])[0]
        expected = plain.train_step(plain.replay_buffer.split(tf.constant(rows)))
        np.testing.assert_allclose(metrics, [float(x) for x in expected], rtol=1e-4, atol=1e-6)
    for name in NETWORKS:
        np.testing.assert_allclose(numbers(getattr(compiled, name)), numbers(getattr(plain, name)), atol=1e-5)


def test_the_update_and_the_policy_are_traced_once(small):
    agent = fill(DDPG(3, 2, small))
    traces = []
    for network in (agent.actor, agent.critic):
        call = network.call
        network.call = lambda *a, _call=call, **k: (traces.append(1), _call(*a, **k))[1]
    agent.update()
    agent.act(np.zeros(3))
    agent.act(np.zeros(3))
    once = len(traces)
    for _ in range(20):
        agent.update()
        agent.act(np.zeros(3))
        agent.act(np.ones(3))
        agent.act(np.ones(3), explore=False)
    assert len(traces) == once > 0


def test_acting_and_learning_never_copy_the_weights_to_python(small, monkeypatch):
    """The posts' and many tutorials' way; each of these calls costs more than a whole update."""
    agent = fill(DDPG(3, 2, small))
    for name in ("get_weights", "set_weights", "predict", "predict_on_batch", "fit", "train_on_batch"):
        monkeypatch.setattr(keras.Model, name, lambda *a, _name=name, **k: pytest.fail(f"{_name} was called"))
    for explore in (True, False):
        agent.update()
        agent.act(np.ones(3), explore)


class WithoutFastCall:
    """A `tf.function` of a TensorFlow that lacks `call_preflattened`."""

    made = 0
    options: dict | None = None  # of the last one

    def __init__(self, function, **options) -> None:
        type(self).options = options
        self.compiled = TF_FUNCTION(function, **options)

    def get_concrete_function(self, *signature):
        type(self).made += 1
        concrete = self.compiled.get_concrete_function(*signature)
        return lambda *inputs: concrete(*inputs)


class WithoutFastCallInItsPart(WithoutFastCall):
    """One that has the object, but not the method."""

    def get_concrete_function(self, *signature):
        concrete = super().get_concrete_function(*signature)
        concrete.inference_fn = SimpleNamespace()
        return concrete


@pytest.mark.parametrize("kind", [WithoutFastCall, WithoutFastCallInItsPart])
@pytest.mark.parametrize("gradient_steps", [1, 3])
def test_without_call_preflattened_the_plain_call_gives_the_same_bits(small, monkeypatch, kind, gradient_steps):
    fast = fill(DDPG(3, 2, replace(small, gradient_steps=gradient_steps)))
    plain = fill(DDPG(3, 2, replace(small, gradient_steps=gradient_steps)))

    def act_and_update(agent: DDPG) -> list:
        return [[*agent.update(), *agent.act(np.ones(3)), *agent.act(np.ones(3), explore=False)] for _ in range(3)]

    expected = act_and_update(fast)
    monkeypatch.setattr(tf, "function", kind)
    monkeypatch.setattr(kind, "made", 0)
    assert act_and_update(plain) == expected
    assert kind.made == 2  # the update and the policy took this way
    for name in NETWORKS:
        np.testing.assert_array_equal(numbers(getattr(plain, name)), numbers(getattr(fast, name)))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_setting_decides_whether_xla_compiles(small, monkeypatch, jit_compile):
    monkeypatch.setattr(tf, "function", WithoutFastCall)
    DDPG(3, 2, replace(small, jit_compile=jit_compile)).act(np.ones(3))
    assert WithoutFastCall.options == {"jit_compile": jit_compile, "autograph": False}


def test_a_compiled_function_keeps_its_results_apart_and_sees_new_values_of_variables():
    weight = tf.Variable(2.0)
    scalar = tf.TensorSpec((), tf.float32)
    call = compile_function(lambda x, y: (weight * x, y - x), [scalar, scalar], jit_compile=False)
    assert [float(result) for result in call(tf.constant(3.0), tf.constant(5.0))] == [6, 2]
    weight.assign(10.0)
    assert [float(result) for result in call(tf.constant(3.0), tf.constant(5.0))] == [30, 2]


@pytest.mark.parametrize("normalized", [False, True])
def test_the_action_computed_with_the_update_is_that_of_the_updated_policy(small, normalized):
    config = replace(small, noise_sigma=0.0, actor_learning_rate=0.1, batch_normalization=normalized)
    agent = fill(DDPG(3, 2, config))
    for _ in range(3):
        agent.update()
        state = last_next_state(agent)
        np.testing.assert_allclose(agent.act(state), agent.actor(state[None])[0], atol=1e-6)


def test_the_action_computed_with_the_update_is_used_once_and_for_its_own_state(small):
    agent = fill(DDPG(3, 2, replace(small, noise_sigma=0.0)))
    state = last_next_state(agent)
    agent.update()
    np.testing.assert_allclose(agent.act(state + 1), agent.actor(state[None] + 1)[0], atol=1e-6)
    agent.update()
    agent.act(state)
    agent.actor.action.bias.assign([1.0, -1.0])
    np.testing.assert_allclose(agent.act(state), agent.actor(state[None])[0], atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"gradient_steps": 3}, {"train_frequency": 4}])
def test_exploring_after_an_update_needs_no_call_of_tensorflow(small, monkeypatch, settings):
    """The update has computed the next action already; between two updates, NumPy computes all of them."""
    agent = fill(DDPG(3, 2, replace(small, **settings)))
    monkeypatch.setattr(agent.training_policy, "compiled", lambda state: pytest.fail("TensorFlow was called"))
    for _ in range(3):
        agent.update()
        agent.act(last_next_state(agent))
    if "train_frequency" in settings:
        agent.act(np.ones(3))


@pytest.mark.parametrize("train_frequency", [1, 4])
def test_a_new_episode_uses_no_action_or_weights_from_before_it(small, train_frequency):
    agent = fill(DDPG(3, 2, replace(small, noise_sigma=0.0, train_frequency=train_frequency)))
    state = last_next_state(agent)
    agent.update()
    if train_frequency > 1:
        agent.act(state)
    agent.begin_episode()
    agent.actor.action.bias.assign([-1.0, 1.0])  # as when other weights are loaded
    np.testing.assert_allclose(agent.act(state), agent.actor(state[None])[0], atol=1e-6)


@pytest.mark.parametrize("normalized", [False, True])
def test_between_two_updates_numpy_computes_the_updated_policys_actions(small, normalized):
    settings = {"train_frequency": 4, "noise_sigma": 0.0, "actor_learning_rate": 0.1}
    agent = DDPG(3, 2, replace(small, batch_normalization=normalized, **settings))
    for _ in range(3):
        assert fill(agent, 64).update() is not None
        for state in np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32):
            action = agent.act(state)
            assert action.dtype == np.float32
            np.testing.assert_allclose(action, agent.actor(state[None])[0], atol=1e-6)


@pytest.mark.parametrize("option", [{}, {"batch_normalization": True}, {"layer_normalization": True}])
def test_the_numpy_policy_is_the_actor(option):
    """With every variable away from its initial value, so that none can be left out."""
    actor = ActorNetwork(2, (8, 8), **option)
    actor(np.zeros((1, 3)))
    rng = np.random.default_rng(0)
    for variable in actor.variables:
        variable.assign(rng.uniform(0.01, 0.1, variable.shape))
    states = rng.normal(size=(5, 3)).astype(np.float32)
    policy = numpy_policy(actor)
    np.testing.assert_allclose([policy(state) for state in states], actor(states), atol=1e-6)


def test_the_policy_without_noise_is_always_that_of_the_current_weights(small):
    """Evaluation between two updates must not see the weights that exploration uses."""
    agent = fill(DDPG(3, 2, replace(small, train_frequency=4)))
    agent.act(np.ones(3))
    agent.actor.action.bias.assign([1.0, -1.0])
    np.testing.assert_allclose(agent.act(np.ones(3), explore=False), agent.actor(np.ones((1, 3)))[0], atol=1e-6)


def test_acting_moves_no_running_average(small):
    agent = DDPG(3, 2, replace(small, batch_normalization=True))
    before = numbers(agent.actor)
    for _ in range(3):
        agent.act(np.full(3, 1000), explore=False)
        agent.act(np.full(3, 1000))
    np.testing.assert_array_equal(numbers(agent.actor), before)
