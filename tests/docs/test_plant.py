"""docs/plant.md: its snippets run, its recipes do what they say, its policy is better than its controller, in C too."""

import contextlib
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from ddpg import evaluate, make_environment
from ddpg.policy.evaluate import main as evaluate_main
from ddpg.policy.policy_file import FilePolicy
from tests.helpers.pages import ROOT, Page, number, read_csv

PAGE, PLANT = Page("docs/plant.md"), ROOT / "examples" / "plant"
GENERATOR = Path(sys.executable).with_name("emx-onnx-cgen")


@pytest.fixture(autouse=True)
def plant(monkeypatch):
    """The folder of the plant is importable, as the page tells."""
    monkeypatch.syspath_prepend(PLANT)


def test_every_snippet_runs(tmp_path, monkeypatch):
    words = ["--policy", str(PLANT / "heater.onnx"), "--env", "corrected:Corrected-v0", "--episodes", "3"]
    words += ["--env-kwargs", '{"gain": 1.0}']
    assert evaluate_main([*words, "--record", str(tmp_path / "policy.npz")]) == 0
    monkeypatch.chdir(tmp_path)
    Path("runs/heater").mkdir(parents=True)
    Path("runs/heater/evaluations.csv").write_text("steps,mean,std,episodes\n0,-12.5,3.0,20\n", encoding="utf-8")
    names: dict = {}
    with contextlib.redirect_stdout(StringIO()) as printed:
        for block in PAGE.blocks("python"):
            exec(block, names)
    gymnasium.registry.pop("Slower-v0")
    rules = r"more than 2 .* in \d of \d episodes\nwithin .* in \d of 3\nthe .* a step\n"
    assert re.fullmatch(rules + "mean -12.5 0\nstd 3.0 0\nepisodes 20.0 0\n", printed.getvalue())


def test_what_the_page_shows_of_a_file_is_what_the_file_holds():
    sources = [(PLANT / name).read_text(encoding="utf-8") for name in ("pi.py", "corrected.py", "recipes.py")]
    shown = [block for block in PAGE.blocks("python") if "class " in block]
    assert len(shown) == 7
    classes = [block[block.index("class ") :].strip() for block in shown]
    assert all(any(each in source for source in sources) for each in classes)


def test_the_gains_of_the_pi_controller_are_the_best_that_were_tried():
    import pi

    best, *others = read_csv("results/plant/pi_gains.csv")
    assert (float(best["kp"]), float(best["ki"])) == (pi.KP, pi.KI)
    assert all(float(other["return"]) < float(best["return"]) for other in others)
    assert f"the best of {1 + len(others)} pairs" in " ".join(PAGE.prose.split())


def test_the_table_of_the_comparison_is_what_was_measured():
    rows = {float(row["gain"]): row for row in read_csv("results/plant/comparison.csv") if row["policy"] == "heater"}
    table = PAGE.table("gain", "with the policy", "PI alone", "difference", "better in")
    assert [number(row["gain"]) for row in table] == list(rows)
    for line in table:
        row = rows[number(line["gain"])]
        assert line["with the policy"] == f"{float(row['policy_return']):.2f}"
        assert line["PI alone"] == f"{float(row['pi_return']):.2f}"
        half_width = (float(row["high"]) - float(row["low"])) / 2
        assert line["difference"] == f"{float(row['difference']):.2f} ± {half_width:.2f}"
        assert line["better in"] == f"{row['better']} of {row['episodes']}"
        assert float(row["low"]) > 0


def test_the_table_of_seeds_is_what_was_measured():
    rows = read_csv("results/plant/comparison.csv")
    columns = ("gain", "differences of the seeds, from the worst to the best", "interval above zero")
    table = PAGE.table(*columns, "interval below zero")
    assert [number(line["gain"]) for line in table] == [0.8, 0.9, 1.0, 1.1, 1.2]
    for line in table:
        own = [row for row in rows if float(row["gain"]) == number(line["gain"])]
        assert line[columns[1]] == ", ".join(f"{each:.2f}" for each in sorted(float(row["difference"]) for row in own))
        assert line["interval above zero"] == f"{sum(float(row['low']) > 0 for row in own)} of {len(own)}"
        assert line["interval below zero"] == f"{sum(float(row['high']) < 0 for row in own)} of {len(own)}"


