"""The page to play with: its physics are Gymnasium's, its networks answer as the agent does, and it stands alone."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import gymnasium
import matplotlib.image
import numpy as np
import pytest

from benchmarks.learning.play import FOLDER, page
from ddpg import DDPG, Config
from ddpg.presets import PRESETS
from ddpg.run import play
from tests.helpers.browser import in_browser, node, screenshot
from tests.helpers.pages import ROOT, read_csv

STARTS = 10
STEPS = 200
EVIDENCE = ROOT / "results" / "play"
# One episode per start in Node, as the page plays it: its torques, the states that it saw, and its return.
EPISODES = """given.starts.map(([angle, speed]) => {
  const actor = Networks.decode(given.actor);
  let [state, total, torques, seen] = [{ angle, speed }, 0, [], []];
  for (let step = 0; step < Pendulum.STEPS; step++) {
    seen.push(Pendulum.observe(state));
    torques.push(2 * Networks.act(actor, Pendulum.observe(state)));
    const { state: next, reward } = Pendulum.step(state, torques[step]);
    [state, total] = [next, total + reward];
  }
  return { torques, seen, total };
})"""
# The same in the browser, by the page's own functions.
PLAYED = """STARTS.map(([angle, speed]) => {
  chosen.paused = true;
  get("limit").checked = false;
  startAgain();
  main = newPendulum({ angle, speed });
  const seen = [];
  for (let i = 0; i < Pendulum.STEPS; i++) {
    seen.push(Pendulum.observe(main.state));
    step();
  }
  return { torques: HISTORY.map(({ torque }) => torque), seen, total: main.total };
})"""


def data() -> dict:
    """Return the data of the page."""
    text = (FOLDER / "weights.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("const PLAY = ").rstrip().removesuffix(";"))


@pytest.fixture(scope="module")
def starts() -> list[list[float]]:
    """Return angle and speed of ten starts of the task."""
    task = gymnasium.make("Pendulum-v1")
    found = []
    for seed in range(STARTS):
        task.reset(seed=seed)
        found.append(task.unwrapped.state.tolist())
    return found


def compare_with_the_file(episodes: list[dict]) -> None:
    """Compare episodes from the page with the exported policy in Gymnasium, from the same starts."""
    onnxruntime = pytest.importorskip("onnxruntime")
    policy = onnxruntime.InferenceSession(str(EVIDENCE / "policy.onnx"), providers=["CPUExecutionProvider"])
    task = gymnasium.make("Pendulum-v1")
    for seed, episode in enumerate(episodes):
        (torques,) = policy.run(None, {"state": np.float32(episode["seen"])})
        np.testing.assert_allclose(episode["torques"], torques[:, 0], atol=1e-4)
        state, _ = task.reset(seed=seed)
        total = 0.0
        for _ in range(STEPS):
            (action,) = policy.run(None, {"state": state[None]})
            state, reward, *_ = task.step(action[0])
            total += reward
        assert episode["total"] == pytest.approx(total, abs=0.01)


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


def test_ten_episodes_are_those_of_the_exported_policy_in_gymnasium(starts, tmp_path):
    actor = data()["runs"][0]["checkpoints"][-1]["actor"]
    found = node(("pendulum.js", "networks.js"), EPISODES, {"actor": actor, "starts": starts}, tmp_path)
    compare_with_the_file(found)


def test_the_noise_has_the_deviation_that_it_should(tmp_path):
    code = """["gaussian", "ou"].map((name) => {
      const sample = Noises[name](0.2);
      return Array.from({ length: 20000 }, sample);
    })"""
    gaussian, ou = np.array(node(("noise.js",), code, None, tmp_path))
    assert [gaussian.mean(), gaussian.std()] == pytest.approx([0, 0.2], abs=0.01)
    assert ou.std() == pytest.approx(0.38, rel=0.1)  # σ / sqrt(1 - (1 - θ)²)
    assert np.corrcoef(ou[1:], ou[:-1])[0, 1] == pytest.approx(0.85, abs=0.02)


def test_the_page_is_put_together_from_its_parts():
    assert (FOLDER / "index.html").read_text(encoding="utf-8") == page()


def test_the_page_is_small_and_needs_no_other_host():
    text = page()
    assert len(text.encode()) < 40_000
    assert not re.search(r"https?://|@import|url\(|fetch\(|import\(", text)
    assert (FOLDER / "weights.js").stat().st_size <= 2_000_000


def test_every_control_says_which_equation_it_shows():
    fieldsets = re.findall(r"<fieldset.*?</fieldset>", play.body(), re.DOTALL)
    assert len(fieldsets) == 4
    assert all(re.search(r"[Ee]quations? \d", each) for each in fieldsets)


def test_the_returns_on_the_page_are_those_that_were_measured():
    shown = [
        (run["name"], str(checkpoint["steps"]), str(checkpoint["mean"]))
        for run in data()["runs"]
        for checkpoint in run["checkpoints"]
    ]
    assert shown == [(row["run"], row["steps"], row["mean"]) for row in read_csv("results/play/table.csv")]


def test_data_from_outside_cannot_end_its_script():
    text = play.data_script([{"name": "</script><script>alert(1)</script><!--"}])
    assert "<" not in text


@pytest.mark.slow
def test_the_page_in_a_browser_plays_as_the_exported_policy_does(starts, tmp_path):
    found = in_browser(FOLDER / "index.html", PLAYED.replace("STARTS", json.dumps(starts)), tmp_path)
    compare_with_the_file(found)


@pytest.mark.slow
def test_every_control_works(tmp_path):
    code = """(() => {
      for (const [id, value] of [["run", 1], ["step", 2], ["compare", 0], ["noise", "ou"], ["sigma", 0.5], ["g", 5]]) {
        get(id).value = value;
        get(id).dispatchEvent(new Event("input"));
      }
      for (let i = 0; i < 250; i++) { step(); show(0.5); }
      return [chosen.run, chosen.step, chosen.other, chosen.plant.g, HISTORY.length, get("g-value").textContent];
    })()"""
    assert in_browser(FOLDER / "index.html", code, tmp_path) == [1, 2, 0, 5, 50, "5 m/s²"]


@pytest.mark.slow
def test_a_push_and_a_key_move_the_pendulum(tmp_path):
    """To the right of the pivot the pointer pulls a hanging pendulum to the right: its angle, behind 180°, grows."""
    code = """(() => {
      const canvas = get("pendulum");
      const moved = (act) => {
        startAgain();
        main = newPendulum({ angle: Math.PI, speed: 0 });
        act();
        const push = pushed();
        advance(main, 0, -main.mu, push);
        return [push, main.state.speed];
      };
      const key = (kind, name) => canvas.dispatchEvent(new KeyboardEvent(kind, { key: name, cancelable: true }));
      const pulled = moved(() => { pull = [canvas.clientWidth, canvas.clientHeight / 2]; });
      pull = null;
      const left = moved(() => key("keydown", "ArrowLeft"));
      const right = moved(() => { key("keyup", "ArrowLeft"); key("keydown", "ArrowRight"); });
      key("keyup", "ArrowRight");
      key("keydown", " ");
      return [pulled[0] > 0, left[0] > 0, right[0] < 0, pushed(), chosen.paused];
    })()"""
    assert in_browser(FOLDER / "index.html", code, tmp_path) == [True, True, True, 0, True]


@pytest.mark.slow
@pytest.mark.parametrize("size", ["1280,900", "820,1180", "500,900"])
def test_the_page_fits_its_window(size, tmp_path):
    """Its pictures stay in pytest's temporary folder, to be looked at."""
    page = FOLDER / "index.html"
    assert in_browser(page, "document.documentElement.scrollWidth - innerWidth", tmp_path, size) <= 0
    for name, flags in (("light", ()), ("dark", ("--blink-settings=preferredColorScheme=0",))):
        screenshot(page, tmp_path / f"{name}.png", size, *flags)
        colors = np.unique(matplotlib.image.imread(tmp_path / f"{name}.png").reshape(-1, 4), axis=0)
        assert len(colors) > 100  # an empty page has few


@pytest.mark.slow
@pytest.mark.parametrize("size", ["1280,900", "500,900"])
def test_the_page_breaks_no_rule_of_accessibility(size, tmp_path):
    """The rules are axe-core's, if the variable AXE names its axe.min.js: npm pack axe-core."""
    axe = os.environ.get("AXE")
    if not axe:
        pytest.skip("AXE names no axe.min.js")
    code = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))"
    assert in_browser(FOLDER / "index.html", code, tmp_path, size, (Path(axe),)) == []
