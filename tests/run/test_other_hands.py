"""Surroundings of other people: tasks that change what they are given, settings of other programs, changed files."""

import json
import os
from typing import ClassVar

import gymnasium
import keras
import matplotlib
import numpy as np
import pytest

from ddpg import DDPG, Config, RequestError, evaluate, make_environment, train
from ddpg.command.tensorflow import import_tensorflow
from ddpg.run.memory import cgroup_limits
from ddpg.run.start import resume_run, start_run
from ddpg.run.train import main
from tests.helpers.runs import SMALL, finished_run
from tests.helpers.tasks import Task


class Popping(Task):
    """Takes its gain out of the dictionary that it is given, as many constructors do."""

    gains: ClassVar[list] = []

    def __init__(self, config=None):
        self.gains.append((config or {}).pop("gain", 1.0))


class Wandering(Task):
    """Changes the working directory when it is made."""

    def __init__(self, folder="/"):
        import os

        os.chdir(folder)


for task in (Popping, Wandering):
    gymnasium.register(f"{task.__name__}-v0", task, max_episode_steps=10, disable_env_checker=True)
FLAGS = ("--episodes", "2", "--evaluation-episodes", "1", "--no-progress", *SMALL)


def test_every_instance_of_a_task_gets_arguments_of_its_own(tmp_path):
    Popping.gains.clear()
    given = {"config": {"gain": 5.0}}
    config = Config(
        env="Popping-v0", env_kwargs=given, episodes=1, evaluation_episodes=1, hidden_units=(8, 8), jit_compile=False
    )
    run = finished_run(config, tmp_path / "run")
    assert set(Popping.gains) == {5.0} and len(Popping.gains) >= 3
    assert given == run.config.env_kwargs == {"config": {"gain": 5.0}}
    given["config"]["gain"] = 7.0
    assert config.env_kwargs == {"config": {"gain": 5.0}}


def test_a_task_that_changes_the_working_directory_moves_no_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    kwargs = f'{{"folder": "{tmp_path / "elsewhere"}"}}'
    assert main(["--env", "Wandering-v0", "--env-kwargs", kwargs, "--run-dir", "run", *FLAGS]) == 0
    assert "run folder  run\n" in capsys.readouterr().out
    assert (tmp_path / "run" / "checkpoints").is_dir() and (tmp_path / "plots").is_dir()
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    "use", [lambda agent, task: list(train(agent, task)), lambda agent, task: evaluate(agent, task, 1)]
)
def test_a_task_that_is_not_scaled_is_refused(use):
    agent = DDPG(3, 1, Config(episodes=1, hidden_units=(8, 8), jit_compile=False))
    with pytest.raises(RequestError, match=r"use ddpg\.make_environment\(task\)"):
        use(agent, gymnasium.make("Pendulum-v1"))
    assert use(agent, make_environment(gymnasium.make("Pendulum-v1")))


def test_pictures_that_cannot_be_drawn_end_no_run(tmp_path, capsys):
    with matplotlib.rc_context({"text.usetex": True}):
        where = ["--run-dir", str(tmp_path / "run"), "--plot-dir", str(tmp_path)]
        assert main(["--env", "Endless-v0", *where, *FLAGS]) == 0
    assert capsys.readouterr().err.count("the reward curve failed") <= 1
    assert (tmp_path / "run" / "checkpoints" / "step-000000040").is_dir() or list(
        (tmp_path / "run" / "checkpoints").glob("step-*")
    )


def test_a_run_needs_none_of_its_files_to_know_its_settings(tmp_path, monkeypatch):
    run = start_run(
        Config(env="Endless-v0", episodes=3, evaluation_episodes=1, hidden_units=(8, 8), jit_compile=False),
        tmp_path / "run",
        tmp_path,
    )
    (tmp_path / "run" / "config.json").unlink()
    monkeypatch.setattr("ddpg.run.training_run.SECONDS_BETWEEN_PLOTS", 0)
    run.train(show_progress=False)
    assert run.episode.number == 3 and run.plot_path.is_file()


def test_keras_of_another_floating_point_type_is_set_right(tmp_path):
    keras.config.set_floatx("float64")
    try:
        assert main(["--env", "Endless-v0", "--run-dir", str(tmp_path / "r"), "--plot-dir", str(tmp_path), *FLAGS]) == 0
        assert keras.config.floatx() == "float32"
    finally:
        keras.config.set_floatx("float32")


