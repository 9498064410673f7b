"""The run folder holds what was measured, for people, spreadsheets and TensorBoard alike."""

import json
from dataclasses import replace

import pytest
import tensorflow as tf

from ddpg import Config, Metrics, RequestError
from ddpg.run.start import resume_run
from ddpg.run.training_run import COLUMNS
from ddpg.storage.run_log import COUNTERS, RunLog, check_log
from tests.helpers.runs import csv_rows, finish, finished_run

ROW = {"episode": 3, "steps": 600, "length": 200, "return": -150.25, "running_average": -1 / 3, "seconds": 1.5}


def scalars(run_dir) -> list[tuple[str, int, float]]:
    """What TensorBoard reads: tag, step and value, by TensorFlow's own readers."""
    read = []
    for path in (run_dir / "tensorboard").iterdir():
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                read.append((value.tag, event.step, float(tf.make_ndarray(value.tensor))))
    return read


def test_a_row_is_on_the_disk_as_soon_as_it_is_known_with_every_digit(tmp_path):
    log = RunLog.create(tmp_path / "run", Config(), COLUMNS)
    log.add("episodes", ROW)
    header, row = (tmp_path / "run" / "episodes.csv").read_text().splitlines()
    assert header == "episode,steps,length,return,running_average,seconds"
    assert row == "3,600,200,-150.25,-0.3333333333333333,1.5"
    log.close()


def test_the_columns_have_the_documented_names(tmp_path):
    RunLog.create(tmp_path / "run", Config(), COLUMNS).close()
    assert {path.stem: path.read_text().strip() for path in (tmp_path / "run").glob("*.csv")} == {
        "episodes": "episode,steps,length,return,running_average,seconds",
        "evaluations": "steps,mean,std,episodes",
        "updates": ",".join(("steps", "updates", *Metrics._fields)),
    }


def test_config_json_holds_every_setting_and_the_versions(tmp_path):
    RunLog.create(tmp_path / "run", Config(tau=0.25), COLUMNS).close()
    content = json.loads((tmp_path / "run" / "config.json").read_text())
    assert content["config"] == json.loads(json.dumps(Config(tau=0.25).as_json()))
    assert content["versions"]["tensorflow"] == tf.__version__
    assert set(content["versions"]) - {"rdkit", "ddpg-reference"} == {
        "python",
        "tensorflow",
        "keras",
        "numpy",
        "gymnasium",
    }


def test_tensorboard_gets_the_same_numbers_and_no_counters(tmp_path):
    log = RunLog.create(tmp_path / "run", Config(), COLUMNS)
    log.add("episodes", ROW)
    log.add("evaluations", {"steps": 600, "mean": -9.5, "std": 1.0, "episodes": 10})
    log.close()
    assert sorted(scalars(tmp_path / "run")) == [
        ("episodes/length", 600, 200.0),
        ("episodes/return", 600, -150.25),
        ("episodes/running_average", 600, pytest.approx(-1 / 3)),
        ("episodes/seconds", 600, 1.5),
        ("evaluations/mean", 600, -9.5),
        ("evaluations/std", 600, 1.0),
    ]


def test_reopening_makes_tensorboards_file_again_from_the_rows_that_are_kept(tmp_path):
    log = RunLog.create(tmp_path / "run", Config(), COLUMNS)
    log.add("episodes", ROW)
    sizes = log.csv_sizes()
    log.add("episodes", ROW | {"steps": 800, "return": -50.0})
    log.close()
    log = RunLog.reopen(tmp_path / "run", Config(steps=1_000), COLUMNS, sizes)
    log.add("episodes", ROW | {"steps": 900, "return": -25.0})
    log.close()
    returns = [(step, value) for tag, step, value in scalars(tmp_path / "run") if tag == "episodes/return"]
    assert returns == [(600, -150.25), (900, -25.0)]
    assert [row["steps"] for row in csv_rows(tmp_path / "run" / "episodes.csv")] == ["600", "900"]
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"]["steps"] == 1_000


@pytest.mark.slow
def test_tensorboard_shows_no_row_twice_after_a_resume(small, tmp_path, without_plots):
    """The rows after the checkpoint are repeated, so the file is made again from the CSV files."""
    config = replace(small, env="Endless-v0", evaluate_every=20, evaluation_episodes=1, checkpoint_every=20)
    finished_run(replace(config, episodes=3), tmp_path / "run")
    finish(tmp_path / "run" / "checkpoints" / "step-000000020", episodes=5)
    read = scalars(tmp_path / "run")
    assert len(read) == len({(tag, step) for tag, step, _ in read})
    assert [step for tag, step, _ in sorted(read) if tag == "episodes/return"] == [10, 20, 30, 40, 50]
    assert not {tag.split("/")[1] for tag, _, _ in read} & COUNTERS


def test_resuming_refuses_csv_files_of_other_columns(small, tmp_path, without_plots):
    """Rows appended under other names would be read as something else."""
    config = replace(small, env="Endless-v0", episodes=2, evaluation_episodes=1)
    finished_run(config, tmp_path / "run")
    path = tmp_path / "run" / "updates.csv"
    before = path.read_bytes().replace(b"actor_loss", b"actor_lost")
    path.write_bytes(before)
    with pytest.raises(
        RequestError, match=r"updates.csv has the columns .*actor_lost.*; expected .*actor_loss"
    ) as caught:
        resume_run(tmp_path / "run", tmp_path, {"episodes": 3})
    assert caught.value.setting == "resume"
    assert path.read_bytes() == before


def test_a_csv_file_shorter_than_at_the_checkpoint_is_refused(tmp_path):
    RunLog.create(tmp_path / "run", Config(), COLUMNS).close()
    with pytest.raises(RequestError, match=r"episodes.csv is missing or shorter than at the checkpoint \(999 bytes\)"):
        check_log(tmp_path / "run", COLUMNS, {"episodes": 999}, {})


@pytest.mark.parametrize(
    "header", ["steps,mean,std", "steps,mean,std,episodes,seconds", "steps,std,mean,episodes", "9,1.5,0.5,10", ""]
)
def test_a_csv_file_of_fewer_more_or_reordered_columns_is_refused(tmp_path, header):
    (tmp_path / "evaluations.csv").write_text(f"{header}\n")
    with pytest.raises(RequestError, match=r"has the columns .*; expected steps, mean, std, episodes$"):
        check_log(tmp_path, COLUMNS, {"evaluations": 0}, {})


def test_a_link_in_place_of_a_csv_file_is_refused(tmp_path):
    """Its target would be cut to the size at the checkpoint."""
    (tmp_path / "elsewhere.csv").write_text("steps,mean,std,episodes\n")
    (tmp_path / "evaluations.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(RequestError, match=r"evaluations\.csv is missing or shorter"):
        check_log(tmp_path, COLUMNS, {"evaluations": 0}, {})


def test_an_existing_folder_is_refused_and_left_alone(tmp_path):
    with pytest.raises(RequestError, match="already exists; choose another folder, or use --resume") as caught:
        RunLog.create(tmp_path, Config(), COLUMNS)
    assert caught.value.setting == "run_dir"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot create"):
        RunLog.create(tmp_path / "file" / "run", Config(), COLUMNS)
