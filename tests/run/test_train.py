"""`train.py`, as it is typed: what it prints, what it refuses, and how it exits."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ddpg import PRESETS
from ddpg.policy.evaluate import main as evaluate
from ddpg.run.train import main
from tests.helpers.runs import SMALL, assert_same_run, names

ROOT = Path(__file__).parents[2]
# No updates, for the tests that look at other things; on Endless-v0, episodes have 10 steps.
UNTRAINED = ("--env", "Endless-v0", "--learning-starts", "10000", "--evaluation-episodes", "1", "--no-progress", *SMALL)


def in_folder(folder: Path, name: str = "run") -> list[str]:
    """Return the flags that keep a run in a folder."""
    return ["--run-dir", str(folder / name), "--plot-dir", str(folder / "plots")]


def saved_config(run_dir: Path) -> dict:
    return json.loads((run_dir / "config.json").read_text())["config"]


def refusal(capsys, *flags: str) -> str:
    """Run a command that cannot be met; return its one line."""
    try:
        code = main(list(flags))
    except SystemExit as error:  # from argparse
        code = error.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert captured.err.startswith("train.py: error: ")
    return captured.err


def test_the_results_end_with_the_command_that_comes_next(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["--env", "Pendulum-v1", "--episodes", "2", "--evaluation-episodes", "1", *SMALL]) == 0
    captured = capsys.readouterr()
    lines = {line[:12].strip(): line[12:] for line in captured.out.splitlines()}
    assert list(lines) == [
        *("trained", "took", "return", "saturation", "untrained", "best", "evaluation", "known"),
        *("run folder", "curve", "next"),
    ]  # fmt: skip
    assert lines["trained"] == "2 episodes, 400 steps, 385 updates (0.96 per step)"
    assert lines["return"].endswith(", mean of the last 2 noisy episodes")
    assert lines["evaluation"].endswith("worse than the untrained policy")
    (run_dir,) = (tmp_path / "runs" / "Pendulum-v1").iterdir()
    assert run_dir.name.endswith("-seed0")
    assert tmp_path / lines["run folder"] == run_dir
    assert (tmp_path / lines["curve"]).is_file()
    # The bar is on stderr, the results on stdout.
    for piece in ("episode 2", "2/2 episodes", "return -", "average -", "steps/s"):
        assert piece in captured.err
    command = lines["next"].split()
    assert command[:2] == ["python", str(ROOT / "evaluate.py")]
    assert evaluate([*command[2:], "--episodes", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 2


@pytest.mark.slow
def test_the_bar_counts_steps_where_the_length_is_given_in_steps(tmp_path, capsys):
    assert main([*UNTRAINED, "--steps", "25", "--progress", *in_folder(tmp_path)]) == 0
    assert "25/25 steps" in capsys.readouterr().err
    assert main([*UNTRAINED, "--episodes", "1", *in_folder(tmp_path, "quiet")]) == 0
    assert "%" not in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--env", "Pendulm-v1"], ["--env: ", "Pendulum-v1"]),
        (["--env", "CartPole-v1"], ["--env: ", "Discrete(2)", "continuous"]),
        (["--env", "Bounds-v0", "--env-kwargs", '{"low": [-1e999], "high": [1]}'], ["--action-bound: ", "dimension 0"]),
        (["--env", "Bounds-v0", "--env-kwargs", '{"low": [], "high": []}'], ["--env: ", "is empty"]),
        (["--env", "States-v0", "--env-kwargs", '{"kind": "empty"}'], ["--env: ", "is empty"]),
        (["--env-kwargs", "{g: 9.81}"], ["--env-kwargs: not JSON", "write it like"]),
        (["--env-kwargs", "[1]"], ["--env-kwargs: not a JSON object"]),
        (["--env-kwargs", '{"gravity": 1}'], ["--env-kwargs: ", "gravity"]),
        (["--env-kwargs", '{"render_mode": "human"}'], ["--env-kwargs: no display found", "remove render_mode"]),
        (["--tau", "0"], ["--tau: 0.0 is outside (0, 1]; the default is 0.005"]),
        (["--batch-size", "0"], ["--batch-size: "]),
        (["--gamma", "1.5"], ["--gamma: "]),
        (["--batch-size", "64", "--buffer-size", "32"], ["--batch-size: ", "--buffer-size"]),
        (["--preset", "paper", "--batch-size", "1"], ["--batch-size: batch normalization over a single transition"]),
        (["--buffer-size", "1000000000000"], ["--buffer-size: ", "GiB is free; use at most "]),
        (["--hidden-units", "100000000", "100000000"], ["--hidden-units: networks of 100000000", "GiB"]),
        (["--run-dir", "."], ["--run-dir: . already exists", "--resume ."]),
        (["--resume", "nowhere"], ["--resume: there is no folder nowhere"]),
        (["--resume", "."], ["--resume: . has no checkpoint"]),
        (["--resume", ".", "--preset", "blog"], ["--preset: cannot be combined with --resume"]),
        (["--resume", ".", "--config", "x.json"], ["--config: cannot be combined with --resume"]),
        (["--resume", ".", "--run-dir", "other"], ["--run-dir: cannot be combined with --resume"]),
        (["--steps", "10", "--episodes", "10"], ["--episodes", "not allowed with"]),
        (["--preset", "none"], ["--preset", "blog"]),
        (["--preset", "blog", "--config", "x.json"], ["--config", "not allowed with"]),
        (["--config", "x.json"], ["--config: x.json is not the config.json of a run (No such file or directory)"]),
        (["--speed", "9"], ["--speed"]),
        (["--env", "Pendulum-v1", "--episode", "9"], ["--episode"]),  # no abbreviations: they break as flags are added
    ],
)
def test_a_bad_request_gets_one_line_and_exit_code_2_and_writes_nothing(flags, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    line = refusal(capsys, *flags)
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not the config.json of a run"),
        ("", "is not the config.json of a run"),
        ("[1]", "is not the config.json of a run"),
        ("\xff", "is not the config.json of a run"),
        ("[" * 100_000, "is not the config.json of a run"),
        ('{"config": [1]}', "is not the config.json of a run (its settings are not a JSON object)"),
        ('{"config": {"speed": 9}}', "unknown setting 'speed'; it may come from another version"),
        ('{"config": {"tau": 0}}', "tau: 0 is outside (0, 1]"),
        ('{"config": {"tau": "fast"}}', "tau: expected float, got 'fast'"),
        ('{"config": {"hidden_units": [1, 2, 3]}}', "hidden_units: expected two whole numbers"),
        ('{"config": {"batch_size": null}}', "batch_size: expected int, got None"),
    ],
)
def test_a_config_file_that_cannot_be_used_is_refused_in_one_line(content, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text(content, encoding="latin-1")
    line = refusal(capsys, "--config", "a.json")
    assert line.startswith("train.py: error: --config: a.json")
    assert words in line
    assert names(tmp_path) == ["a.json"]


@pytest.mark.slow
def test_a_config_file_repeats_a_run_bit_for_bit(tmp_path):
    """Every setting counts, also those that are not flags of this command line."""
    flags = ["--env", "Pendulum-v1", "--env-kwargs", '{"g": 9.81}', "--preset", "paper", "--seed", "3", "--steps", "60"]
    more = ["--max-episode-steps", "30", "--evaluation-episodes", "1", "--gradient-steps", "2", "--no-progress", *SMALL]
    assert main([*flags, *more, *in_folder(tmp_path, "one")]) == 0
    again = ["--config", f"{tmp_path}/one/config.json", "--no-progress", *in_folder(tmp_path, "two")]
    assert main(again) == 0
    assert saved_config(tmp_path / "one") == saved_config(tmp_path / "two")
    assert_same_run(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_flags_beside_a_config_file_win(tmp_path):
    """A length in episodes wins over one in steps, too."""
    assert main([*UNTRAINED, "--steps", "10", "--tau", "0.5", *in_folder(tmp_path, "one")]) == 0
    config = ["--config", f"{tmp_path}/one/config.json", "--no-progress"]
    assert main([*config, "--seed", "4", "--episodes", "3", *in_folder(tmp_path, "two")]) == 0
    one, two = saved_config(tmp_path / "one"), saved_config(tmp_path / "two")
    assert two == one | {"seed": 4, "episodes": 3, "steps": None}
    assert len((tmp_path / "two" / "episodes.csv").read_text().splitlines()) == 1 + 3
    assert main([*config, "--steps", "20", *in_folder(tmp_path, "three")]) == 0
    assert saved_config(tmp_path / "three") == one | {"steps": 20}


@pytest.mark.slow
def test_a_flag_wins_over_the_preset(tmp_path):
    flags = ["--preset", "paper", "--tau", "0.25", "--episodes", "1", *UNTRAINED]
    assert main([*flags, *in_folder(tmp_path)]) == 0
    paper = saved_config(tmp_path / "run")
    assert (paper["tau"], paper["noise"], paper["noise_sigma"]) == (0.25, "ou", 0.2)
    changed = {name for name, value in PRESETS["paper"].as_json().items() if value != paper[name]}
    assert changed == {
        "env", "tau", "episodes", "learning_starts", "evaluation_episodes", "hidden_units", "batch_size",
        "jit_compile", "buffer_size",
    }  # fmt: skip


@pytest.mark.slow
def test_a_run_too_short_for_an_update_is_noted_before_and_after(tmp_path, capsys):
    assert main([*UNTRAINED, "--steps", "20", *in_folder(tmp_path)]) == 0
    captured = capsys.readouterr()
    note, warning = captured.err.splitlines()
    assert note.startswith("train.py: note: no update is to be expected: updates start at step 10000")
    assert warning == (
        "train.py: warning: no update was made: the run was shorter than --batch-size or --learning-starts"
    )
    assert "saturation" not in captured.out


@pytest.mark.slow
def test_a_task_that_ignores_its_seed_is_noted_once(tmp_path, capsys):
    flags = ["--env", "Unseeded-v0", "--steps", "20", "--max-episode-steps", "5", "--evaluation-episodes", "1"]
    assert main([*flags, "--no-progress", *SMALL, *in_folder(tmp_path)]) == 0
    note = "train.py: note: Unseeded-v0 ignores reset(seed=...), so runs are not reproducible\n"
    assert capsys.readouterr().err == note


@pytest.mark.slow
def test_a_run_that_stops_by_an_error_says_where_and_exits_with_1(tmp_path, capsys):
    flags = ["--env", "Breaking-v0", "--evaluation-episodes", "1", "--learning-starts", "1000", "--no-progress"]
    assert main([*flags, *SMALL, *in_folder(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "train.py: stopped: episode 2, step 25: the environment returned the reward nan: non-finite value; "
        f"progress so far is saved in {tmp_path / 'run'}\n"
    )


@pytest.mark.slow
def test_the_same_seed_in_two_processes_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    """With the full-sized networks and XLA, whose threads might add in another order."""
    flags = ["--steps", "200", "--evaluation-episodes", "1", "--no-progress"]
    other_process = subprocess.Popen([sys.executable, ROOT / "train.py", *flags, *in_folder(tmp_path, "two")])
    for name, seed in {"one": "0", "other": "1"}.items():
        assert main([*flags, "--seed", seed, *in_folder(tmp_path, name)]) == 0
    assert other_process.wait(timeout=100) == 0

    def content(name: str) -> list:
        episodes = (tmp_path / name / "episodes.csv").read_text().splitlines()
        rows = [row[:-1] for row in csv.reader(episodes)]  # all but the seconds
        logs = [(tmp_path / name / f"{file}.csv").read_bytes() for file in ("evaluations", "updates")]
        with np.load(tmp_path / name / "checkpoints" / "step-000000200" / "variables.npz") as variables:
            return [rows, *logs, {key: variables[key].tobytes() for key in variables.files}]

    assert content("one") == content("two")
    assert all(one != other for one, other in zip(content("one"), content("other"), strict=True))
