"""Bad requests: one line, exit code 2, nothing written."""

import importlib.util
import os

import pytest

from ddpg import Config, RequestError
from ddpg.sweep import capacity
from ddpg.sweep.__main__ import main
from ddpg.sweep.cluster import Machine
from ddpg.sweep.jobs import TrainingJob, last_row


@pytest.fixture
def without_ray(monkeypatch):
    """A sweep that would reach Ray fails the test: bad requests must be found before."""
    from contextlib import contextmanager

    from ddpg.sweep import sweep

    @contextmanager
    def here(cores):
        yield [Machine("127.0.0.1", cores, lambda function, *arguments: function(*arguments))]

    monkeypatch.setattr(sweep, "local_ray", here)
    monkeypatch.setattr(sweep, "Workers", lambda *_: pytest.fail("the sweep began"))


@pytest.mark.parametrize(("flags", "message"), [
    (["--vary", "tua=1"], "--vary: there is no setting 'tua'"),
    (["--vary", "tau=0.1,2"], "--tau: 2.0 is outside (0, 1]; the default is 0.005 (in Pendulum-v1,tau=2.0)"),
    (["--env", "Pendulum-v1,Nothing-v0"], "--env: "),
    (["--env", "no_such_module:Task-v0"], "--env: "),
    (["--preset", "blog,papre"], "--preset: 'papre' is not one of blog, paper"),
    (["--config", "nothing.json"], "--config: nothing.json is not the config.json of a run"),
    (["--buffer-size", "100000000000", "--steps", "100000000000"], "of memory, but only"),
    (["--seeds", "0"], "--seeds: must be at least 1"),
    (["--jobs", "0"], "--jobs: must be at least 1"),
])  # fmt: skip
def test_a_bad_sweep_is_refused(tmp_path, without_ray, capsys, flags, message):
    command = ["train", *flags, "--sweep-dir", str(tmp_path / "s"), "--no-progress"]
    try:
        code = main(command)
    except SystemExit as exit:
        code = exit.code
    error = capsys.readouterr().err
    assert code == 2
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_a_preset_that_is_longer_than_the_runs_is_noted_once(tmp_path, without_ray, capsys):
    flags = ["--preset", "blog,mujoco", "--steps", "5000", "--seeds", "3", "--sweep-dir", str(tmp_path / "s")]
    with pytest.raises(pytest.fail.Exception, match="the sweep began"):
        main(["train", *flags, "--no-progress"])
    (note,) = [line for line in capsys.readouterr().err.splitlines() if "note:" in line]
    assert "no update is to be expected: updates start at step 10000" in note and "the run has 5000 steps" in note


def test_a_disk_that_cannot_take_all_runs_is_refused(tmp_path, without_ray, capsys, monkeypatch):
    monkeypatch.setattr(capacity.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10**8})())
    command = ["train", "--steps", "1000000", "--seeds", "3", "--sweep-dir", str(tmp_path / "s"), "--no-progress"]
    assert main(command) == 2
    assert "3 runs together take up to" in (error := capsys.readouterr().err)
    assert "choose another --sweep-dir" in error
    assert not (tmp_path / "s").exists()


def test_memory_is_counted_for_the_runs_that_go_at_once(tmp_path, without_ray, capsys, monkeypatch):
    monkeypatch.setattr(capacity, "available_memory", lambda: 3 * capacity.WORKER_BYTES)
    command = ["train", "--steps", "1000", "--seeds", "8", "--sweep-dir", str(tmp_path / "s"), "--no-progress"]
    assert main([*command, "--jobs", "4"]) == 2
    assert "4 runs together take up to" in capsys.readouterr().err
    with pytest.raises(pytest.fail.Exception, match="the sweep began"):
        main([*command, "--jobs", "2"])


