"""Simulators in processes of their own: what is in them, how they fail, and that nothing of them stays behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import forkserver
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from ddpg import Config, RequestError, evaluate, make_environment
from ddpg.experience.simulators import SimulatorError, Simulators
from tests.helpers.pages import ROOT


def everyone(count):
    return {"reset_mask": np.ones(count, bool)}


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pids, seconds=20.0) -> bool:
    """Return whether all of these processes end within some seconds."""
    deadline = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_alive, pids))


@pytest.fixture
def streams(capfd):
    """What is written to the streams, by new processes too: their server has those with which it was started."""
    forkserver._forkserver._stop()
    return capfd


UNGUARDED = """
import sys, types
sys.modules["tensorflow"] = types.ModuleType("tensorflow")  # as if it were imported
import numpy as np
import tests.helpers.tasks
from ddpg import Config
from ddpg.experience.simulators import Simulators

with Simulators(Config(env="Inside-v0"), 2) as simulators:
    states, _ = simulators.reset(options={"reset_mask": np.ones(2, bool)})
    print(*states.ravel().tolist())
"""


def test_a_process_has_no_tensorflow_and_little_memory_also_below_a_script_without_a_guard(tmp_path):
    """The script imports TensorFlow and has no `if __name__ == "__main__"`; it is run once, in its own process."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    loaded, mebibytes, pid, loaded_again, _, other = map(float, done.stdout.split())
    assert not loaded and not loaded_again and pid != other
    assert mebibytes < 150
    assert gone([int(pid), int(other)])


def test_each_simulator_steps_its_own_task_and_keeps_its_last_state_to_itself():
    config = Config(env="Walking-v0")
    with Simulators(config, 2) as simulators:
        states, _ = simulators.reset(seed=[7, 8], options=everyone(2))
        copy = states.copy()
        next_states, rewards, *_ = simulators.step(np.float32([[0.5], [-0.5]]))
        np.testing.assert_array_equal(states, copy)
    for k, action in enumerate((0.5, -0.5)):
        task = make_environment(config)
        np.testing.assert_array_equal(task.reset(seed=7 + k)[0], states[k])
        state, reward, *_ = task.step(np.float32([action]))
        np.testing.assert_array_equal(state, next_states[k])
        assert reward == rewards[k]


def test_a_simulator_whose_episode_is_over_waits_without_a_step():
    with Simulators(Config(env="Matching-v0"), 1) as simulators:  # episodes of one step
        simulators.reset(seed=[1], options=everyone(1))
        assert simulators.step(np.zeros((1, 1), np.float32))[2].all()
        _, rewards, terminated, truncated, _ = simulators.step(np.ones((1, 1), np.float32))
        assert not (rewards.any() or terminated.any() or truncated.any())


PROBLEMS = {
    "raise": r"the environment raised ValueError\('the pump is dry', <unlocked _thread.lock",
    "exit": "its process ended with exit code 3",
    "segfault": "its process was killed by SIGSEGV",
    "hang": r"no answer within 0.5 s \(--env-timeout\)",
    "nan": r"the environment returned the state \[nan nan\]: non-finite value",
    "shape": r"the environment returned the state \[0. 0. 0.\]: expected 2 values, got 3",
}


def run_into(act: str, simulators: Simulators) -> None:
    """Step until simulator 1 misbehaves, in its second episode."""
    actions = np.zeros((simulators.num_envs, 1), np.float32)
    for _ in range(2):
        simulators.reset(options=everyone(simulators.num_envs))
        for _ in range(3):
            simulators.step(actions)


@pytest.mark.parametrize("act", PROBLEMS)
def test_a_failure_names_the_simulator_and_no_process_stays_behind(act, streams):
    simulators = Simulators(
        Config(env="Misbehaving-v0", env_kwargs={"act": act}), 3, timeout=0.5 if act == "hang" else 60
    )
    pids = [process.pid for process in simulators.processes]
    with simulators, pytest.raises(SimulatorError, match=PROBLEMS[act]) as caught:
        run_into(act, simulators)
    assert caught.value.index == 1
    assert gone(pids, seconds=0)
    assert ("Traceback" in streams.readouterr().err) == (act == "raise")  # of the task's own code, for its author


