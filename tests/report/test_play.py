"""What the page to play with is made of: its physics are Gymnasium's, its networks answer as the agent does."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import DDPG, Config
from ddpg.command.presets import PRESETS
from ddpg.report import play
from tests.helpers.browser import node


def test_the_physics_are_those_of_gymnasium(tmp_path):
    rng = np.random.default_rng(1)
    cases = [
        [*rng.uniform([-9, -8, -3], [9, 8, 3]).tolist(), dict(zip("gml", rng.uniform(0.5, 2, 3).tolist(), strict=True))]
        for _ in range(500)
    ]
    code = """given.map(([angle, speed, torque, plant]) => {
      const { state, reward } = Pendulum.step({ angle, speed }, torque, plant);
      return [...Pendulum.observe(state), state.angle, reward];
    })"""
    task = gymnasium.make("Pendulum-v1").unwrapped
    for (angle, speed, torque, plant), found in zip(cases, node(("pendulum.js",), code, cases, tmp_path), strict=True):
        task.state = np.array([angle, speed])
        task.g, task.m, task.l = (plant[name] for name in "gml")
        state, reward, *_ = task.step(np.array([torque]))
        np.testing.assert_allclose(found, [*state, task.state[0], reward], atol=1e-6)


@pytest.mark.parametrize("changes", [
    {},
    vars(PRESETS["paper"]),
    {"layer_normalization": "both"},
    {"normalize_observations": True},
    {"evaluation_tau": 0.1, "action_layer": 2},
], ids=["blog", "paper", "layer normalization", "normalized observations", "averaged actor"])  # fmt: skip
def test_the_networks_answer_as_the_agent_does(changes, tmp_path):
    config = replace(Config(**changes), hidden_units=(16, 12), buffer_size=100, jit_compile=False)
    agent, rng = DDPG(3, 1, config), np.random.default_rng(1)
    for owner in (agent.evaluated_actor, agent.critic, agent.target_critic, agent.normalization):
        for variable in owner.variables if owner else ():
            variable.assign(
                rng.uniform(0.1, 1, variable.shape) * rng.choice([-1, 1] if "v" not in variable.name else [1])
            )
    states, actions = rng.uniform(-2, 2, (20, 3)).astype(np.float32), rng.uniform(-1, 1, (20, 1)).astype(np.float32)
    seen = agent.normalization(states) if agent.normalization else states
    expected = [agent.evaluated_actor(seen), agent.critic(seen, actions), agent.target_critic(seen, actions)]
    code = """given.states.map((state, i) => [
      Networks.act(Networks.decode(given.actor), state),
      Networks.value(Networks.decode(given.critic), state, given.actions[i]),
      Networks.value(Networks.decode(given.target_critic), state, given.actions[i]),
    ])"""
    given = play.networks_of(agent) | {"states": states.tolist(), "actions": actions[:, 0].tolist()}
    found = np.array(node(("pendulum.js", "networks.js"), code, given, tmp_path))
    np.testing.assert_allclose(found, np.hstack(expected), rtol=1e-4, atol=1e-5)


def test_the_noise_has_the_deviation_that_it_should(tmp_path):
    code = """["gaussian", "ou"].map((name) => {
      const sample = Noises[name](0.2);
      return Array.from({ length: 20000 }, sample);
    })"""
    gaussian, ou = np.array(node(("noise.js",), code, None, tmp_path))
    assert [gaussian.mean(), gaussian.std()] == pytest.approx([0, 0.2], abs=0.01)
    assert ou.std() == pytest.approx(0.38, rel=0.1)  # σ / sqrt(1 - (1 - θ)²)
    assert np.corrcoef(ou[1:], ou[:-1])[0, 1] == pytest.approx(0.85, abs=0.02)


def test_data_from_outside_cannot_end_its_script():
    text = play.data_script([{"name": "</script><script>alert(1)</script><!--"}])
    assert "<" not in text