def test_machines_that_lack_the_folder_or_the_tasks_module_are_named(tmp_path):
    """A run on such a machine would train into a folder of its own, or fail after the others have begun."""

    def call(function, *arguments):
        if function is os.path.exists:
            return arguments[0].startswith(str(tmp_path / "shared"))
        raise RequestError("there is no module 'mine'", "env")

    for name in ("shared", "own"):
        (tmp_path / name).mkdir()
    machines = [Machine("10.0.0.1", 2, lambda function, *arguments: function(*arguments)), Machine("10.0.0.2", 2, call)]
    with pytest.raises(RequestError, match=r"own/s is not shared with 10\.0\.0\.2"):
        capacity.check_capacity([TrainingJob(tmp_path / "r", Config())], machines, 1, tmp_path / "own" / "s")
    with pytest.raises(RequestError, match=r"there is no module 'mine' \(on 10\.0\.0\.2\)"):
        capacity.check_capacity([TrainingJob(tmp_path / "r", Config())], machines, 1, tmp_path / "shared" / "s")
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(("command", "package"), [(["train"], "Ray"), (["tune", "--steps", "90"], "Optuna")])
def test_a_missing_package_is_named_with_its_installation(tmp_path, without_ray, capsys, monkeypatch, command, package):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package.lower() else find_spec(name, *rest)
    )
    assert main([*command, "--sweep-dir", str(tmp_path / "s")]) == 2
    err = capsys.readouterr().err
    assert f"{package}; install it with: " in err and err.endswith(f"pip install {package.lower()}\n")
    assert not (tmp_path / "s").exists()


def test_a_folder_that_is_no_sweep_is_refused(tmp_path, without_ray, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["train", "--sweep-dir", str(tmp_path), "--no-progress"]) == 2
    assert "exists and is not a sweep" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(("flags", "message"), [
    ([], "--steps: give the steps of a whole trial"),
    (["--steps", "8"], "--steps: give the steps of a whole trial"),
    (["--steps", "90", "--search", "tau=2..3"], "--search: tau=2.0: 2.0 is outside (0, 1]"),
    (["--steps", "90", "--preset", "blog,paper"], "--preset: tune takes one at a time"),
    (["--steps", "90", "--env", "A,B"], "--env: tune takes one at a time"),
])  # fmt: skip
def test_a_bad_search_is_refused(tmp_path, without_ray, capsys, flags, message):
    assert main(["tune", *flags, "--sweep-dir", str(tmp_path / "s"), "--no-progress"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(("arguments", "message"), [
    (["nowhere"], "there is no folder or file nowhere"),
    (["nowhere", "--out", "x.pdf"], "--out: expected a name that ends in .png, got x.pdf"),
])  # fmt: skip
def test_a_bad_comparison_is_refused(capsys, arguments, message):
    assert main(["compare", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_last_row_of_a_growing_file_is_the_last_complete_one(tmp_path):
    path = tmp_path / "episodes.csv"
    assert last_row(path)["steps"] == "0"
    path.write_bytes(b"episode,steps\r\n")
    assert last_row(path) == {"episode": "0", "steps": "0"}
    path.write_bytes(b"episode,steps\r\n" + b"".join(b"%d,%d\r\n" % (k, 10 * k) for k in range(1000)) + b"1000,10")
    assert last_row(path) == {"episode": "999", "steps": "9990"}


def test_two_runs_that_would_share_a_folder_are_refused(tmp_path, without_ray, capsys):
    flags = ["--env", "oddm:ns/T-v0,oddm:ns_T-v0", "--sweep-dir", str(tmp_path / "s"), "--no-progress"]
    assert main(["train", *flags]) == 2
    error = capsys.readouterr().err
    assert "two runs would share the folder oddm_ns_T-v0" in error and error.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_a_folder_of_too_long_a_name_is_refused(tmp_path, without_ray, capsys):
    flags = ["--env", "Pendulum-v1," + "x" * 240 + "-v0", "--sweep-dir", str(tmp_path / "s"), "--no-progress"]
    assert main(["train", *flags]) == 2
    error = capsys.readouterr().err
    assert "would have too long a name" in error and error.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_the_line_of_progress_says_which_runs_are_being_tested(tmp_path):
    from ddpg.sweep.progress import SweepProgress

    jobs = [TrainingJob(tmp_path / str(k), Config(steps=100)) for k in range(2)]
    for job, steps in zip(jobs, (100, 50), strict=True):
        job.folder.mkdir()
        (job.folder / "episodes.csv").write_text(f"episode,steps,seconds\n1,{steps},1.0\n")
    progress = SweepProgress(jobs, enabled=False)
    progress.bar.set_description_str = lambda text, refresh: shown.append(text)
    shown: list[str] = []
    progress.show(running=2)
    assert shown == ["0 done, 2 running (1 of them testing), 0 waiting "]
