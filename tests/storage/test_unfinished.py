"""A run folder exists only with a checkpoint in it, and nothing is removed that no run has made."""

from ddpg.storage.unfinished import remove_unfinished
from tests.helpers.runs import finished_run


def leavings(folder):
    """Make what a run leaves that died before its first checkpoint."""
    for name in (
        "checkpoints/replay",
        "tensorboard",
        "checkpoints/step-000000000.partial",
        "checkpoints/best-000000000",
    ):
        (folder / name).resolve().mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "episodes.csv").write_text("episode,steps\n")
    (folder / "tensorboard" / "events.out.tfevents.1").write_bytes(b"x")
    (folder / "checkpoints" / "replay" / "new.partial").write_bytes(b"x")
    return folder


def test_what_a_run_left_before_its_first_checkpoint_goes(tmp_path):
    remove_unfinished(leavings(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_files_of_the_user_stay(tmp_path):
    run = leavings(tmp_path / "run")
    (run / "notes.txt").write_text("mine")
    (run / "checkpoints" / "photo.png").write_bytes(b"mine")
    remove_unfinished(run)
    assert sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()) == [
        "checkpoints/photo.png",
        "notes.txt",
    ]


def test_a_run_with_rows_or_with_a_checkpoint_stays(tmp_path):
    run = leavings(tmp_path / "rows")
    (run / "episodes.csv").write_text("episode,steps\n1,200\n")
    other = leavings(tmp_path / "kept")
    (other / "checkpoints" / "step-000000000").mkdir()
    for folder in (run, other):
        remove_unfinished(folder)
        assert (folder / "config.json").exists()


def test_a_link_is_not_followed(tmp_path):
    run = leavings(tmp_path / "run")
    (tmp_path / "link").symlink_to(run)
    remove_unfinished(tmp_path / "link")
    assert (run / "config.json").exists()


def test_a_run_that_cannot_begin_leaves_no_folder(small, tmp_path, monkeypatch):
    from dataclasses import replace

    import pytest

    from ddpg.run import simulation

    monkeypatch.setattr(simulation, "evaluate", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        finished_run(replace(small, env="Endless-v0", episodes=1, evaluation_episodes=1), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_file_system_that_cannot_flush_a_folder_is_good_enough(tmp_path, monkeypatch):
    """As CIFS and some FUSE; any other error of the disk still counts."""
    import errno
    import os

    import pytest

    from ddpg.storage.files import fsync_path

    for number in (errno.EINVAL, errno.ENOSPC):

        def fail(descriptor, number=number):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fail)
        if number == errno.EINVAL:
            fsync_path(tmp_path)
        else:
            with pytest.raises(OSError, match="No space left"):
                fsync_path(tmp_path)
