"""Which checkpoints a run writes, keeps and deletes, and which one a path means."""

from dataclasses import replace

import numpy as np
import pytest

from ddpg import DDPG, RequestError
from ddpg.run.agent_state import snapshot_of
from ddpg.run.start import resume_run
from ddpg.storage import checkpoint_format
from ddpg.storage.checkpoint_format import Snapshot
from ddpg.storage.checkpoints import Checkpoints, all_checkpoints, find_checkpoint
from ddpg.storage.replay_files import ReplayFiles
from ddpg.training import Episode
from tests.helpers.agents import fill
from tests.helpers.runs import finish, finished_run, names, read_back


@pytest.fixture
def config(small, without_plots):
    """A checkpoint every two episodes and, after six, a replay buffer that was overwritten twice."""
    return replace(
        small, env="Endless-v0", episodes=6, learning_starts=10_000, evaluation_episodes=1, checkpoint_every=20,
        buffer_size=25,
    )  # fmt: skip


def snapshot_at(step: int) -> Snapshot:
    return Snapshot("ddpg", step, {"weight": np.zeros(1, np.float32)}, {})


def saved(folder, *steps: int, keep: int = 99) -> Checkpoints:
    """Save a tiny checkpoint at each step."""
    checkpoints = Checkpoints(folder / "checkpoints", keep)
    for step in steps:
        checkpoints.save(snapshot_at(step))
    return checkpoints


@pytest.mark.parametrize(("keep", "kept"), [(1, [50]), (2, [40, 50]), (3, [30, 40, 50]), (9, [10, 20, 30, 40, 50])])
def test_as_many_of_the_newest_checkpoints_are_kept_as_asked(tmp_path, keep, kept):
    saved(tmp_path, 10, 20, 30, 40, 50, keep=keep)
    assert names(tmp_path / "checkpoints") == [f"step-{step:09d}" for step in kept]


def test_an_old_checkpoint_is_deleted_only_after_the_new_one_is_complete(tmp_path, monkeypatch):
    checkpoints = saved(tmp_path, 10, keep=1)
    monkeypatch.setattr(checkpoint_format, "write_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        checkpoints.save(snapshot_at(20))
    assert [path.name for path in all_checkpoints(tmp_path / "checkpoints")] == ["step-000000010"]


def test_the_next_checkpoint_deletes_all_bests_but_the_last(tmp_path):
    checkpoints = saved(tmp_path, 10)
    for step in (10, 20, 30):
        checkpoints.save_best(snapshot_at(step))
    assert names(tmp_path / "checkpoints", "best-*") == ["best-000000010", "best-000000020", "best-000000030"]
    checkpoints.save(snapshot_at(40))
    assert names(tmp_path / "checkpoints", "best-*") == ["best-000000030"]


def test_checkpoints_are_ordered_by_their_step_and_not_by_their_letters(tmp_path):
    """step-1000000000 comes after step-999999999."""
    checkpoints = saved(tmp_path, 999_999_999, 1_000_000_000, 5)
    for step in (999_999_999, 1_000_000_000):
        checkpoints.save_best(snapshot_at(step))
    steps = ["step-000000005", "step-999999999", "step-1000000000"]
    assert [path.name for path in all_checkpoints(tmp_path / "checkpoints")] == steps
    assert find_checkpoint(tmp_path).name == "step-1000000000"
    assert find_checkpoint(tmp_path, best=True).name == "best-1000000000"
    checkpoints.keep = 1
    checkpoints.save(snapshot_at(1_000_000_001))
    assert names(tmp_path / "checkpoints") == ["best-1000000000", "step-1000000001"]


def test_a_path_means_the_newest_checkpoint_of_a_run_the_best_one_or_the_checkpoint_itself(tmp_path):
    checkpoints = saved(tmp_path, 10, 20)
    checkpoints.save_best(snapshot_at(10))
    assert find_checkpoint(tmp_path).name == "step-000000020"
    assert find_checkpoint(tmp_path, best=True).name == "best-000000010"
    for path in (tmp_path / "checkpoints").iterdir():
        assert find_checkpoint(path) == find_checkpoint(path, best=True) == path


def test_incomplete_checkpoints_and_other_folders_are_never_found(tmp_path):
    saved(tmp_path, 10)
    for name in (
        "step-000000020.partial",
        "step-30",
        "step-000000040 (copy)",
        "best-000000050.partial",
        "astep-000000060",
    ):
        (tmp_path / "checkpoints" / name).mkdir()
    assert find_checkpoint(tmp_path).name == "step-000000010"
    with pytest.raises(RequestError, match=r"has no checkpoint: neither manifest\.json nor checkpoints/best-\*"):
        find_checkpoint(tmp_path, best=True)


def test_a_path_without_a_checkpoint_is_named(tmp_path):
    with pytest.raises(RequestError, match=f"there is no folder {tmp_path}/nowhere"):
        find_checkpoint(tmp_path / "nowhere")
    with pytest.raises(
        RequestError, match=rf"{tmp_path} has no checkpoint: neither manifest\.json nor checkpoints/step-"
    ):
        find_checkpoint(tmp_path)


def test_only_later_checkpoints_and_incomplete_ones_are_deleted_by_a_resume(tmp_path):
    checkpoints = saved(tmp_path, 10, 20, 30)
    for step in (10, 20, 25):
        checkpoints.save_best(snapshot_at(step))
    for name in ("step-000000005.partial", "best-000000007.partial"):
        (tmp_path / "checkpoints" / name).mkdir()
    checkpoints.delete_after(tmp_path / "checkpoints" / "step-000000020")
    assert names(tmp_path / "checkpoints") == ["best-000000010", "best-000000020", "step-000000010", "step-000000020"]


@pytest.mark.slow
def test_folders_with_other_names_are_never_deleted(config, tmp_path):
    finished_run(config, tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints"
    first, _ = all_checkpoints(folder)
    mine = [folder / name for name in ("copy-of-mine", "best-000000060-keep", "step-000000060 (copy)")]
    for path in mine:
        path.mkdir()
    (folder / "my-notes.txt").write_text("dear diary")
    (folder / "replay" / "thesis.tex").write_text("chapter 1")
    finish(first)
    assert all(path.is_dir() for path in mine)
    assert (folder / "my-notes.txt").read_text() == "dear diary"
    assert (folder / "replay" / "thesis.tex").exists()
    assert names(folder, "step-?????????") == ["step-000000040", "step-000000060"]


@pytest.mark.slow
@pytest.mark.parametrize("link", ["checkpoints", "checkpoints/replay"])
def test_nothing_is_written_or_deleted_through_a_link(config, tmp_path, link):
    finished_run(config, tmp_path / "run")
    path, elsewhere = tmp_path / "run" / link, tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    with pytest.raises(RequestError, match="is a symbolic link; replace it with the folder or file itself"):
        resume_run(tmp_path / "run", tmp_path / "plots", {"episodes": 8})
    assert sorted(elsewhere.rglob("*")) == before


def test_a_link_in_place_of_the_checkpoints_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "checkpoints").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RequestError, match=f"^{tmp_path}/checkpoints is a symbolic link; replace it with the folder"):
        Checkpoints(tmp_path / "checkpoints", keep=1)


