"""`evaluate.py --record`: every transition, in the task's own units, and what made them."""

import json

import numpy as np
import pytest

from ddpg import evaluate, make_environment
from ddpg.policy.evaluate import main
from ddpg.policy.record import NAMES, Recorder

WORDS = ("--controller", "tests.policy.test_record:fixed", "--episodes", "2", "--seed", "5")


def fixed(state):
    """A controller for Echo-v0, whose second action is beyond its bound."""
    return np.array([[1.5, 99], [5.5, 0]])


def test_a_record_has_the_names_of_d4rl_and_the_units_of_the_task(tmp_path, capsys):
    path = tmp_path / "echo.npz"
    assert (
        main([*WORDS, "--env", "Odd-v0", "--controller", "tests.policy.test_record:small", "--record", str(path)]) == 0
    )
    with np.load(path, allow_pickle=False) as arrays:
        assert set(arrays.files) == {*NAMES, "metadata"}
        assert arrays["observations"].shape == arrays["next_observations"].shape == (20, 1)
        assert arrays["actions"].shape == (20, 1)
        np.testing.assert_allclose(arrays["actions"], 0.25, rtol=1e-6)
        assert arrays["rewards"].tolist() == [1.0] * 20
        assert np.flatnonzero(arrays["timeouts"]).tolist() == [9, 19] and not arrays["terminals"].any()
        metadata = json.loads(str(arrays["metadata"]))
    assert (metadata["task"], metadata["controller"]) == ("Odd-v0", "tests.policy.test_record:small")
    assert (metadata["seed"], metadata["state"], metadata["env_kwargs"]) == (5, ["state[0]"], {})
    assert "gymnasium" in metadata["versions"]
    assert f"record      {path}" in capsys.readouterr().out


def small(state):
    """A controller for tasks with one action."""
    return [0.25]


def test_actions_are_flat_and_as_the_task_was_given_them():
    recorder = Recorder(make_environment("Echo-v0", max_episode_steps=3))
    evaluate(fixed, recorder, episodes=2)
    assert recorder.arrays()["actions"].shape == (6, 4)
    np.testing.assert_allclose(recorder.arrays()["actions"][5], [1.5, 10, 5.5, 0], atol=1e-5)
    assert recorder.unwrapped.action_space.contains(recorder.arrays()["actions"][0].reshape(2, 2))


def test_each_next_state_is_that_of_its_own_step():
    recorder = Recorder(make_environment("Reusing-v0", max_episode_steps=3))
    evaluate(small, recorder, episodes=2)
    arrays = recorder.arrays()
    assert arrays["observations"].ravel().tolist() == [0, 1, 2, 0, 1, 2]
    assert arrays["next_observations"].ravel().tolist() == [1, 2, 3, 1, 2, 3]


def test_the_end_of_an_episode_is_a_terminal_or_a_timeout():
    recorder = Recorder(make_environment("Highest-v0"))
    evaluate(small, recorder, episodes=3)
    assert recorder.arrays()["terminals"].all() and not recorder.arrays()["timeouts"].any()


def recorded(path, task="Endless-v0") -> int:
    words = ["--controller", "tests.policy.test_record:small", "--env", task, "--episodes", "1"]
    return main([*words, "--record", str(path)])


def test_a_record_is_replaced_by_a_record(tmp_path):
    path = tmp_path / "log.npz"
    assert recorded(path) == 0
    assert recorded(path, "Highest-v0") == 0
    with np.load(path) as arrays:
        assert len(arrays["rewards"]) == 1
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["a spreadsheet", "another array", "a pickle", "a folder", "a broken link"])
def test_what_is_no_record_is_never_overwritten(content, tmp_path, capsys):
    path = tmp_path / "log.npz"
    if content == "a folder":
        path.mkdir()
    elif content == "a broken link":
        path.symlink_to(tmp_path / "elsewhere")
    elif content == "a spreadsheet":
        path.write_text("time,power\n0,1\n")
    elif content == "a pickle":
        np.savez(path, **dict.fromkeys((*NAMES, "other"), np.array([{}], object)))
    else:
        np.savez(path, observations=np.zeros(3))
    before = path.lstat()
    assert recorded(path) == 2
    assert "--record: " in (line := capsys.readouterr().err) and "exists and is not a record" in line
    assert (path.lstat().st_mtime_ns, path.lstat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "message"), [("log.csv", "log.csv must end in .npz"), ("nowhere/log.npz", "is not a writable folder")]
)
def test_a_name_that_cannot_be_written_is_refused_before_the_first_episode(name, message, tmp_path, capsys):
    assert recorded(tmp_path / name) == 2
    assert f"--record: {tmp_path if 'nowhere' in name else ''}" in (line := capsys.readouterr().err) and message in line
    assert list(tmp_path.iterdir()) == []


def test_an_episode_that_fails_leaves_no_record(tmp_path, capsys):
    assert recorded(tmp_path / "log.npz", "Breaking-v0") in (0, 1)
    words = ["--controller", "tests.policy.test_record:small", "--env", "Breaking-v0", "--episodes", "2"]
    assert main([*words, "--record", str(tmp_path / "other.npz")]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.npz"]


def test_a_file_of_the_user_beside_the_record_stays(tmp_path):
    """A record is written under another name first, which nobody else's file may have."""
    (tmp_path / "echo.npz.partial").write_text("mine")
    words = ["--env", "Odd-v0", "--controller", "tests.policy.test_record:small", "--episodes", "1"]
    assert main([*words, "--record", str(tmp_path / "echo.npz")]) == 0
    assert (tmp_path / "echo.npz.partial").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["echo.npz", "echo.npz.partial"]
