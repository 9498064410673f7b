"""The replay buffer on the disk: what is new in each file, what is deleted, and what comes back."""

import json

import numpy as np
import pytest

from ddpg import RequestError
from ddpg.replay_buffer import ReplayBuffer
from ddpg.storage.checkpoint_format import CorruptFileError, SavedCheckpoint, Snapshot
from ddpg.storage.checkpoints import Checkpoints
from ddpg.storage.files import checksum
from ddpg.storage.replay_files import ReplayFiles, Segment, restore_replay
from tests.helpers.agents import transitions
from tests.helpers.runs import names


def filled(capacity: int, count: int) -> ReplayBuffer:
    buffer = ReplayBuffer(capacity, state_size=3, action_size=2)
    add(buffer, count)
    return buffer


def add(buffer: ReplayBuffer, count: int) -> None:
    for state, action, reward, next_state, terminated in transitions(count, seed=buffer.added):
        buffer.add(state, action, reward, terminated, next_state)


def save(checkpoints: Checkpoints, buffer: ReplayBuffer):
    return checkpoints.save(Snapshot("ddpg", buffer.added, {}, {}), buffer)


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path, keep=2, replay=ReplayFiles(tmp_path / "replay"))


def restored(checkpoint_dir, capacity: int) -> tuple[ReplayBuffer, list[Segment]]:
    buffer = filled(capacity, 0)
    return buffer, restore_replay(buffer, SavedCheckpoint(checkpoint_dir, "ddpg", {}))


def assert_same_buffer(one: ReplayBuffer, other: ReplayBuffer) -> None:
    assert one.added == other.added
    np.testing.assert_array_equal(one.rows, other.rows)


def test_a_checkpoint_writes_only_the_transitions_that_are_new(tmp_path, checkpoints):
    buffer = filled(100, 30)
    save(checkpoints, buffer)
    add(buffer, 12)
    save(checkpoints, buffer)
    assert names(tmp_path / "replay") == ["000000000-000000030.float32", "000000030-000000042.float32"]
    rows = np.fromfile(tmp_path / "replay" / "000000030-000000042.float32", np.float32)
    np.testing.assert_array_equal(rows.reshape(12, buffer.row_size), buffer.rows[30:42])


def test_files_that_no_kept_checkpoint_needs_are_deleted(tmp_path, checkpoints):
    """A buffer of 100: the checkpoint at 160 needs the transitions from 60 on, the one at 240 those from 140 on."""
    buffer = filled(100, 0)
    for _ in range(3):
        add(buffer, 80)
        save(checkpoints, buffer)
    assert names(tmp_path, "step-*") == ["step-000000160", "step-000000240"]
    ranges = ["000000000-000000080", "000000080-000000160", "000000160-000000240"]
    assert names(tmp_path / "replay") == [f"{name}.float32" for name in ranges]
    add(buffer, 80)
    save(checkpoints, buffer)
    ranges = [*ranges[1:], "000000240-000000320"]
    assert names(tmp_path / "replay") == [f"{name}.float32" for name in ranges]


def test_transitions_overwritten_between_two_checkpoints_are_not_written(tmp_path, checkpoints):
    buffer = filled(100, 30)
    save(checkpoints, buffer)
    add(buffer, 250)
    save(checkpoints, buffer)
    assert names(tmp_path / "replay") == ["000000000-000000030.float32", "000000180-000000280.float32"]


def test_nothing_is_deleted_while_a_kept_checkpoint_has_a_damaged_manifest(tmp_path, checkpoints):
    """It cannot say which files it needs."""
    buffer = filled(100, 80)
    older = save(checkpoints, buffer)
    add(buffer, 100)
    newer = save(checkpoints, buffer)
    (newer / "manifest.json").write_text("{")
    add(buffer, 100)
    save(checkpoints, buffer)
    assert not older.exists()
    assert [name[:9] for name in names(tmp_path / "replay")] == ["000000000", "000000080", "000000180"]


