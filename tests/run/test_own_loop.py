"""An agent from a loop of one's own: saved, exported, and continued as if it had never been interrupted."""

import numpy as np
import pytest

from ddpg import (
    DDPG,
    Config,
    RequestError,
    load_agent,
    load_policy,
    make_environment,
    save_agent,
    state_and_action_size,
)
from ddpg.export import export_policy
from ddpg.policy.evaluate import main as evaluate
from ddpg.policy.policy_file import FilePolicy
from ddpg.run.train import main as train
from tests.helpers.agents import NETWORKS, numbers
from tests.helpers.tasks import Task

CONFIG = Config(
    env="Pendulum-v1", hidden_units=(8, 8), batch_size=8, buffer_size=150, jit_compile=False, noise="ou", seed=3
)


def practice(agent: DDPG, environment, episodes) -> DDPG:
    """Train as docs/custom-environments.md shows, for 30 steps an episode."""
    for episode in episodes:
        state, _ = environment.reset(seed=episode)
        agent.begin_episode()
        for _ in range(30):
            action = agent.act(state)
            next_state, reward, terminated, _, _ = environment.step(action)
            agent.remember(state, action, reward, next_state, terminated)
            agent.update()
            state = next_state
    return agent


@pytest.fixture(scope="module")
def environment():
    return make_environment(CONFIG)


def new_agent(environment) -> DDPG:
    return DDPG(*state_and_action_size(environment), CONFIG)


def test_an_agent_that_was_saved_learns_on_as_if_never_interrupted(environment, tmp_path):
    """Also with a full replay buffer, and saved twice into the same folder."""
    undisturbed = practice(new_agent(environment), environment, range(9))
    agent = practice(new_agent(environment), environment, range(2))
    save_agent(agent, tmp_path / "own")
    practice(agent, environment, range(2, 7))
    save_agent(agent, tmp_path / "own")
    resumed = practice(load_agent(tmp_path / "own"), environment, range(7, 9))
    assert (resumed.steps, resumed.updates) == (undisturbed.steps, undisturbed.updates)
    for name in NETWORKS:
        np.testing.assert_array_equal(numbers(getattr(resumed, name)), numbers(getattr(undisturbed, name)))
    np.testing.assert_array_equal(resumed.replay_buffer.rows, undisturbed.replay_buffer.rows)
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_a_saved_agent_is_evaluated_and_exported_like_a_run(environment, tmp_path, capsys):
    agent = practice(new_agent(environment), environment, range(2))
    folder = save_agent(agent, tmp_path / "own")
    state = np.array([0.6, 0.8, 1.5], np.float32)
    np.testing.assert_allclose(load_policy(folder)(state), 2 * agent.act(state, explore=False), rtol=1e-6)
    assert evaluate(["--checkpoint", str(folder), "--episodes", "1"]) == 0
    assert export_policy(folder, tmp_path / "policy.onnx").metadata["step"] == 60


def test_an_agent_of_a_task_without_a_name_is_exported_from_memory(tmp_path):
    environment = make_environment(Task(), max_episode_steps=30)
    agent = practice(DDPG(1, 1, CONFIG), environment, range(1))
    exported = export_policy(agent, tmp_path / "policy.onnx", environment=environment)
    assert exported.metadata["step"] == 30 and exported.states > 1_000
    state = np.array([0.3], np.float32)
    np.testing.assert_allclose(
        FilePolicy(tmp_path / "policy.onnx").act(state), agent.act(state, explore=False), atol=1e-6
    )
    with pytest.raises(RequestError, match="give the agent's task too"):
        export_policy(agent, tmp_path / "other.onnx")
    with pytest.raises(RequestError, match="state and action sizes"):
        export_policy(agent, tmp_path / "other.onnx", environment=make_environment("Pendulum-v1"))


def test_what_save_agent_did_not_write_is_never_replaced(environment, tmp_path):
    agent = new_agent(environment)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "draft.txt").write_text("years of work")
    folder = save_agent(agent, tmp_path / "own")
    (folder / "notes.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "thesis")
    for name, message in (("thesis", "is not from save_agent"), ("own", "is not from save_agent"), ("link", "link")):
        with pytest.raises(RequestError, match=message):
            save_agent(agent, tmp_path / name)
    assert (tmp_path / "thesis" / "draft.txt").exists() and (folder / "notes.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "own", "thesis"]


def test_train_refuses_to_resume_what_is_no_run_and_names_the_way(environment, tmp_path, capsys):
    folder = save_agent(new_agent(environment), tmp_path / "own")
    assert train(["--resume", str(folder)]) == 2
    assert "is from save_agent; continue it in your own loop, with ddpg.load_agent" in capsys.readouterr().err


def test_saving_again_touches_no_folder_of_a_similar_name(tmp_path):
    agent = DDPG(3, 1, CONFIG)
    for name in ("agent.old", "agent.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.txt").write_text("mine")
    for _ in range(2):
        save_agent(agent, tmp_path / "agent")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agent", "agent.old", "agent.partial"]
    assert len(list(tmp_path.rglob("thesis.txt"))) == 2
