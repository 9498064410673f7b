"""The plain model, from which every file is made, answers as the agent does in evaluations, state by state."""

from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG
from ddpg.policy import litert_file, onnx_file
from ddpg.policy.plain_policy import exact_actions, plain_policy

LOW, HIGH = np.array([-2.0, 0.0]), np.array([2.0, 10.0])
LAYERS = [{}, {"batch_normalization": True}, {"layer_normalization": "both"}, {"normalize_observations": True}]


def agent_of(config, rng) -> DDPG:
    """Return an agent of random weights, which has stored states whose third number never changes."""
    agent = DDPG(3, 2, replace(config, evaluation_tau=0.5))
    for variable in agent.evaluated_actor.variables:  # a running variance is positive
        numbers = rng.normal(0, 0.3, variable.shape)
        variable.assign(1 + numbers**2 if "variance" in variable.name else numbers)
    for state in rng.normal([3, -5, 0.5], [0.1, 10, 0], (40, 3)):
        agent.remember(state, np.zeros(2), 0.0, state, False)
    if agent.normalization:
        agent.normalization.follow()
    return agent


@pytest.mark.parametrize("settings", LAYERS)
def test_every_row_is_the_agents_action_in_the_tasks_units_also_far_from_what_was_seen(small, tmp_path, settings):
    rng = np.random.default_rng(0)
    agent = agent_of(replace(small, **settings), rng)
    states = np.concatenate([agent.replay_buffer.rows[:5, :3], rng.normal(size=(5, 3)), 50 * rng.normal(size=(5, 3))])
    states = states.astype(np.float32)
    model = plain_policy(agent, LOW, HIGH)
    onnx_file.write(model, {}, tmp_path / "policy.onnx")
    own = np.array([agent.act(state, explore=False) for state in states])
    assert np.std(own, axis=0).min() > 0.01
    for actions in (model(states), onnx_file.open_runtime(tmp_path / "policy.onnx")(states)):
        np.testing.assert_allclose(actions, LOW + (own + 1) / 2 * (HIGH - LOW), atol=1e-4)
    np.testing.assert_allclose(exact_actions(agent, LOW, HIGH, states), model(states), atol=1e-4)


def test_a_quantized_file_computes_in_8_bits_says_so_and_is_near_the_agent(small, tmp_path):
    agent = agent_of(small, np.random.default_rng(0))
    model, states = plain_policy(agent, LOW, HIGH), agent.replay_buffer.rows[:40, :3].copy()
    litert_file.write_quantized(model, {"step": 7}, tmp_path / "p.tflite", states)
    assert litert_file.read_metadata(tmp_path / "p.tflite") == {"step": 7, "quantized": "int8"}
    difference = np.abs(litert_file.open_runtime(tmp_path / "p.tflite")(states) - model(states)) / (HIGH - LOW)
    assert 1e-6 < difference.max() < 0.1