@pytest.mark.slow
@pytest.mark.parametrize("gain", [0.8, 1.0, 1.2])
def test_the_published_policy_improves_the_pi_controller_as_the_page_says(gain):
    import corrected

    environment = make_environment("corrected:Corrected-v0", {"gain": gain})
    policy = evaluate(FilePolicy(PLANT / "heater.onnx"), environment, 100)
    difference = policy.minus(evaluate(corrected.alone, environment, 100))
    assert difference.mean - difference.half_width > 0


@pytest.mark.parametrize("gain", [0.8, 1.0, 1.2])
def test_the_surprise_tells_how_far_the_heater_is_from_its_data_sheet(gain, monkeypatch):
    import heater

    monkeypatch.setattr(heater, "NOISE", 0.0)
    task = heater.Heater(gain)
    task.reset(seed=1, options={"cold": True})
    task.disturbed_at = 99
    surprises = [heater.SCALE * task.step(np.float32([1]))[0][7] for _ in range(40)]
    assert surprises[: heater.DELAY] == pytest.approx([0, 0, 0], abs=1e-6)  # nothing has reached the water yet
    assert surprises[-1] == pytest.approx((gain - 1) * heater.POWER / (heater.HEAT * heater.VOLUME), rel=1e-3)


# Recipes


def test_every_recipe_is_a_task_that_this_package_takes():
    import recipes

    for name, (_, steps) in recipes.TASKS.items():
        environment = make_environment(f"{name}-v0")
        state, _ = environment.reset(seed=1)
        assert environment.observation_space.shape == state.shape
        done, length = False, 0
        while not done:
            _, reward, terminated, truncated, _ = environment.step(np.zeros(environment.action_space.shape, np.float32))
            done, length = terminated or truncated, length + 1
        assert np.isfinite(reward) and length == steps, name


def first_steps(task, actions):
    """Reset a task and return what the steps with these actions return."""
    task.reset(seed=1)
    return [task.step(np.float32(np.ravel(action))) for action in actions]


def test_the_queue_holds_the_newest_action_first():
    import recipes

    states = [state for state, *_ in first_steps(recipes.WithQueue(recipes.pendulum(), 3), [0.1, 0.2])]
    np.testing.assert_allclose([state[3:] for state in states], [[0.1, 0, 0], [0.2, 0.1, 0]])


def test_the_penalty_is_on_changes_alone():
    import recipes

    task = recipes.ChangePenalty(recipes.pendulum(), 0.5)
    penalized = [reward for _, reward, *_ in first_steps(task, [1, 1, -1])]
    plain = [reward for _, reward, *_ in first_steps(recipes.pendulum(), [1, 1, -1])]
    np.testing.assert_allclose(np.subtract(plain, penalized), [0.5, 0, 2], atol=1e-6)


def test_shares_are_positive_and_sum_to_one():
    import recipes

    shares = recipes.Shares(recipes.Mix()).action(np.float32([1, -1, 0.2]))
    assert shares.sum() == pytest.approx(1) and shares.min() > 0 and shares[0] / shares[1] > 400


def test_a_correction_of_zero_is_the_controller():
    """Also in a second episode, which has a controller of its own."""
    import corrected
    import pi

    task = make_environment("corrected:Corrected-v0")
    alone = evaluate(corrected.alone, task, episodes=3, seed=5)
    plain = evaluate(pi.PI, make_environment("heater:Heater-v0"), episodes=3, seed=5)
    np.testing.assert_allclose(alone.returns, plain.returns, rtol=1e-5)


def test_a_correction_is_a_share_of_the_range_and_keeps_within_the_bounds():
    import corrected

    task = corrected.heater_with_pi()
    state, _ = task.reset(seed=1)
    (state, *_), (after, *_) = task.step(np.float32([-1])), task.step(np.float32([1]))
    assert after[4] == pytest.approx(min(1.0, state[8] + 0.3), abs=1e-6)


def test_the_end_of_the_time_is_a_terminal_state_and_the_state_tells_it():
    import recipes

    steps = first_steps(recipes.TimeLeft(recipes.Harvest(), 10), [0] * 10)
    np.testing.assert_allclose([state[-1] for state, *_ in steps], np.arange(9, -1, -1) / 10, atol=1e-6)
    assert [terminated for _, _, terminated, *_ in steps] == [False] * 9 + [True]


def test_a_repeated_action_returns_the_sum_of_its_rewards():
    import recipes

    (once,) = first_steps(recipes.Repeat(recipes.pendulum(), 3), [1])
    rewards = [reward for _, reward, *_ in first_steps(recipes.pendulum(), [1, 1, 1])]
    assert once[1] == pytest.approx(sum(rewards))