def test_a_checkpoint_appears_under_its_name_only_when_complete(small, tmp_path, monkeypatch):
    agent = fill(DDPG(3, 1, small), 10)
    checkpoints = Checkpoints(tmp_path, keep=2, replay=ReplayFiles(tmp_path / "replay"))
    checkpoints.save(snapshot_of(agent, Episode(), {}), agent.replay_buffer)
    fill(agent, 10)
    monkeypatch.setattr(checkpoint_format, "write_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        checkpoints.save(snapshot_of(agent, Episode(), {}), agent.replay_buffer)
    assert names(tmp_path) == ["replay", "step-000000010", "step-000000020.partial"]
    assert [path.name for path in all_checkpoints(tmp_path)] == ["step-000000010"]
    monkeypatch.undo()
    checkpoints.save(snapshot_of(agent, Episode(), {}), agent.replay_buffer)
    assert names(tmp_path) == ["replay", "step-000000010", "step-000000020"]


@pytest.mark.parametrize("kind", ["step", "best"])
def test_an_existing_checkpoint_is_never_written_again(tmp_path, kind):
    """Deleting it and renaming another one into its place would leave a moment with neither."""
    checkpoints = Checkpoints(tmp_path, keep=1)
    save = checkpoints.save if kind == "step" else checkpoints.save_best
    save(snapshot_at(10))
    (tmp_path / f"{kind}-000000010" / "mine.txt").touch()
    save(snapshot_at(10))
    assert (tmp_path / f"{kind}-000000010" / "mine.txt").exists()


@pytest.mark.slow
def test_a_damaged_older_checkpoint_does_not_stop_the_run(config, tmp_path):
    """The replay files that it may need are kept."""
    finished_run(replace(config, keep_checkpoints=3), tmp_path / "run")
    older = all_checkpoints(tmp_path / "run" / "checkpoints")[-2]
    (older / "manifest.json").write_text("{")
    before = names(tmp_path / "run" / "checkpoints" / "replay")
    finish(tmp_path / "run", episodes=8)
    read_back(tmp_path / "run")
    assert set(before) < set(names(tmp_path / "run" / "checkpoints" / "replay"))
