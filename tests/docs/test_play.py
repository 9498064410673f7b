"""The page to play with: its episodes are those of the exported policy in Gymnasium, and it stands alone."""

import json
import os
import re
from pathlib import Path

import gymnasium
import matplotlib.image
import numpy as np
import pytest

from benchmarks.learning.play import FOLDER, page
from ddpg.report import play
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


def test_ten_episodes_are_those_of_the_exported_policy_in_gymnasium(starts, tmp_path):
    actor = data()["runs"][0]["checkpoints"][-1]["actor"]
    found = node(("pendulum.js", "networks.js"), EPISODES, {"actor": actor, "starts": starts}, tmp_path)
    compare_with_the_file(found)


def test_the_page_is_put_together_from_its_parts():
    assert (FOLDER / "index.html").read_text(encoding="utf-8") == page()


def test_the_page_leads_back_to_the_others():
    links = re.findall(r'href="(.*?)"', page())
    assert "../index.md" in links
    assert all((FOLDER / link).is_file() for link in links)


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
