"""`evaluate.py --controller`: a controller measured as a policy is, and the two compared over the same starts."""

import json
import sys

import gymnasium
import numpy as np
import pytest

from ddpg.policy.evaluate import main
from tests.helpers.tasks import TASKS

PI = """
import numpy as np

class Damping:
    def __init__(self):
        self.total = 0.0

    def __call__(self, state):
        self.total += 0.1 * state[2]
        return np.array([-state[2] - self.total])

def push(state):
    return np.ones(1)

def nothing(state):
    print("thinking")
    return None
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    """The module `own_pi` in the working directory."""
    (tmp_path / "own_pi.py").write_text(PI, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("own_pi", None)


def run(capsys, *words) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it prints."""
    capsys.readouterr()  # training may have printed before
    try:
        code = main([*map(str, words)])
    except SystemExit as error:  # from argparse
        code = error.code
    return code, *capsys.readouterr()


def figures(capsys, *words) -> dict:
    code, out, err = run(capsys, *words, "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    return json.loads(out)


def in_a_loop_of_ones_own(controller, seed: int) -> float:
    """Return the return of a controller in the task itself, without this package."""
    task = gymnasium.make("Pendulum-v1")
    state, _ = task.reset(seed=seed)
    total, done = 0.0, False
    while not done:
        state, reward, terminated, truncated, _ = task.step(controller(state))
        total, done = total + reward, terminated or truncated
    return total


def test_a_controller_returns_what_it_returns_in_a_loop_of_ones_own(capsys):
    printed = figures(capsys, "--controller", "own_pi:Damping", "--env", "Pendulum-v1", "--episodes", 3, "--seed", 4)
    assert list(printed)[:3] == ["controller", "env", "episodes"]
    assert (printed["controller"], printed["actions"]) == ("own_pi:Damping", 600)
    from own_pi import Damping

    expected = [in_a_loop_of_ones_own(Damping(), seed) for seed in (4, 5, 6)]
    assert printed["returns"] == pytest.approx(expected, rel=1e-4)


def test_the_report_of_a_controller_has_the_lines_of_a_policy_and_its_clipped_actions(capsys):
    _, out, _ = run(capsys, "--controller", "own_pi:Damping", "--env", "Pendulum-v1", "--episodes", 2)
    first, second, *lines = out.splitlines()
    assert first == "controller  own_pi:Damping"
    assert second == "task        Pendulum-v1, 2 noise-free episodes, seeds from 0 on"
    assert [line.split()[0] for line in lines] == ["mean", "std", "median", "min", "max", "clipped"]
    assert lines[-1].endswith("of 400 actions were outside of the task's bounds")


def test_beside_a_policy_the_difference_is_paired(trained_run, capsys):
    words = ("--checkpoint", trained_run(), "--controller", "own_pi:push", "--episodes", 6)
    printed = figures(capsys, *words)
    other = printed["compared_with"]
    paired = np.subtract(printed["returns"], other["returns"])
    found = printed["difference"]
    assert found["mean"] == pytest.approx(np.mean(paired))
    half_width = 2.571 * np.std(paired, ddof=1) / np.sqrt(6)  # the table's t(5)
    assert [found["low"], found["high"]] == pytest.approx(
        [np.mean(paired) - half_width, np.mean(paired) + half_width], rel=1e-2
    )
    assert (found["better"], found["worse"]) == (sum(paired > 0), sum(paired < 0))
    assert printed["returns"] == figures(capsys, *words[:2], "--episodes", 6)["returns"]
    _, out, _ = run(capsys, *words)
    assert f"\nbetter      the checkpoint in {found['better']}, the controller in {found['worse']}\n" in out
    assert "\ndifference  " in out and "checkpoint - controller, over the same starts" in out


def test_one_episode_has_no_interval_and_a_policy_compared_with_itself_no_difference(trained_run, tmp_path, capsys):
    run_dir = trained_run()
    (tmp_path / "same.py").write_text(f"from ddpg import load_policy\npolicy = load_policy({str(run_dir)!r})")
    words = ("--checkpoint", run_dir, "--controller", "same:policy", "--episodes", 1)
    difference = figures(capsys, *words)["difference"]
    sys.modules.pop("same")
    assert difference["mean"] == pytest.approx(0, abs=0.1)
    assert (difference["low"], difference["high"]) == (None, None)
    _, out, _ = run(capsys, *words)
    sys.modules.pop("same")
    assert "inf" not in out and "±" not in out
    assert ", 1 noise-free episode, seed 0\n" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--controller", "own_pi:push"], "--controller: needs a task: --env ID"),
        (["--controller", "own_pi:pull", "--env", "Pendulum-v1"], "--controller: 'own_pi' ("),
        (["--controller", "own_pi", "--env", "Pendulum-v1"], "--controller: expected module:name"),
        (["--controller", "own_pi:push", "--env", "Pendulm-v1"], "--env: cannot make 'Pendulm-v1'"),
        (["--controller", "own_pi:push", "--env", "CartPole-v1"], "--env: the action space of CartPole-v1"),
        (["--controller", "own_pi:push", "--env", "Pendulum-v1", "--env-kwargs", "g"], "--env-kwargs: not JSON"),
        (["--controller", "own_pi:push", "--env", "Pendulum-v1", "--env-kwargs", '{"h": 1}'], "--env-kwargs: cannot"),
        (["--controller", "own_pi:push", "--env", "Pendulum-v1", "--action-bound", "1"], "--action-bound: all of"),
        (["--checkpoint", "x", "--action-bound", "1"], "--action-bound: is part of the policy"),
        (["--checkpoint", "x", "--policy", "y"], "not allowed with argument"),
        ([], "--checkpoint: give one of them"),
        (["--checkpoint", "x", "--controller", "own_pi:push", "--record", "r.npz"], "--record: holds the transitions"),
    ],
)
def test_a_request_that_cannot_be_met_gets_one_line(words, message, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    code, out, err = run(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "__pycache__"] == before


def test_a_wrong_answer_in_the_middle_is_exit_code_1_with_its_episode_and_step(capsys):
    words = ("--controller", "own_pi:nothing", "--env", "Pendulum-v1", "--json", "--record", "r.npz")
    code, out, err = run(capsys, *words)
    assert (code, out) == (1, "")  # what the controller printed went to stderr
    assert "stopped: evaluation episode 0, step 1: the controller returned the action None" in err
    assert "Traceback" not in err


def test_unbounded_actions_need_a_bound_which_the_command_takes(capsys):
    words = ("--controller", "own_pi:push", "--env", "Bounds-v0", "--env-kwargs", '{"low": [-Infinity], "high": [9]}')
    assert "--action-bound: dimension 0" in run(capsys, *words)[2]
    gymnasium.register("Bounded-v0", TASKS["Bounds"], max_episode_steps=3, disable_env_checker=True)
    try:
        words = (*words[:3], "Bounded-v0", *words[4:])
        assert figures(capsys, *words, "--action-bound", 5, "--episodes", 1)["returns"] == [3]
    finally:
        gymnasium.registry.pop("Bounded-v0")


# A changed plant


def test_a_policy_is_measured_in_a_task_with_other_arguments(trained_run, capsys):
    words = ("--checkpoint", trained_run(), "--episodes", 2)
    same, changed = figures(capsys, *words), figures(capsys, *words, "--env-kwargs", '{"g": 2}')
    assert "env_kwargs" not in same
    assert changed["env_kwargs"] == {"g": 2}
    assert changed["mean"] > same["mean"] + 50, "a pendulum of little weight"
    assert 'Pendulum-v1 {"g": 2}, 2 noise-free' in run(capsys, *words, "--env-kwargs", '{"g": 2}')[1]


def test_the_same_actions_must_mean_the_same_in_a_changed_task(trained_run, capsys):
    run_dir = trained_run("Bounds-v0", flags=(
        "--env-kwargs", '{"low": [-4], "high": [3]}', "--hidden-units", "8", "8", "--max-episode-steps", "10",
    ))  # fmt: skip
    code, _, err = run(capsys, "--checkpoint", run_dir, "--env-kwargs", '{"low": [-4], "high": [4]}')
    assert code == 2
    assert "--env-kwargs: the actions of Bounds-v0 lie between [-4.0] and [4.0], those of the policy between" in err


# Success


@pytest.mark.parametrize("kwargs", [{}, {"name": "success"}, {"only_at_success": True}])
def test_the_success_of_the_last_step_is_reported(kwargs, capsys):
    words = ("--controller", "own_pi:push", "--env", "Scoring-v0", "--env-kwargs", json.dumps(kwargs))
    printed = figures(capsys, *words, "--episodes", 4)
    assert printed["success_rate"] == 1
    assert "\nsuccess     4 of 4 episodes\n" in run(capsys, *words, "--episodes", 4)[1]


def test_a_task_that_says_nothing_of_success_has_no_success_rate(capsys):
    words = ("--controller", "own_pi:push", "--env", "Endless-v0", "--episodes", 1)
    assert "success_rate" not in figures(capsys, *words)
    assert "success" not in run(capsys, *words)[1]
