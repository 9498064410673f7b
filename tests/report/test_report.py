"""A run as one HTML file: complete, standing alone, harmless whatever the run folder holds, and careful with files."""

import base64
import json
import re
import shutil
from contextlib import closing
from dataclasses import replace

import pytest

from ddpg.report import record
from ddpg.run.agent_state import load
from ddpg.run.report import main
from ddpg.storage.lock import Lock
from tests.helpers.browser import in_browser
from tests.helpers.runs import contents, finished_run

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Train Pendulum for two episodes."""
    from ddpg import Config

    small = Config(hidden_units=(16, 12), buffer_size=10_000, batch_size=16, jit_compile=False)
    schedule = {"steps": 400, "evaluate_every": 200, "evaluation_episodes": 2, "checkpoint_every": 200}
    path = tmp_path_factory.mktemp("report") / "run"
    finished_run(replace(small, **schedule, keep_checkpoints=9, gamma=0.9), path)
    return path


@pytest.fixture
def run_dir(made, tmp_path):
    """Return a copy of that run, for tests that change it."""
    return shutil.copytree(made, tmp_path / "run")


def report_of(run_dir, out) -> str:
    """Return the text of a run's report."""
    assert main([str(run_dir), "--out", str(out)]) == 0
    return out.read_text(encoding="utf-8")


