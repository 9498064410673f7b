"""The run folder holds what was measured, for people, spreadsheets and TensorBoard alike."""

import json

import pytest
import tensorflow as tf

from ddpg import Config, RequestError
from ddpg.records import COLUMNS, Records

ROW = {"episode": 3, "steps": 600, "length": 200, "return": -150.25, "running_average": -1 / 3, "seconds": 1.5}


def test_rows_are_on_disk_as_soon_as_they_are_known(tmp_path):
    records = Records(tmp_path / "run", Config())
    records.add("episodes", ROW)
    header, row = (tmp_path / "run" / "episodes.csv").read_text().splitlines()
    assert header == "episode,steps,length,return,running_average,seconds"
    assert row == "3,600,200,-150.25,-0.3333333333333333,1.5"  # every digit
    records.close()


def test_the_headers_are_those_of_the_design(tmp_path):
    Records(tmp_path / "run", Config()).close()
    for name, columns in COLUMNS.items():
        assert (tmp_path / "run" / f"{name}.csv").read_text() == ",".join(columns) + "\n"


def test_config_json_holds_every_setting_and_the_versions(tmp_path):
    Records(tmp_path / "run", Config(tau=0.25)).close()
    content = json.loads((tmp_path / "run" / "config.json").read_text())
    assert content["config"] == json.loads(json.dumps(Config(tau=0.25).as_json()))
    assert content["versions"]["tensorflow"] == tf.__version__
    assert set(content["versions"]) - {"rdkit"} == {"python", "tensorflow", "keras", "numpy", "gymnasium"}


def test_tensorboard_reads_the_same_numbers(tmp_path):
    records = Records(tmp_path / "run", Config())
    records.add("episodes", ROW)
    records.close()
    (file,) = (tmp_path / "run" / "tensorboard").iterdir()
    seen = {}
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            assert value.metadata.plugin_data.plugin_name == "scalars"
            seen[value.tag] = (event.step, float(tf.make_ndarray(value.tensor)))
    assert seen["episodes/return"] == (600, -150.25)
    assert seen["episodes/length"] == (600, 200)


def test_a_run_folder_that_exists_is_refused(tmp_path):
    with pytest.raises(RequestError, match="exists already") as caught:
        Records(tmp_path, Config())
    assert caught.value.setting == "run_dir"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot make"):
        Records(tmp_path / "file" / "run", Config())