@pytest.mark.parametrize("act", ["print", "chdir", "interrupt"])
def test_what_a_task_does_in_its_process_does_not_concern_the_training(act, streams):
    """Its prints do not mix with results; Ctrl-C is for the training process, which decides."""
    folder = os.getcwd()
    with Simulators(Config(env="Misbehaving-v0", env_kwargs={"act": act}), 2) as simulators:
        run_into(act, simulators)
        simulators.step(np.zeros((2, 1), np.float32))
    assert os.getcwd() == folder
    assert streams.readouterr().out == ""


def test_a_task_that_cannot_be_made_there_is_one_line():
    with (
        Simulators(Config(env="Misbehaving-v0", env_kwargs={"wheels": 3}), 1, sizes=(2, 1)) as simulators,
        pytest.raises(SimulatorError, match=r"cannot be made in its process .*unexpected keyword argument 'wheels'"),
    ):
        simulators.reset(options=everyone(1))


@pytest.mark.parametrize("controller", [lambda state: state, type("PI", (), {"__call__": lambda self, state: state})])
def test_a_controller_in_several_simulators_is_refused_in_one_line(controller):
    with (
        Simulators(Config(env="Matching-v0"), 1) as simulators,
        pytest.raises(RequestError, match=r"a controller is evaluated in one simulator; .*make_environment"),
    ):
        evaluate(controller, simulators)


def test_a_task_that_cannot_be_sent_to_another_process_is_refused(monkeypatch):
    maker = threading.Lock().acquire  # cannot be pickled
    monkeypatch.setitem(gymnasium.registry, "Bound-v0", gymnasium.envs.registration.EnvSpec("Bound-v0", maker))
    with pytest.raises(RequestError, match=r"num_envs: Bound-v0 cannot be sent to another process .*module:Nam"):
        Simulators(Config(env="Bound-v0"), 2, sizes=(1, 1))


def test_programs_that_a_task_has_started_end_with_it():
    """As co-simulations do; the task does not end them, and is killed."""
    with Simulators(Config(env="Starting-v0"), 1) as simulators:
        states, _ = simulators.reset(options=everyone(1))
        program = int(states[0, 0])
        assert is_alive(program)
    assert gone([program])


@pytest.mark.slow
@pytest.mark.parametrize("act", ["walk", "hang"])
def test_no_process_stays_behind_a_training_process_that_was_killed(act, tmp_path):
    script = f"""
import numpy as np, tests.helpers.tasks, multiprocessing.forkserver as forkserver
from ddpg import Config
from ddpg.experience.simulators import Simulators
from tests.experience.test_simulators import run_into
simulators = Simulators(Config(env="Misbehaving-v0", env_kwargs={{"act": "{act}"}}), 3)
simulators.reset(options={{"reset_mask": np.ones(3, bool)}})
print(*[process.pid for process in simulators.processes], forkserver._forkserver._forkserver_pid, flush=True)
while True:
    run_into("{act}", simulators)
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        time.sleep(1)
        assert len(pids) == 4 and all(map(is_alive, pids))
        process.send_signal(signal.SIGKILL)
    assert gone(pids)


@pytest.mark.parametrize("episodes", [2, 7])
def test_an_evaluation_in_all_simulators_returns_what_one_after_the_other_returns(episodes):
    class Agent:
        def act(self, state, explore):
            return np.clip(state[:1], -1, 1)

    config = Config(env="Walking-v0", env_kwargs={"slow": 1})
    with Simulators(config, 3) as simulators:
        simulators.reset(seed=[1, 2, 3], options=everyone(3))
        simulators.step(np.zeros((3, 1), np.float32))
        evaluation = evaluate(Agent(), simulators, episodes, seed=50)
        after, *_ = simulators.step(np.zeros((3, 1), np.float32))  # training goes on where it was
    assert evaluation == evaluate(Agent(), make_environment(config), episodes, seed=50)
    task = make_environment(config)
    task.reset(seed=1)
    task.step(np.zeros(1, np.float32))
    np.testing.assert_array_equal(task.step(np.zeros(1, np.float32))[0], after[0])