def refusal(capsys, *arguments: str) -> str:
    """Return the one line with which a report is refused."""
    capsys.readouterr()
    assert main([*map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_the_report_has_all_sections_and_stands_alone(made, tmp_path):
    before = contents(made)
    text = report_of(made, tmp_path / "report.html")
    assert re.findall("<h2>(.*?)</h2>", text)[:6] == [
        "Returns", "Evaluations", "Diagnosis", "Updates", "Settings", "Versions"
    ]  # fmt: skip
    assert "finished, 400 steps, 2 episodes and 385 updates" in text
    assert '<th scope="row">gamma</th><td>0.9</td><td>0.99</td>' in text
    assert '<th scope="row">hidden_units</th><td>16x12</td><td>400x300</td>' in text
    assert "could not be drawn" not in text
    assert not re.search(r"https?://|<link|@import|url\(|fetch\(", text)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)', text))
    assert contents(made) == before


def test_the_page_has_the_pendulum_with_the_policies_of_the_run(made, tmp_path):
    text = report_of(made, tmp_path / "report.html")
    data = json.loads(re.search(r"const PLAY = (.*);", text)[1])
    (run,) = data["runs"]
    assert [checkpoint["steps"] for checkpoint in run["checkpoints"]] == [0, 200, 400]
    assert all(isinstance(checkpoint["mean"], float) for checkpoint in run["checkpoints"])
    assert data["plant"] == {"g": 10.0}


def test_another_task_has_no_pendulum(small, tmp_path):
    finished_run(replace(small, env="Matching-v0", steps=100), tmp_path / "run")
    assert "const PLAY" not in report_of(tmp_path / "run", tmp_path / "report.html")


def test_a_run_in_progress_has_a_report(run_dir, tmp_path):
    """The lock is held by its process, and the log is ahead of the newest checkpoint."""
    shutil.rmtree(run_dir / "checkpoints" / "step-000000400")
    with closing(Lock(run_dir)):
        text = report_of(run_dir, tmp_path / "report.html")
    assert "not finished, 200 steps, 1 episodes" in text


def test_a_checkpoint_that_its_run_deletes_meanwhile_is_no_trouble(run_dir, tmp_path, monkeypatch):
    """While the newest checkpoint is read, the run writes a newer one and deletes those before."""
    newest, kept = run_dir / "checkpoints" / "step-000000400", tmp_path / "newer"
    newest.rename(kept)

    def load_late(saved):
        if kept.exists():
            kept.rename(newest)
            shutil.rmtree(run_dir / "checkpoints" / "step-000000200")
        return load(saved)

    monkeypatch.setattr(record, "load", load_late)
    assert "finished, 400 steps" in report_of(run_dir, tmp_path / "report.html")


def test_a_run_that_has_learned_nothing_yet_has_a_report(run_dir, tmp_path):
    for step in (200, 400):
        shutil.rmtree(run_dir / "checkpoints" / f"step-000000{step}")
    assert "No update has been made yet." in report_of(run_dir, tmp_path / "report.html")


def test_a_film_and_a_final_test_are_in_the_report(run_dir, tmp_path):
    (run_dir / "film").mkdir()
    (run_dir / "film" / "episode.mp4").write_bytes(b"moving")
    (run_dir / "other.mp4").symlink_to(tmp_path / "secret.mp4")
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (run_dir / "test.json").write_text(json.dumps({"results": {"mean": -123.256829, "returns": [1, 2]}}))
    text = report_of(run_dir, tmp_path / "report.html")
    assert f"data:video/mp4;base64,{base64.b64encode(b'moving').decode()}" in text
    assert base64.b64encode(b"secret").decode() not in text
    assert '<th scope="row">mean</th><td>-123.3</td>' in text


def test_what_a_task_reports_is_in_the_report(run_dir, tmp_path):
    rows = "0,-9,1,2,0.25,7\n400,-8,1,2,0.5,nan\n"
    (run_dir / "evaluations.csv").write_text(f"steps,mean,std,episodes,success_rate,{SCRIPT}\n{rows}")
    text = report_of(run_dir, tmp_path / "report.html")
    assert '<th scope="row">success_rate</th><td>0.5</td>' in text
    assert "<script>alert" not in text


def test_a_hostile_run_folder_cannot_put_code_into_the_report(run_dir, tmp_path):
    config = json.loads((run_dir / "config.json").read_text())
    config["config"]["env"] = SCRIPT + "$\\frac{$"
    config["config"]["env_kwargs"] = {SCRIPT: SCRIPT}
    config["versions"] = {SCRIPT: SCRIPT}
    (run_dir / "config.json").write_text(json.dumps(config))
    (run_dir / "test.json").write_text(json.dumps({"results": {SCRIPT: SCRIPT}}))
    (run_dir / f"{SCRIPT.replace('/', '')}.mp4").write_bytes(b"")
    text = report_of(run_dir.rename(tmp_path / SCRIPT.replace("/", "")), tmp_path / "report.html")
    assert "<script>alert" not in text
    assert "could not be drawn" not in text


@pytest.mark.parametrize(("name", "content"), [
    ("config.json", "[]"),
    ("config.json", '{"config": {"gamma": 7}}'),
    ("config.json", "[" * 100_000),
    ("evaluations.csv", "steps,mean,std,episodes\n"),
    ("evaluations.csv", "steps,mean\n0,1\n"),
    ("episodes.csv", "steps\n0\n"),
    ("updates.csv", "steps\nnothing\n"),
    ("checkpoints/step-000000400/run.json", "{}"),
])  # fmt: skip
def test_a_damaged_run_folder_is_refused_in_one_line(run_dir, tmp_path, capsys, name, content):
    (run_dir / name).write_text(content)
    assert name in refusal(capsys, run_dir, "--out", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_numbers_that_are_none_make_no_broken_page(run_dir, tmp_path):
    (run_dir / "evaluations.csv").write_text("steps,mean,std,episodes\n0,nan,inf,2\n400,-inf,nan,nan\n")
    data = re.search(r"const PLAY = (.*);", report_of(run_dir, tmp_path / "report.html"))[1]
    assert [each["mean"] for each in json.loads(data)["runs"][0]["checkpoints"]] == [None, None, None]


def test_what_is_no_run_folder_is_refused(made, tmp_path, capsys):
    out = ("--out", tmp_path / "report.html")
    assert "has no checkpoint" in refusal(capsys, tmp_path, *out)
    assert "there is no folder" in refusal(capsys, tmp_path / "missing", *out)
    assert "give its run folder" in refusal(capsys, made / "checkpoints" / "step-000000400", *out)


def test_only_an_older_report_is_replaced(made, tmp_path, capsys):
    foreign, link, report = tmp_path / "letter.html", tmp_path / "link.html", tmp_path / "report.html"
    foreign.write_text("<!DOCTYPE html>\nmine")
    report_of(made, report)
    link.symlink_to(report)
    for out in (foreign, link, tmp_path):
        assert "is no report of this program" in refusal(capsys, made, "--out", out)
    assert foreign.read_text() == "<!DOCTYPE html>\nmine"
    assert report_of(made, report).startswith("<!DOCTYPE html>")
    assert "there is no folder" in refusal(capsys, made, "--out", tmp_path / "missing" / "report.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter.html", "link.html", "report.html"]


@pytest.mark.slow
def test_the_report_opens_in_a_browser_and_plays_the_policy(made, tmp_path):
    report_of(made, tmp_path / "report.html")
    code = """(() => { for (let i = 0; i < 20; i++) { step(); show(0.5); } return [
      HISTORY.length, get("run-choice").hidden, document.querySelectorAll("img").length,
      [...document.images].every((image) => image.naturalWidth > 0)]; })()"""
    assert in_browser(tmp_path / "report.html", code, tmp_path) == [20, True, 2, True]
