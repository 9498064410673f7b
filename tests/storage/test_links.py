"""Files are written and removed in one place, which follows no link and removes nothing that is not the program's."""

import ast
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import ddpg
from ddpg import Config, RequestError
from ddpg.policy.export import check_output
from ddpg.run.plotting import main as draw
from ddpg.run.start import resume_run
from ddpg.storage.figures import save
from ddpg.storage.files import remove, replaced_file, write_json
from ddpg.storage.replay_files import ReplayFiles
from ddpg.sweep.__main__ import main as sweep
from tests.helpers.runs import contents, finished_run

WRITES = {"unlink", "rmtree", "write_text", "write_bytes", "savefig", "move"}  # and opening with "w"
MAY_WRITE = {"storage/files.py", "storage/figures.py", "sweep/cluster.py"}  # Ray's folder is Ray's to fill


def test_files_are_written_and_removed_in_one_place():
    package = Path(ddpg.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                arguments = (*node.args, *(keyword.value for keyword in node.keywords))
                modes = [str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)]
                if node.func.attr in WRITES or (node.func.attr == "open" and any(m.startswith("w") for m in modes)):
                    found.add(path.relative_to(package).as_posix())
    assert found == MAY_WRITE


@pytest.fixture
def victim(tmp_path) -> Path:
    path = tmp_path / "victim"
    path.write_text("mine")
    return path


def test_a_link_in_the_place_of_a_file_or_of_its_hidden_name_is_not_followed(tmp_path, victim):
    from matplotlib.figure import Figure

    for name in ("a.json", ".a.json.partial", "a.png", ".a.png.partial"):
        (tmp_path / name).symlink_to(victim)
    write_json(tmp_path / "a.json", {"a": 1})
    save(Figure(), tmp_path / "a.png")
    assert victim.read_text() == "mine" and not (tmp_path / "a.json").is_symlink()
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1}
    assert not list(tmp_path.glob(".*"))


def test_removing_a_link_removes_the_link_alone(tmp_path, victim):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    for name in ("victim", "folder"):
        (tmp_path / "link").symlink_to(tmp_path / name)
        remove(tmp_path / "link")
        assert not (tmp_path / "link").is_symlink()
    assert victim.exists() and (tmp_path / "folder" / "file").exists()
    (tmp_path / "folder" / "link").symlink_to(victim)
    remove(tmp_path / "folder")
    remove(tmp_path / "folder")  # it is gone, and that is enough
    assert victim.read_text() == "mine" and not (tmp_path / "folder").exists()


def test_a_file_that_cannot_be_finished_leaves_what_was_there_and_no_hidden_one(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(ZeroDivisionError), replaced_file(tmp_path / "a.json"):
        1 / 0  # noqa: B018
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_name_of_the_greatest_length_can_be_written(tmp_path):
    write_json(tmp_path / ("ä" * 127), {"a": 1})
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_named_config_json_is_refused_before_later_checkpoints_are_deleted(small, tmp_path):
    config = replace(small, env="Endless-v0", episodes=2, evaluation_episodes=1, checkpoint_every=10)
    run_dir = finished_run(config, tmp_path / "run").folder.path
    (run_dir / "config.json").unlink()
    (run_dir / "config.json").mkdir()
    before = contents(tmp_path)
    with pytest.raises(RequestError, match=r"config\.json is a folder; move it away, the file is written again"):
        resume_run(run_dir / "checkpoints" / "step-000000010", tmp_path, {})
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_tensorboard_that_is_no_folder_of_the_run_is_refused_before_anything_changes(small, tmp_path, kind):
    run = finished_run(
        Config(env="Endless-v0", episodes=2, evaluation_episodes=1, hidden_units=(8, 8), jit_compile=False),
        tmp_path / "run",
    )
    tensorboard = run.folder.path / "tensorboard"
    if kind == "link":
        shutil.move(tensorboard, tmp_path / "other")
        tensorboard.symlink_to(tmp_path / "other")
    else:
        shutil.rmtree(tensorboard)
        tensorboard.write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(RequestError, match="tensorboard is not a folder of this run"):
        resume_run(run.folder.path, tmp_path, {"episodes": 3})
    assert contents(tmp_path) == before


def test_only_files_named_as_replay_files_are_removed_from_their_folder(tmp_path):
    files = ReplayFiles(tmp_path)
    for name in ("my-data.float32", "000000000-000000010.float32", "notes-of-mine.txt"):
        (tmp_path / name).touch()
    files.delete_unneeded([])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my-data.float32", "notes-of-mine.txt"]


CURVES = "task,setting,seed,steps,mean\nT,a,0,0,1\nT,a,0,10,2\n"


@pytest.mark.parametrize(("option", "name"), [("--out", "a.png"), ("--curves", "a.csv")])
def test_compare_writes_over_its_own_files_alone(tmp_path, capsys, option, name):
    (tmp_path / "x.csv").write_text(CURVES)
    for _ in range(2):  # the second time over its own
        assert sweep(["compare", str(tmp_path / "x.csv"), option, str(tmp_path / name)]) == 0
    (tmp_path / name).write_text("mine")
    assert sweep(["compare", str(tmp_path / "x.csv"), option, str(tmp_path / name)]) == 2
    assert f"{name} exists and is not" in capsys.readouterr().err
    (tmp_path / "link").symlink_to(tmp_path / "x.csv")
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(tmp_path / "x.csv")
    assert sweep(["compare", str(tmp_path / "x.csv"), option, str(tmp_path / name)]) == 2
    assert (tmp_path / "x.csv").read_text() == CURVES


def test_the_reward_curve_is_not_drawn_over_a_file_of_the_user(tmp_path, victim, capsys):
    assert draw([str(tmp_path), str(victim)]) == 2
    assert "exists and is not a picture of this program" in capsys.readouterr().err
    assert victim.read_text() == "mine"


def test_an_export_replaces_no_file_of_the_user_beside_it(tmp_path):
    (tmp_path / "p.tflite").write_bytes(b"old")
    (tmp_path / "p.tflite.json").write_text('{"thesis": 1}')
    for overwrite in (False, True):
        with pytest.raises(RequestError, match=r"p\.tflite"):
            check_output(tmp_path / "p.tflite", overwrite, "litert")
    (tmp_path / "p.tflite.json").write_text('{"task": "T", "state": [], "action": {}}')
    check_output(tmp_path / "p.tflite", True, "litert")
