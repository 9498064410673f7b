"""Hindsight: which goals, what is stored with them, what the task is asked, and what a run makes of it."""

import shutil
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from ddpg import DDPG, PRESETS, RequestError, RunStopped, evaluate, make_environment, state_and_action_size
from ddpg import train as train_as_configured
from ddpg.experience.hindsight import Hindsight, goals_in_state
from ddpg.run.train import main
from ddpg.training import train
from tests.helpers.runs import assert_same_run, csv_rows, finish, finished_run
from tests.helpers.tasks import Task

DESIRED, ACHIEVED = slice(1, 3), slice(3, 5)  # after the observation: this space is not sorted by its keys


def walked(config, steps=6, number=1, environment=None, **kwargs):
    """Let an agent walk to the right, a tenth at a time, and store the episode again; return both and the rows."""
    environment = environment or make_environment(config.env, kwargs)
    agent, hindsight = DDPG(5, 2, config), Hindsight(environment, config)
    state, _ = environment.reset(seed=1)
    for _ in range(steps):
        action = np.float32([1, 0])
        next_state, reward, terminated, _, info = environment.step(action)
        agent.remember(state, action, reward, next_state, terminated)
        hindsight.see(state, action, next_state, terminated, info)
        state = next_state
    hindsight.store(agent, number)
    rows = agent.replay_buffer.rows[: agent.replay_buffer.added]
    return agent, agent.replay_buffer.split(rows[:steps]), agent.replay_buffer.split(rows[steps:])


@pytest.fixture
def goals(small):
    return replace(small, env="Reaching-v0", hindsight_goals=4)


def test_each_step_is_stored_again_with_goals_achieved_in_it_or_later_and_with_their_rewards(goals):
    """The point is at 0.1, 0.2 ... 0.6 after its steps. A goal that is less than 0.15 away is reached."""
    _, episode, again = walked(goals)
    assert again.state.shape == (24, 5)
    t, j = np.repeat(np.arange(6), 4), np.rint(10 * again.state[:, 1]).astype(int) - 1
    assert (j >= t).all() and (j < 6).all()
    for stored, part in ((again.state, episode.state), (again.next_state, episode.next_state)):
        np.testing.assert_array_equal(stored[:, DESIRED], episode.next_state[j, ACHIEVED])
        np.testing.assert_array_equal(stored[:, ACHIEVED], part[t, ACHIEVED])
        np.testing.assert_array_equal(stored[:, 0], part[t, 0])
    np.testing.assert_array_equal(again.action, episode.action[t])
    distance = 0.1 * (j - t)
    np.testing.assert_array_equal(again.reward[:, 0], np.where(distance > 0.15, -1, 0))
    assert not again.terminated.any()


def test_every_later_goal_is_as_likely_as_any_other(goals):
    _, _, again = walked(replace(goals, hindsight_goals=3_000), steps=3)
    j = np.rint(10 * again.state[:, 1]).astype(int).reshape(3, -1) - 1
    for t, drawn in enumerate(j):
        counts = np.bincount(drawn, minlength=3)
        np.testing.assert_allclose(counts, [0] * t + [3_000 / (3 - t)] * (3 - t), atol=150)


def test_the_draws_depend_on_the_seed_and_the_episode_alone(goals):
    def drawn(config, number=1):
        return walked(config, number=number)[2].state[:, 1].tolist()

    assert drawn(goals) == drawn(goals)
    assert drawn(goals) != drawn(goals, number=2)
    assert drawn(goals) != drawn(replace(goals, seed=1))


