"""The command `compare`: what it prints and writes."""

import csv
import io
import json

import pytest

from ddpg.sweep.__main__ import main

ROWS = "task,setting,seed,steps,mean\nT,a,0,0,1\nT,a,0,10,2\nT,a,0,20,4\nT,b,0,0,1\nT,b,0,10,3\nT,b,0,20,7\n"


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table of two runs in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text(ROWS)
    return tmp_path / "x.csv"


def printed(capsys, *words) -> str:
    assert main(["compare", "x.csv", *words]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_a_picture_and_a_table_are_written_where_they_are_asked_for(table, capsys):
    text = printed(capsys, "--out", "new.png", "--curves", "all.csv")
    assert text.startswith("task") and text.endswith("picture     new.png\n")
    assert (table.parent / "new.png").read_bytes().startswith(b"\x89PNG")
    assert (table.parent / "all.csv").read_text().splitlines()[2] == "T,a,0,10,2.0"
    assert sorted(path.name for path in table.parent.iterdir()) == ["all.csv", "new.png", "x.csv"]


def test_json_and_csv_are_the_only_thing_on_stdout_also_beside_a_picture(table, capsys):
    figures = json.loads(printed(capsys, "--json", "--out", "new.png"))
    (improvement,) = figures["improvements"]
    assert list(improvement) == ["task", "setting", "over", "probability", "interval"]
    assert (improvement["setting"], improvement["over"], figures["notes"]) == ("b", "a", [])
    first, _ = csv.DictReader(io.StringIO(printed(capsys, "--csv", "--out", "new.png")))
    assert list(first)[:4] == ["task", "setting", "seeds", "steps"]


def test_the_last_evaluations_may_be_more_than_a_tenth(table, capsys):
    finals = [
        json.loads(printed(capsys, "--json", *last))["settings"][1]["final"]["mean"] for last in ((), ("--last", "2"))
    ]
    assert finals == [7, 5]


def test_a_table_of_the_user_is_never_written_over(table, capsys):
    (table.parent / "mine.csv").write_text("my,own\n")
    assert main(["compare", "x.csv", "--curves", "mine.csv"]) == 2
    assert "--curves: " in capsys.readouterr().err
    assert (table.parent / "mine.csv").read_text() == "my,own\n"


def test_a_picture_of_the_user_is_never_drawn_over_and_nothing_is_read_before(table, capsys):
    (table.parent / "mine.png").write_bytes(b"a photo")
    assert main(["compare", "nowhere.csv", "--out", "mine.png"]) == 2
    assert "--out: " in (error := capsys.readouterr().err) and error.count("\n") == 1
    assert (table.parent / "mine.png").read_bytes() == b"a photo"