def test_keras_of_another_backend_is_set_right_or_refused_in_one_line(monkeypatch):
    """KERAS_BACKEND and keras.json say what other programs want; PyTorch and JAX are not even installed here."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import_tensorflow()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    monkeypatch.setattr("keras.config.backend", lambda: "jax")
    with pytest.raises(RequestError, match="the backend jax before ddpg; import ddpg first, or set KERAS_BACKEND"):
        import_tensorflow()


def test_a_csv_file_that_a_spreadsheet_has_changed_is_refused_before_anything_changes(small, tmp_path, without_plots):
    finished_run(
        Config(env="Endless-v0", episodes=3, evaluation_episodes=1, hidden_units=(8, 8), jit_compile=False),
        tmp_path / "run",
    )
    path = tmp_path / "run" / "episodes.csv"
    path.write_bytes(path.read_bytes().replace(b".0,", b".000,"))
    before = {file: file.read_bytes() for file in (tmp_path / "run").rglob("*") if file.is_file()}
    with pytest.raises(RequestError, match=r"episodes\.csv was changed since the checkpoint, perhaps by a spreadsheet"):
        resume_run(tmp_path / "run", tmp_path, {"episodes": 4})
    assert {file: file.read_bytes() for file in (tmp_path / "run").rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("state", np.float32(0.5), "the state must have the shape"),
        ("next_state", [0, np.nan, 0], "the next state .* is not finite"),
        ("action", [1.5], r"is outside of \[-1, 1\]"),
        ("reward", np.inf, "the reward must be one finite number"),
        ("reward", [1.0, 2.0], "the reward must be one finite number"),
    ],
)
def test_what_does_not_fit_is_not_remembered(part, value, message):
    agent = DDPG(3, 1, Config(hidden_units=(8, 8), jit_compile=False))
    parts = {"state": np.zeros(3), "action": [0.0], "reward": 0.0, "next_state": np.zeros(3), "terminated": False}
    with pytest.raises(ValueError, match=message):
        agent.remember(**parts | {part: value})
    assert agent.steps == 0
    agent.remember(**parts)
    assert agent.steps == 1


@pytest.mark.parametrize("state", [np.zeros(7), np.zeros((2, 3)), [0, 0, np.nan]])
def test_a_state_that_does_not_fit_is_not_acted_on(state):
    with pytest.raises(ValueError, match="the state"):
        DDPG(3, 1, Config(hidden_units=(8, 8), jit_compile=False)).act(state, explore=False)


def test_the_smallest_limit_of_memory_along_the_way_counts(tmp_path):
    """A batch system limits the group of the job; the group of the machine has another limit, or none."""
    job = tmp_path / "slice" / "job"
    job.mkdir(parents=True)
    for folder, most, used in ((tmp_path, "max", 0), (job.parent, 5_000, 1_000), (job, 3_000, 500)):
        (folder / "memory.max").write_text(f"{most}\n")
        (folder / "memory.current").write_text(f"{used}\n")
    groups = tmp_path / "cgroup"
    groups.write_text("0::/slice/job\n")
    assert min(cgroup_limits(tmp_path, groups)) == 2_500
    (tmp_path / "memory" / "job").mkdir(parents=True)
    (tmp_path / "memory" / "job" / "memory.limit_in_bytes").write_text("900")
    (tmp_path / "memory" / "job" / "memory.usage_in_bytes").write_text("100")
    groups.write_text("3:cpu,memory:/job\n")
    assert min(cgroup_limits(tmp_path, groups)) == 800


@pytest.mark.parametrize("lost", ["all", "the oldest"])
def test_a_checkpoint_that_lost_replay_files_is_not_resumed(tmp_path, without_plots, lost):
    """It would go on with an emptier buffer, and say nothing."""
    config = Config(
        env="Endless-v0", episodes=4, checkpoint_every=20, evaluation_episodes=1, hidden_units=(8, 8), jit_compile=False
    )
    finished_run(config, tmp_path / "run")
    manifest = tmp_path / "run" / "checkpoints" / "step-000000040" / "manifest.json"
    content = json.loads(manifest.read_text())
    assert len(content["replay"]) > 1
    manifest.write_text(json.dumps(content | {"replay": [] if lost == "all" else content["replay"][1:]}))
    with pytest.raises(
        RequestError,
        match=r"manifest\.json is corrupt .*its replay files (begin at transition 20, not at 0|end at step 0)",
    ):
        resume_run(tmp_path / "run", tmp_path, {"episodes": 5})


class Film(Task):
    """A task that renders what it is told, and keeps its render mode only if told so."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012

    def __init__(self, render_mode=None, keeps=True, picture="good"):
        self.render_mode = render_mode if keeps else None
        self.picture = picture

    def render(self):
        pictures = {"good": np.zeros((32, 32, 3), np.uint8), "flat": np.zeros((32, 32), np.uint8), "none": None}
        return pictures[self.picture]


