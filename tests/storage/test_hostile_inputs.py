"""Files that anybody may have written: read up to a sane size, and refused in one line that names them."""

import os
import tracemalloc
from pathlib import Path

import pytest

from ddpg import RequestError
from ddpg.command.inputs import read_object, read_text
from ddpg.compare.curves import read_run, read_test
from ddpg.molgan.chemistry.dataset import read_molecules
from ddpg.policy.record import check_record as check_record_to_write
from ddpg.report.record import read_test as results_of_test
from ddpg.run.train import main as train
from ddpg.storage.csv_files import read_columns, read_rows
from ddpg.storage.data_files import checksum_of_data
from ddpg.storage.unfinished import has_rows
from ddpg.sweep.__main__ import main as sweep
from ddpg.sweep.folder import check_record
from ddpg.sweep.jobs import last_row


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device without an end")
@pytest.mark.parametrize("command", [train, lambda argv: sweep(["train", *argv])])
def test_a_device_in_the_place_of_settings_is_refused_and_does_not_fill_the_memory(capsys, command):
    assert command(["--config", "/dev/zero"]) == 2
    assert "--config: /dev/zero is not the config.json of a run (it has more than" in capsys.readouterr().err


def test_a_file_is_read_up_to_its_limit(tmp_path):
    (tmp_path / "a").write_text("\ufeffabc", encoding="utf-8")
    assert read_text(tmp_path / "a", most=6) == "abc"  # without the mark
    with pytest.raises(ValueError, match="it has 6 bytes"):
        read_text(tmp_path / "a", most=5)


def test_a_named_pipe_that_nobody_writes_to_is_empty_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert read_text(tmp_path / "pipe") == ""


@pytest.mark.parametrize("text", ["[" * 100_000, "5", "[]", "nonsense", ""])
def test_what_is_no_object_is_a_value_error(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError):
        read_object(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; its first line must name the columns"),
        (b"steps,mean\n1,2\x00\n", "it has NUL bytes, as a crash can leave them"),
        (b"steps;mean\n1;2,5\n", "has no column 'steps', only steps;mean; it needs commas"),
        (b"steps,mean\n1\n", "line 2: expected 2 values between commas, got 1"),
        (b"steps,mean\n1,2\n2,much\n", "line 3: the mean 'much' is not a number"),
        (b"\xff\xfe\n", "cannot read"),
    ],
)
def test_a_csv_file_that_is_none_is_refused_with_its_line_and_column(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(RequestError) as caught:
        read_columns(tmp_path / "a.csv", ("steps",))
    assert message in str(caught.value) and "a.csv" in str(caught.value) and "\n" not in str(caught.value)
    if b"much" not in content:
        with pytest.raises(RequestError):
            read_rows(tmp_path / "a.csv", ("steps",))


HUGE = "1" + "0" * 400  # a whole number that no float holds


@pytest.mark.parametrize("value", [HUGE, "1e999", "-Infinity", "null", "[]", '{"a": 1}'])
def test_values_that_cannot_be_used_are_refused_or_left_out(tmp_path, value):
    record = f'{{"config": {{"env": "T-v0", "seed": {value}}}, "results": {{"mean": {value}}}, "runs": {value}}}'
    for name in ("config.json", "test.json", "sweep.json"):
        (tmp_path / name).write_text(record)
    for read, error in ((read_run, RequestError), (lambda path: check_record(path, [], {}), RequestError)):
        with pytest.raises(error) as caught:
            read(tmp_path)
        assert "\n" not in str(caught.value)
    assert read_test(tmp_path) is None


@pytest.mark.parametrize("read", [read_test, results_of_test])
def test_a_named_pipe_in_the_place_of_a_test_is_no_test(tmp_path, read):
    os.mkfifo(tmp_path / "test.json")
    assert read(tmp_path) is None


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device without an end")
@pytest.mark.parametrize("ending", [".csv", ".npz", ".hdf5", ".smi", ".smi.gz"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_data_from_a_pipe_or_a_device_are_refused_and_not_waited_for(tmp_path, ending, kind):
    path = tmp_path / f"a{ending}"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    with pytest.raises(RequestError, match=f"a{ending} is not an ordinary file"):
        (read_molecules if "smi" in ending else checksum_of_data)(path)


def test_a_log_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "episodes.csv")
    assert not has_rows(tmp_path)
    assert last_row(tmp_path / "episodes.csv")["steps"] == "0"


def test_a_record_is_never_written_over_a_link_or_a_pipe(tmp_path):
    write = tmp_path / "a.npz"
    os.mkfifo(write)
    (tmp_path / "b.npz").symlink_to("nowhere")
    for path in (write, tmp_path / "b.npz"):
        with pytest.raises(RequestError, match="exists and is not a record"):
            check_record_to_write(path)


def test_empty_lines_at_the_end_of_a_csv_file_are_no_rows(tmp_path):
    (tmp_path / "a.csv").write_text("steps,mean\n1,2\n\n\n")
    assert read_columns(tmp_path / "a.csv")["mean"].tolist() == [2.0]


def test_a_small_file_takes_no_memory_for_the_largest_one(tmp_path):
    (tmp_path / "a.csv").write_text("steps\n1\n")
    tracemalloc.start()
    read_text(tmp_path / "a.csv", 2**28)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("text", ['{"runs": {"a": 5}, "extra": {}}', '{"runs": []}', "[]", "[" * 100_000, "5"])
def test_a_record_of_a_sweep_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(RequestError, match=r"sweep\.json is damaged"):
        check_record(tmp_path, [], {})
