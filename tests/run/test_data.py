"""Runs that begin with logged data: stored, learned from before the first step, resumed, and refused."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from ddpg import Config, RequestError
from ddpg.run import data
from ddpg.run.data import ROUND, judgement, warnings_about_values
from ddpg.run.start import start_run
from ddpg.run.train import main as train
from ddpg.settings.schedules import falling
from ddpg.storage.checkpoints import all_checkpoints
from ddpg.storage.files import checksum
from tests.helpers.pages import ROOT
from tests.helpers.runs import SMALL, assert_same_run, csv_rows, finish, finished_run, names, read_back


def write_log(path, steps=40, reward=-1.0):
    """Write the log of a controller of the task "Matching": the action is half of the state, episodes have one step."""
    states = np.linspace(-0.8, 0.8, steps)[:, None]
    np.savez(
        path, observations=states, actions=states / 2, rewards=np.full(steps, reward), next_observations=states,
        terminals=np.ones(steps, bool),
    )  # fmt: skip
    return path


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "log.npz")


@pytest.fixture
def config(small, without_plots, log):
    return replace(
        small, env="Matching-v0", episodes=20, evaluate_every=10, evaluation_episodes=1, data={str(log): ""},
        checkpoint_every=10,
    )  # fmt: skip


def test_data_fill_the_replay_buffer_and_are_no_steps(config, tmp_path):
    run = finished_run(replace(config, learning_starts=19), tmp_path / "run")
    agent, description = read_back(tmp_path / "run")
    assert (agent.replay_buffer.added, agent.steps, description["episode"]["steps"]) == (60, 20, 20)
    rows = agent.replay_buffer.split(agent.replay_buffer.rows[:40])
    np.testing.assert_allclose(rows.action, rows.state / 2, rtol=1e-6)
    assert agent.updates == 2  # at steps 19 and 20: the data do not count towards the random steps
    assert run.folder.kept["data"] == [-1.0, 40]


def test_the_settings_name_the_file_and_its_checksum_and_resuming_does_not_need_it(config, log, tmp_path):
    finished_run(replace(config, episodes=10), tmp_path / "run")
    settings = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert settings["data"] == {str(log): checksum(log)}
    log.rename(tmp_path / "elsewhere.npz")
    assert finish(tmp_path / "run", episodes=20).episode.number == 20


def test_a_changed_file_is_refused_when_a_run_is_repeated(config, log, tmp_path):
    run = finished_run(config, tmp_path / "run")
    write_log(log, reward=-2.0)
    with pytest.raises(RequestError, match=f"data: {log} was changed: its SHA-256 is {checksum(log)}, not "):
        start_run(run.config, tmp_path / "again", tmp_path)
    assert not (tmp_path / "again").exists()


def test_updates_on_data_come_before_the_first_step_and_zero_steps_are_enough(config, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(data, "ROUND", 10)
    run = finished_run(replace(config, steps=0, data_updates=25), tmp_path / "run")
    assert (run.agent.updates, run.agent.steps, run.episode.number) == (25, 0, 0)
    assert [row["updates"] for row in csv_rows(tmp_path / "run" / "updates.csv")] == ["10", "20", "25"]
    (row,) = csv_rows(tmp_path / "run" / "evaluations.csv")
    assert row["steps"] == "0"
    assert names(tmp_path / "run" / "checkpoints") == ["best-000000000", "data-000000025", "replay", "step-000000000"]
    assert "the 40 episodes of the data return -1 on average" in capsys.readouterr().err
    longer = finish(tmp_path / "run", steps=5)
    assert (longer.agent.steps, longer.agent.updates) == (5, 25)  # the next is due when a minibatch of steps is there


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", ["data-000000000", "data-000000010", "step-000000000"])
def test_a_run_resumed_at_any_checkpoint_of_its_data_is_the_whole_run(config, tmp_path, monkeypatch, checkpoint):
    monkeypatch.setattr(data, "ROUND", 10)
    config = replace(
        config,
        data_updates=20,
        imitation_decay_steps=30,
        keep_checkpoints=9,
        learning_starts=4,
        normalize_observations=True,
    )
    finished_run(config, tmp_path / "whole")
    finished_run(config, tmp_path / "cut")
    finish(tmp_path / "cut" / "checkpoints" / checkpoint)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


def test_imitation_fades_over_environment_steps(small):
    config = replace(small, data={"log.npz": ""}, imitation=2.0, imitation_decay_steps=100)
    assert [falling(step, config.imitation_decay_steps) for step in (0, 25, 100, 500)] == [1.0, 0.75, 0.0, 0.0]
    assert falling(10**9, None) == 1.0


def test_faded_imitation_leaves_the_actor_to_its_critic(config, tmp_path):
    """From the step on at which it has faded, nothing differs from a run whose data carry no mark."""
    run = start_run(replace(config, imitation=1.0, imitation_decay_steps=1), tmp_path / "run", tmp_path)
    plain = start_run(config, tmp_path / "plain", tmp_path)
    for each in (run, plain):
        for state in np.linspace(0, 0.5, 16, dtype=np.float32)[:, None]:
            each.agent.remember(state, state, 0.0, state, True)
        each.agent.learn()
        each.folder.close()
    np.testing.assert_array_equal(run.agent.actor.action.kernel, plain.agent.actor.action.kernel)


def test_imitation_draws_the_policy_to_the_logged_actions(config, tmp_path):
    """The reward says nothing; what the controller did is half of the state."""
    states = np.linspace(-0.8, 0.8, 9, dtype=np.float32)[:, None]
    distances = []
    for imitation in (0.0, 10.0):
        tuned = replace(config, steps=0, data_updates=400, imitation=imitation, actor_learning_rate=1e-2)
        run = finished_run(tuned, tmp_path / str(imitation))
        actions = np.array([run.agent.act(state, explore=False) for state in states])
        distances.append(float(np.abs(actions - states / 2).mean()))
    assert distances[1] < 0.1 < distances[0]


def test_without_imitation_the_rows_and_the_weights_are_those_of_a_run_without_data(small):
    assert Config().imitation_weight == 0 == replace(small, data={"log.npz": ""}).imitation_weight
    assert replace(small, data={"log.npz": ""}, data_updates=5).imitation_weight > 0


def test_a_policy_worse_than_its_data_is_a_warning_and_a_better_one_a_note():
    evaluation = type("Evaluation", (), {"mean": -5.0})
    assert judgement(evaluation, [-4.0, 7]).startswith(
        "warning: the policy from the data returns -5, the 7 episodes of the data return -4 on average: it is worse"
    )
    assert judgement(evaluation, [-6.0, 7]).startswith("note: the policy from the data returns -5, the 7 episodes")
    assert judgement(evaluation, []) == "note: the policy from the data returns -5; the return of the data is not known"


def test_values_beyond_what_the_rewards_can_add_up_to_are_a_warning(config, tmp_path):
    """Rewards of -1 add up to between -100 and 0."""
    run = start_run(config, tmp_path / "run", tmp_path)
    run.folder.close()
    assert warnings_about_values(run.agent) == []
    run.agent.critic.value.bias.assign([20.0])
    (warning,) = warnings_about_values(run.agent)
    assert "but the data's rewards add up to between -100 and 0: do not trust this policy" in warning


REFUSED = [
    (["--data-updates", "5"], "--data-updates: there is nothing to learn from before the first step; use --data"),
    (["--imitation", "1"], "--imitation: there are no logged actions to imitate; use --data"),
    (["--steps", "0"], "--steps: no steps and no updates train nothing; use at least 1, or --data-updates"),
    (["--data", "none.npz"], "--data: cannot read none.npz (No such file or directory)"),
    (["--data", "log.npz", "--env", "Pendulum-v1"], "--data: log.npz: its states have 1 numbers, those of the task 3"),
    (["--data", "log.npz", "--batch-size", "64"], "--data: 40 transitions are less than a minibatch"),
]


@pytest.mark.parametrize(("flags", "message"), REFUSED)
def test_what_cannot_be_met_is_refused_in_one_line_and_nothing_is_written(
    tmp_path, log, monkeypatch, capsys, flags, message
):
    monkeypatch.chdir(tmp_path)
    assert train(["--env", "Matching-v0", *SMALL, "--run-dir", "run", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"train.py: error: {message}")
    assert names(tmp_path) == ["log.npz"]


def test_only_the_newest_rows_of_several_files_are_stored(config, tmp_path, monkeypatch):
    other = write_log(tmp_path / "other.npz", reward=-3.0)
    config = replace(config, data=config.data | {str(other): ""}, buffer_size=50)
    run = start_run(config, tmp_path / "run", tmp_path)
    run.folder.close()
    rewards = run.agent.replay_buffer.split(run.agent.replay_buffer.rows).reward[:, 0]
    assert rewards.tolist() == [-1] * 10 + [-3] * 40
    assert "only the newest 50 of 80 (62 %) transitions fit into --buffer-size" in run.notes


def test_checkpoints_on_data_count_updates_and_come_before_those_of_steps(tmp_path):
    for name in ("step-000000000", "data-000020000", "data-000000500", "best-000000000", "step-000000200"):
        (tmp_path / name).mkdir()
    assert [path.name for path in all_checkpoints(tmp_path)] == [
        "data-000000500", "data-000020000", "step-000000000", "step-000000200",
    ]  # fmt: skip
    assert ROUND == 1_000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_killed_among_its_updates_on_data_ends_where_the_undisturbed_run_ends(log, tmp_path):
    """The file of data is gone after the first life."""
    settings = [
        "--env",
        "Pendulum-v1",
        *SMALL,
        "--episodes",
        "2",
        "--data-updates",
        "3000",
        "--checkpoint-every",
        "300",
    ]
    settings += ["--imitation-decay-steps", "300", "--evaluation-episodes", "1", "--data", str(log)]
    common = ["--no-progress", "--plot-dir", str(tmp_path)]
    rng = np.random.default_rng(0)
    states = rng.normal(size=(300, 3))
    parts = {"observations": states, "next_observations": np.roll(states, 1), "actions": states[:, :1]}
    np.savez(log, rewards=states[:, 1], terminals=np.zeros(300), **parts)
    assert train([*settings, "--run-dir", str(tmp_path / "whole"), *common]) == 0
    first, rest = [*settings, "--run-dir", str(tmp_path / "killed")], ["--resume", str(tmp_path / "killed")]
    for words, reached in ((first, "data-000001000"), (rest, "data-000002000"), (rest, "step-000000000")):
        with subprocess.Popen([sys.executable, ROOT / "train.py", *words, *common], stderr=subprocess.DEVNULL) as life:
            while not (tmp_path / "killed" / "checkpoints" / reached).exists():
                assert life.poll() is None
                time.sleep(0.005)
            life.kill()
        log.unlink(missing_ok=True)
    assert train([*rest, *common]) == 0
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