@pytest.mark.parametrize("function", ["many", "one"])
def test_rewards_come_from_one_call_where_the_task_can_and_else_one_by_one(goals, function):
    environment = make_environment("Reaching-v0", {"function": function})
    asked = environment.unwrapped.asked
    hindsight, agent = Hindsight(environment, goals), DDPG(5, 2, goals)
    state, _ = environment.reset(seed=1)
    for number in (1, 2):
        asked.clear()
        for _ in range(3):
            next_state, _, terminated, _, info = environment.step(np.float32([1, 0]))
            hindsight.see(state, np.float32([1, 0]), next_state, terminated, info)
        hindsight.store(agent, number)
    assert len(asked) == (1 if function == "many" else 12)
    achieved, desired, info = asked[0]
    assert (achieved.dtype, desired.dtype) == (np.float64, np.float64)  # as the task's own
    assert achieved.shape == desired.shape == ((12, 2) if function == "many" else (2,))
    assert info == ([{"clock": clock} for clock in (4, 5, 6) for _ in range(4)] if function == "many" else {"clock": 4})


def test_a_task_may_use_one_info_again_and_again(goals):
    environment, info = make_environment("Reaching-v0", {"function": "one"}), {}
    hindsight = Hindsight(environment, goals)
    for info["clock"] in (1, 2):
        hindsight.see(np.zeros(5), np.zeros(2), np.zeros(5), False, info)
    hindsight.store(DDPG(5, 2, goals), 1)
    assert [asked["clock"] for *_, asked in environment.unwrapped.asked[-8:]] == [1] * 4 + [2] * 4


def test_both_ways_give_the_same_rows(goals):
    many, one = (walked(goals, function=function)[0].replay_buffer.rows for function in ("many", "one"))
    np.testing.assert_array_equal(many, one)


def test_a_goal_that_ends_the_task_ends_it_in_hindsight_too(goals):
    _, episode, again = walked(replace(goals, env="Arriving-v0"), steps=2)
    assert not episode.terminated.any()
    np.testing.assert_array_equal(again.terminated, again.reward == 0)


def test_a_task_that_does_not_say_which_goals_end_it_keeps_its_own_flags(goals):
    hindsight = Hindsight(make_environment("Reaching-v0"), goals)
    agent = DDPG(5, 2, goals)
    for terminated in (False, True):
        hindsight.see(np.zeros(5), np.zeros(2), np.ones(5), terminated, {})
    hindsight.store(agent, 1)
    assert agent.replay_buffer.split(agent.replay_buffer.rows[:8]).terminated.ravel().tolist() == [0.0] * 4 + [1.0] * 4


def test_goals_are_found_where_gymnasium_puts_them():
    environment = make_environment("Reaching-v0")
    task = environment.unwrapped
    state, _ = environment.reset(seed=3)
    state, *_ = environment.step(np.float32([0.5, -1]))
    achieved, desired, space = goals_in_state(environment, "Reaching-v0")
    np.testing.assert_array_equal(state[achieved], np.float32(task.point))
    np.testing.assert_array_equal(state[desired], np.float32(task.goal))
    assert space == task.goals


def test_rows_are_no_steps_and_a_full_ring_keeps_the_newest(goals):
    agent, _, _ = walked(goals)
    assert (agent.steps, agent.replay_buffer.added) == (6, 30)
    ring, _, _ = walked(replace(goals, buffer_size=16))
    for kept, newest in zip(ring.replay_buffer.newest(16), agent.replay_buffer.newest(16), strict=True):
        np.testing.assert_array_equal(kept, newest)


def test_a_wrapper_around_the_task_may_have_the_functions_and_change_the_goals(goals):
    class Doubled(gymnasium.Wrapper):
        def compute_reward(self, achieved_goal, desired_goal, info):
            return 2 * self.env.unwrapped.compute_reward(achieved_goal, desired_goal, info)

    _, _, again = walked(goals, environment=make_environment(Doubled(gymnasium.make("Reaching-v0"))))
    assert set(again.reward.ravel()) == {0.0, -2.0}


class Goals(Task):
    """A task with the states that it is given, and perhaps a way to compute rewards."""

    def __init__(self, **parts):
        self.observation_space = spaces.Dict(parts)