def test_a_file_is_not_needed_once_its_last_transition_is_overwritten(checkpoints):
    buffer = filled(100, 80)
    save(checkpoints, buffer)
    add(buffer, 99)
    save(checkpoints, buffer)
    assert [segment.start for segment in checkpoints.replay.segments] == [0, 80]  # transition 79 is still there
    add(buffer, 1)
    save(checkpoints, buffer)
    assert [segment.start for segment in checkpoints.replay.segments] == [80, 179]


@pytest.mark.parametrize("counts", [(7,), (100,), (30, 12), (80, 80, 80), (30, 250), (260,), (99, 1, 1, 99, 100, 101)])
def test_any_buffer_comes_back_bit_for_bit(checkpoints, counts):
    """Also one that was overwritten several times between two checkpoints."""
    buffer = filled(100, 0)
    for count in counts:
        add(buffer, count)
        path = save(checkpoints, buffer)
    again, segments = restored(path, 100)
    assert_same_buffer(again, buffer)
    assert segments == checkpoints.replay.segments


def test_a_resumed_run_goes_on_with_the_files_that_are_there(tmp_path, checkpoints):
    buffer = filled(100, 60)
    again, segments = restored(save(checkpoints, buffer), 100)
    resumed = Checkpoints(tmp_path, keep=2, replay=ReplayFiles(tmp_path / "replay", segments))
    add(again, 20)
    path = save(resumed, again)
    assert names(tmp_path / "replay") == ["000000000-000000060.float32", "000000060-000000080.float32"]
    assert_same_buffer(restored(path, 100)[0], again)


def test_a_large_buffer_is_split_so_that_old_files_can_be_deleted(tmp_path):
    buffer = ReplayBuffer(25_000, 1, 1)
    buffer.added = 25_000
    replay = ReplayFiles(tmp_path / "replay")
    replay.save_new(buffer)
    assert [(segment.start, segment.stop) for segment in replay.segments] == [
        (0, 10_000), (10_000, 20_000), (20_000, 25_000),
    ]  # fmt: skip
    buffer = ReplayBuffer(320_000, 1, 1)
    buffer.added = 320_000
    replay = ReplayFiles(tmp_path / "larger")
    replay.save_new(buffer)
    assert {segment.stop - segment.start for segment in replay.segments} == {20_000}


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "link"])
def test_a_damaged_replay_file_is_named(tmp_path, checkpoints, damage):
    checkpoint_dir = save(checkpoints, filled(100, 30))
    (path,) = (tmp_path / "replay").iterdir()
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage == "cut":
        path.write_bytes(data[:-4])
    elif damage == "flipped":
        data[50] ^= 1
        path.write_bytes(data)
    elif damage == "link":
        (tmp_path / "elsewhere").write_bytes(data)
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RequestError, match=str(path)) as caught:
        restored(checkpoint_dir, 100)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("ranges", "reason"),
    [
        ([(0, 10), (20, 30)], "it does not continue the file before it"),
        ([(10, 20), (0, 10)], "it does not continue the file before it"),
        ([(0, 10), (5, 15)], "it does not continue the file before it"),
        ([(0, 0)], "it does not continue the file before it"),
        ([(-10, 0)], "it does not continue the file before it"),
        ([(0, 10**12)], "expected 40000000000000 bytes, got 4000"),
    ],
)
def test_undamaged_files_that_do_not_follow_one_another_are_refused(tmp_path, checkpoints, ranges, reason):
    checkpoint_dir = save(checkpoints, filled(100, 30))
    entries = []
    for start, stop in ranges:
        path = tmp_path / "replay" / Segment(start, stop, "").name
        np.zeros((max(0, min(stop, 100) - start), 10), np.float32).tofile(path)
        entries.append([start, stop, checksum(path)])
    manifest = json.loads((checkpoint_dir / "manifest.json").read_text())
    (checkpoint_dir / "manifest.json").write_text(json.dumps(manifest | {"replay": entries}))
    with pytest.raises(CorruptFileError, match=rf"is corrupt or not a checkpoint of this project \({reason}\)$"):
        restored(checkpoint_dir, 100)


def test_replay_files_are_not_written_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "replay").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RequestError, match="is a symbolic link"):
        ReplayFiles(tmp_path / "replay")
