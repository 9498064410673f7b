"""Tasks that break: each has a stated outcome, and no progress made before is lost."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import DDPG, RequestError, RunStopped, evaluate, make_environment, train
from ddpg.run.train import main as train_command
from ddpg.task.environments import first_step
from tests.helpers.agents import trained
from tests.helpers.runs import SMALL, finished_run
from tests.helpers.tasks import Answering, NoArray

ENDLESS = "Endless-v0"  # reward 1 and a time limit of 10 steps


def answering(**parts) -> gymnasium.Env:
    """Return a task that answers step 3 of its second episode in another way."""
    return Answering(make_environment(ENDLESS), **parts)


def training_stops(small, environment) -> tuple[str, DDPG]:
    """Train until the run stops; return its message and the agent."""
    agent = DDPG(1, 1, replace(small, learning_starts=1_000))
    with pytest.raises(RunStopped) as caught:
        list(train(agent, environment))
    return str(caught.value), agent


def evaluation_stops(small, environment) -> str:
    """Evaluate until that stops; return its message."""
    with pytest.raises(RunStopped) as caught:
        evaluate(DDPG(1, 1, small), environment, episodes=3)
    return str(caught.value)


@pytest.mark.parametrize(
    ("broken", "value", "shown"),
    [
        ("reward", np.nan, "nan"),
        ("reward", -np.inf, "-inf"),
        ("reward", 1e300, "1e+300"),
        ("state", np.nan, "[nan]"),
        ("state", 1e300, "[inf]"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_a_state_or_reward_that_is_not_finite_stops_the_run_before_it_is_stored(small, broken, value, shown):
    config = replace(small, learning_starts=1_000, env="Breaking-v0", env_kwargs={"broken": broken, "value": value})
    agent = DDPG(1, 1, config)
    with pytest.raises(RunStopped) as caught:
        list(train(agent, make_environment(config.env, config.env_kwargs)))
    assert str(caught.value) == f"episode 2, step 25: the environment returned the {broken} {shown}: non-finite value"
    assert agent.steps == 40 + 24


def test_an_action_that_is_not_finite_stops_the_run_and_is_not_blamed_on_the_environment(small):
    agent = DDPG(1, 1, small)
    agent.actor.action.bias.assign([np.nan])
    with pytest.raises(
        RunStopped, match=r"^episode 1, step 1: the network chose the action \[nan\]: non-finite value$"
    ):
        list(train(agent, make_environment(ENDLESS)))


# What a task may answer, and what is said about it.
ODD = [
    ({"state": np.ones(2, np.float32)}, "the environment returned the state [1. 1.]: expected 1 value, got 2"),
    ({"reward": np.array([1.0, 2.0])}, "the environment returned the reward array([1., 2.]): expected a number"),
    ({"reward": None}, "the environment returned the reward None: expected a number"),
    ({"reward": "much"}, "the environment returned the reward 'much': expected a number"),
    ({"reward": 1j}, "the environment returned the reward 1j: expected a number"),
    ({"terminated": None}, "the environment returned the terminated None: expected True or False"),
    ({"terminated": 0.5}, "the environment returned the terminated 0.5: expected True or False"),
    ({"truncated": "no"}, "the environment returned the truncated 'no': expected True or False"),
    ({"state": ValueError("motor on fire")}, "the environment raised ValueError('motor on fire')"),
]


@pytest.mark.parametrize(("parts", "problem"), ODD)
def test_an_answer_of_the_wrong_shape_or_type_stops_training_and_evaluation_with_the_same_words(small, parts, problem):
    message, agent = training_stops(small, answering(**parts))
    assert message == f"episode 2, step 3: {problem}"
    assert agent.steps == 12  # the transition with the odd part is not stored
    assert evaluation_stops(small, answering(**parts)) == f"evaluation episode 1, step 3: {problem}"


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (np.ones(2, np.float32), "the environment returned the state [1. 1.]: expected 1 value, got 2"),
        (np.float32([np.inf]), "the environment returned the state [inf]: non-finite value"),
        (ValueError("motor on fire"), "the environment raised ValueError('motor on fire')"),
    ],
)
def test_a_broken_first_state_is_found_at_the_reset(small, state, problem):
    message, agent = training_stops(small, answering(reset=state))
    assert message == f"episode 2, step 0: {problem}"
    assert agent.steps == 10
    assert evaluation_stops(small, answering(reset=state)) == f"evaluation episode 1, step 0: {problem}"


def test_an_exception_of_the_task_is_kept_as_the_cause(small):
    cause = ValueError("motor on fire")
    with pytest.raises(RunStopped) as caught:
        evaluate(DDPG(1, 1, small), answering(state=cause), episodes=3)
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize("method", ["act", "remember", "update"])
def test_an_exception_of_the_agent_is_not_blamed_on_the_environment(small, monkeypatch, method):
    agent = DDPG(1, 1, small)
    monkeypatch.setattr(agent, method, lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(train(agent, make_environment(ENDLESS)))
    if method == "act":
        with pytest.raises(ZeroDivisionError):
            evaluate(agent, make_environment(ENDLESS), episodes=1)


@pytest.mark.parametrize(
    "reward", [2, np.float32(2), np.float16(2), np.array([2.0]), np.array([[2]]), np.array(2), True]
)
def test_any_single_number_is_a_reward_in_training_and_evaluation(small, reward):
    agent = DDPG(1, 1, replace(small, learning_starts=1_000, episodes=2))
    *_, episode = train(agent, answering(reward=reward))
    expected = 9 + float(np.asarray(reward).item())
    assert episode.episode_return == expected
    assert evaluate(agent, answering(reward=reward), episodes=2).returns == (10, expected)


@pytest.mark.parametrize("flag", [np.True_, 1, np.array([True])])
def test_terminated_and_truncated_together_are_an_end(small, flag):
    agent = DDPG(1, 1, replace(small, learning_starts=1_000, episodes=2))
    *_, episode = train(agent, answering(terminated=flag, truncated=flag))
    assert episode.length == 3
    terminated = agent.replay_buffer.split(agent.replay_buffer.rows[:13]).terminated
    np.testing.assert_array_equal(terminated.ravel(), [0] * 12 + [1])


def test_an_episode_that_never_ends_is_truncated_and_not_terminated(small):
    config = replace(small, learning_starts=1_000, env="Unlimited-v0", episodes=2)
    agent, episodes = trained(config, make_environment(config.env, max_episode_steps=7))
    assert [episode.length for episode in episodes] == [7, 7]
    assert not agent.replay_buffer.split(agent.replay_buffer.rows[:14]).terminated.any()


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ('{"reward": null}', "the environment returned the reward None: expected a number"),
        ('{"reward": "much"}', "the environment returned the reward 'much': expected a number"),
        ('{"terminated": null}', "the environment returned the terminated None: expected True or False"),
    ],
)
def test_an_odd_answer_is_one_line_on_the_command_line_with_exit_code_1(tmp_path, capsys, parts, problem):
    run_dir = tmp_path / "run"
    flags = ["--env", "Odd-v0", "--env-kwargs", parts, "--run-dir", str(run_dir), "--plot-dir", str(tmp_path)]
    quiet = ["--no-progress", "--evaluation-episodes", "1", "--learning-starts", "1000"]
    assert train_command([*flags, *quiet, *SMALL]) == 1
    message = f"train.py: stopped: episode 2, step 3: {problem}; progress so far is saved in {run_dir}\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("reward", [None, "much", [1.0, 2.0], NoArray()])
def test_a_task_whose_first_answers_are_odd_is_refused_before_anything_is_written(reward):
    task = gymnasium.wrappers.TransformReward(make_environment(ENDLESS), lambda _: reward)
    with pytest.raises(RequestError, match=r"^env: the task cannot be used: episode 1, step 1: .* the reward "):
        first_step(task)


def test_an_error_of_the_tasks_own_is_left_to_the_run_which_shows_its_place():
    task = answering(reset=ValueError("motor on fire"))
    task.reset()
    assert first_step(task) == (False, {})


def test_arguments_that_a_task_of_gymnasiums_cannot_compute_with_are_refused_in_one_line(tmp_path, capsys):
    """Its traceback would show the code of nobody who is there to mend it."""
    flags = ["--env", "Pendulum-v1", "--env-kwargs", '{"g": "9.81"}', "--run-dir", str(tmp_path / "run")]
    assert train_command([*flags, *SMALL]) == 2
    err = capsys.readouterr().err
    assert "--env: the task cannot be used: episode 1, step 1: the environment raised TypeError(" in err
    assert err.count("\n") == 1 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("part", ["state", "reward", "terminated", "truncated"])
def test_what_cannot_become_an_array_is_refused_at_the_start_and_stops_a_run_later(small, part, checked):
    """As a tensor of PyTorch that still has gradients: NumPy raises deep inside, and no traceback names the task."""
    with pytest.raises(RequestError) as refused:
        first_step(make_environment(gymnasium.make("Tensors-v0", part=part, disable_env_checker=not checked)))
    words = f"env: the task cannot be used: episode 1, step {int(part != 'state')}: the environment "
    assert str(refused.value).startswith(words) and "requires grad" in str(refused.value)
    assert "\n" not in str(refused.value)
    config = replace(small, learning_starts=1_000)
    with pytest.raises(RunStopped, match=rf"^episode 2, step 3: the environment returned the {part} ") as stopped:
        list(train(DDPG(1, 1, config), answering(**{part: NoArray()})))
    assert "requires grad" in str(stopped.value) and stopped.value.__cause__ is None


def test_a_task_whose_close_raises_is_noted_and_the_run_goes_on(small, tmp_path, capsys):
    config = replace(small, env="Unclosable-v0", learning_starts=1_000, episodes=3, evaluation_episodes=1)
    run = finished_run(config, tmp_path / "run")
    assert run.episode.number == 3
    error = capsys.readouterr().err
    assert set(error.splitlines()) == {"note: closing Unclosable-v0 raised OSError('the valve is stuck')"}