def test_the_table_of_recipes_is_what_was_measured():
    rows = read_csv("results/recipes/returns.csv")
    table = PAGE.table("recipe", "steps", "with it", "without", "measured")
    names = {re.sub(r"Plain$", "", row["task"]) for row in rows}
    assert len(table) == len(names)
    for line in table:
        (name,) = re.findall(r"`(\w+)-v0`", line["recipe"])
        column = "action_change" if line["measured"].startswith("change") else "return"
        for cell, task in (("with it", name), ("without", f"{name}Plain")):
            values = [float(row[column]) for row in rows if row["task"] == task]
            assert line[cell] == f"{np.mean(values):,.{3 if column == 'action_change' else 2}f}", (name, cell)
        assert {row["steps"] for row in rows if row["recipe"] == name} == {line["steps"].replace(",", "")}


# The loop in C


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Return a function that compiles the loop with a policy in C."""
    folder = tmp_path_factory.mktemp("loop")

    def program(policy: str = "") -> Path:
        if policy:
            (folder / "policy.c").write_text(policy, encoding="utf-8")
        else:
            shutil.copy(PLANT / "heater.onnx", folder)
            words = ["compile", "--large-weight-threshold", "0", "--model-name", "policy", "heater.onnx", "policy.c"]
            subprocess.run([GENERATOR, *words], cwd=folder, check=True, capture_output=True)
        out = folder / f"loop{len(list(folder.iterdir()))}"
        words = ["cc", "-O2", "-Wall", "-Werror", "-o", str(out), str(PLANT / "loop.c"), "policy.c", "-lm"]
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
        return out

    return program


needs_c = pytest.mark.skipif(
    not shutil.which("cc") or not GENERATOR.exists(), reason="needs a C compiler and emx-onnx-cgen"
)


@needs_c
def test_the_loop_in_c_does_what_controller_and_policy_do_in_python(build):
    from drive import drive

    total, commands = drive(str(build()), 0.9, speed=1_000, seed=5)
    environment, policy = make_environment("corrected:Corrected-v0", {"gain": 0.9}), FilePolicy(PLANT / "heater.onnx")
    state, _ = environment.reset(seed=5, options={"cold": True})
    expected, expected_commands = 0.0, []
    for _ in range(100):
        state, reward, *_ = environment.step(policy.act(state))
        expected += reward
        expected_commands.append(state[4])
    np.testing.assert_allclose(commands, expected_commands, atol=2e-3)
    assert total == pytest.approx(expected, rel=1e-3)


STUB = """
#include <math.h>
static int calls;
void policy(int batch, const float state[restrict batch][9], float action[restrict batch][1]) {
    calls++;
    action[0][0] = calls < 4 ? 1.0f : %s;
}
"""


def answers(program: Path, readings: list[str]) -> tuple[list[float], str]:
    """Send readings to the loop; return its commands and what it says on stderr."""
    done = subprocess.run([program], input="\n".join(readings) + "\n", capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    return [float(line) for line in done.stdout.split()], done.stderr


@needs_c
@pytest.mark.parametrize("answer", ["NAN", "1.5f", "-1.5f"])
def test_the_pi_controller_is_left_alone_once_the_policy_fails(build, answer):
    import pi

    controller = pi.PI()
    controller.integral = 0.0
    alone = [controller([0.1, 0, 0, 0, 0])[0] for _ in range(6)]  # an error of one degree
    commands, said = answers(build(STUB % answer), ["30 29"] * 6)
    np.testing.assert_allclose(commands[:3], np.add(alone[:3], 0.3), rtol=1e-6)
    np.testing.assert_allclose(commands[3:], alone[3:], rtol=1e-6)
    assert said == "the policy failed: the PI controller alone from here on\n"


@needs_c
def test_without_a_temperature_the_heater_is_off(build):
    program = build(STUB % "0.0f")
    commands, said = answers(program, ["30 20", "nan", "30 nan", "30 500", "", "30 20"])
    assert commands == [1, 0, 0, 0, 0, 1]
    assert said == "no temperature: off\n" * 4
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as loop:
        assert loop.stdout.readline() == b"0\n"  # nothing was sent: the watchdog
        loop.stdin.close()
        assert b"no reading for 150 ms: off" in loop.stderr.read()