BOX = spaces.Box(-1, 1, (2,))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Task(), "the states of T-v0 have no observation; hindsight needs states that are a Dict of observation, "),
        (Goals(observation=BOX, achieved_goal=BOX), "the states of T-v0 have no desired_goal; hindsight needs"),
        (Goals(observation=BOX, achieved_goal=BOX, desired_goal=BOX), "T-v0 has no compute_reward; hindsight needs"),
        (
            Goals(observation=BOX, achieved_goal=spaces.Discrete(2), desired_goal=spaces.Discrete(2)),
            r"the goals of T-v0 are Discrete\(2\) and Discrete\(2\); hindsight needs arrays \(Box\) of one shape",
        ),
    ],
)
def test_a_task_without_goals_is_refused_in_one_line(goals, task, message):
    with pytest.raises(RequestError, match=f"^hindsight_goals: {message}"):
        Hindsight(make_environment(task), replace(goals, env="T-v0"))


def test_the_command_refuses_a_task_without_goals_and_writes_nothing(tmp_path, capsys):
    arguments = ["--env", "Pendulum-v1", "--hindsight-goals", "4", "--run-dir", f"{tmp_path}/run"]
    assert main([*arguments, "--plot-dir", str(tmp_path), "--no-progress"]) == 2
    assert "--hindsight-goals: the states of Pendulum-v1 have no observation" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_function_of_the_task_that_fails_stops_the_run_and_says_which(goals):
    with pytest.raises(RunStopped, match=r"^hindsight: the task's compute_reward raised no such goal$"):
        walked(goals, function="fails")


def test_a_reward_that_is_no_number_stops_the_run(goals):
    environment = make_environment("Reaching-v0")
    environment.unwrapped.compute_reward = lambda achieved, desired, info: np.full(len(info), np.nan)
    with pytest.raises(RunStopped, match=r"^hindsight: the task's compute_reward returned nan$"):
        walked(goals, environment=environment)


def test_training_with_the_setting_and_without_its_object_is_refused(goals):
    environment = make_environment("Reaching-v0")
    with pytest.raises(RequestError, match="train needs hindsight=Hindsight"):
        next(train(DDPG(*state_and_action_size(environment), goals), environment))


def test_the_librarys_train_needs_the_setting_alone(goals):
    environment = make_environment("Reaching-v0")
    agent = DDPG(*state_and_action_size(environment), replace(goals, episodes=2))
    assert len(list(train_as_configured(agent, environment))) == 2
    assert (agent.steps, agent.replay_buffer.added) == (20, 100)


def test_a_run_counts_its_steps_and_resumes_exactly_also_after_a_kill(goals, tmp_path, without_plots):
    """The log is in environment steps; the rows are five times as many. A kill leaves a log ahead of its checkpoint."""
    config = replace(goals, episodes=12, normalize_observations=True, evaluate_every=40, evaluation_episodes=1)
    config = replace(config, train_frequency=0, gradient_steps=7, checkpoint_every=30)
    whole = finished_run(config, tmp_path / "whole")
    assert (whole.agent.steps, whole.agent.replay_buffer.added, whole.agent.updates) == (120, 600, 7 * 11)
    killed = finished_run(replace(config, episodes=7), tmp_path / "killed")
    shutil.rmtree(killed.folder.path / "checkpoints" / "step-000000070")
    finish(tmp_path / "killed", episodes=12)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    assert [row["steps"] for row in csv_rows(tmp_path / "killed" / "episodes.csv")] == [
        str(10 * k) for k in range(1, 13)
    ]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("goals_per_step", "solved"), [(4, True), (0, False)])
def test_a_point_learns_to_reach_its_goals_with_hindsight_and_not_without(goals_per_step, solved):
    config = replace(PRESETS["goals"], env="examples.goals.point:Point-v0", hindsight_goals=goals_per_step, steps=3_000)
    environment = make_environment(config)
    agent = DDPG(*state_and_action_size(environment), config)
    list(train_as_configured(agent, environment))
    rate = evaluate(agent, environment, 50, 20_000).success_rate
    assert rate >= 0.98 if solved else rate < 0.2