gymnasium.register("Film-v0", Film, max_episode_steps=10, disable_env_checker=True)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"keeps": False}, "the task has the render mode None, not 'rgb_array'"),
        ({"picture": "flat"}, "render() gives shape (32, 32), uint8, not a picture"),
        ({"picture": "none"}, "render() gives None, not a picture"),
        ({"picture": "odd"}, "the task cannot be rendered ('odd')"),
    ],
)
def test_a_task_of_which_no_film_can_be_made_is_refused_in_one_line(tmp_path, capsys, kwargs, said):
    from ddpg.policy.evaluate import main as evaluate_command

    config = Config(
        env="Film-v0", env_kwargs=kwargs, episodes=1, evaluation_episodes=1, hidden_units=(8, 8), jit_compile=False
    )
    run = finished_run(config, tmp_path / "run")
    command = ["--checkpoint", str(run.folder.path), "--episodes", "1", "--video", str(tmp_path / "films")]
    assert evaluate_command(command) == 2
    err = capsys.readouterr().err
    assert f"--video: {said}" in err or f"--video: the task's {said}" in err
    assert not list(tmp_path.glob("films/*.mp4"))


def test_a_prefix_does_not_make_gymnasiums_own_task_another_ones(tmp_path, capsys):
    assert main(["--env", "json:Pendulum-v1", "--run-dir", str(tmp_path / "r"), *FLAGS]) == 2
    err = capsys.readouterr().err
    assert "--env: Pendulum-v1 is Gymnasium's own task and none of 'json'" in err and err.count("\n") == 1
    assert not (tmp_path / "r").exists()


def test_a_run_folder_of_a_long_name_has_its_picture_and_one_that_is_no_text_is_refused(tmp_path, capsys):
    run = "r" * 240
    assert main(["--env", "Endless-v0", "--run-dir", str(tmp_path / run), "--plot-dir", str(tmp_path), *FLAGS]) == 0
    (picture,) = tmp_path.glob("*.png")
    assert picture.name.startswith("Endless-v0-rrr") and capsys.readouterr().err == ""
    with pytest.raises(SystemExit) as exit:
        main(["--env", "Endless-v0", "--run-dir", str(tmp_path / "r\udcff"), *FLAGS])
    assert exit.value.code == 2
    assert "argument --run-dir: the name" in capsys.readouterr().err
    assert len(list(tmp_path.iterdir())) == 2


def test_a_reward_that_is_always_the_same_is_said_to_teach_nothing(tmp_path, capsys):
    gymnasium.register("Costly-v0", Costly, max_episode_steps=10, disable_env_checker=True)
    where = ["--run-dir", str(tmp_path / "run"), "--plot-dir", str(tmp_path)]
    assert main(["--env", "Costly-v0", "--batch-size", "4", *where, *FLAGS[:5], "--hidden-units", "8x8"]) == 0
    assert "every reward so far was -1, so there was nothing to learn from" in capsys.readouterr().err


class Costly(Task):
    """Each step costs 1, whatever is done."""

    def step(self, action):
        state, _, *rest = super().step(action)
        return state, -1.0, *rest


def test_a_log_that_is_gone_at_the_end_of_a_run_is_a_note(tmp_path, monkeypatch, capsys):
    """The warnings are made from it; the training is done."""
    from ddpg.run.training_run import TrainingRun

    own = TrainingRun.train

    def train_and_lose_the_log(self, *arguments):
        own(self, *arguments)
        (self.folder.path / "updates.csv").unlink()

    monkeypatch.setattr(TrainingRun, "train", train_and_lose_the_log)
    where = ["--run-dir", str(tmp_path / "run"), "--plot-dir", str(tmp_path)]
    assert main(["--env", "Endless-v0", *where, *FLAGS]) == 0
    printed = capsys.readouterr()
    assert "the look at the log for signs of failure failed" in printed.err and "run folder" in printed.out
