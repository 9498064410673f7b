"""Files of logged data: four formats, each read as numbers alone, and refused in one line that names the file."""

import json
import pickle

import h5py
import numpy as np
import pytest
from gymnasium import spaces

from ddpg import RequestError
from ddpg.storage.data_files import checksum_of_data, read_log

BOX = spaces.Box(-1, 1, (2,), np.float32)
ARRAYS = {
    "observations": np.arange(10.0).reshape(5, 2),
    "actions": np.arange(5.0).reshape(5, 1),
    "rewards": np.arange(5.0),
    "terminals": np.array([0, 0, 1, 0, 0], bool),
    "timeouts": np.array([0, 0, 0, 0, 1], bool),
}


def read(path, space=BOX, most=100, **columns):
    return read_log(path, columns, space, most)


def write_npz(path, **changes):
    np.savez(path, **{name: value for name, value in (ARRAYS | changes).items() if value is not None})
    return path


def write_hdf5(path, **changes):
    with h5py.File(path, "w") as file:
        for name, value in (ARRAYS | changes).items():
            if value is not None:
                file[name] = value
    return path


def write_csv(path, text):
    path.write_text(text)
    return path


def write_minari(folder, *episodes):
    """Write episodes of (observations, steps) in the format of a Minari dataset."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "metadata.json").write_text(json.dumps({"data_format": "hdf5"}))
    with h5py.File(folder / "data" / "main_data.hdf5", "w", track_order=True) as file:
        for number, (observations, steps) in enumerate(episodes):
            group = file.create_group(f"episode_{number}")
            for name, value in observations.items() if isinstance(observations, dict) else [("", observations)]:
                group[f"observations/{name}" if name else "observations"] = value
            group["actions"] = np.full((steps, 1), number, np.float32)
            group["rewards"] = np.ones(steps)
            group["terminations"] = np.zeros(steps, bool)
            group["truncations"] = np.arange(steps) == steps - 1
    return folder


def check_arrays(log):
    for value, name in ((log.observations, "observations"), (log.actions, "actions"), (log.rewards, "rewards")):
        np.testing.assert_array_equal(value, ARRAYS[name])
    assert log.terminals.tolist() == [False, False, True, False, False]
    assert log.ends.tolist() == [False, False, True, False, True]
    assert log.total == 5


@pytest.mark.parametrize(("write", "name"), [(write_npz, "log.npz"), (write_hdf5, "log.hdf5"), (write_hdf5, "log.h5")])
def test_d4rls_names_are_read_from_npz_and_hdf5(tmp_path, write, name):
    check_arrays(read(write(tmp_path / name)))
    columns = {"rewards": ARRAYS["rewards"][:, None], "terminals": ARRAYS["terminals"][:, None]}
    check_arrays(read(write(tmp_path / f"columns-{name}", **columns)))
    assert read(write(tmp_path / f"next-{name}", next_observations=np.ones((5, 2)))).next_observations.sum() == 10
    assert read(write(tmp_path / f"endless-{name}", timeouts=None)).ends.tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize(("write", "name"), [(write_npz, "log.npz"), (write_hdf5, "log.hdf5")])
def test_of_a_file_larger_than_the_buffer_the_newest_rows_are_read(tmp_path, write, name):
    log = read(write(tmp_path / name), most=2)
    assert (log.actions.ravel().tolist(), log.total) == ([3, 4], 5)


def test_a_csv_file_has_a_row_per_time_step(tmp_path):
    text = "observation_0,observation_1,action,reward,terminated,truncated\n" + "\n".join(
        f"{2 * row},{2 * row + 1},{row},{row},{row == 2},{int(row == 4)}" for row in range(5)
    )
    check_arrays(read(write_csv(tmp_path / "log.csv", text)))


def test_an_episode_number_ends_episodes_and_columns_can_be_named(tmp_path):
    path = write_csv(tmp_path / "log.csv", "run,T,u,cost\n1,20,0.5,-1\n1,21,0.5,-2\n2,30,0.1,-3\n")
    log = read(path, state="T", action=["u"], reward="cost", episode="run")
    assert log.ends.tolist() == [False, True, False]
    assert log.observations.tolist() == [[20], [21], [30]]
    assert log.rewards.tolist() == [-1, -2, -3]


def test_a_minari_dataset_has_one_more_state_than_actions_in_each_episode(tmp_path):
    folder = write_minari(tmp_path / "set", (np.arange(8.0).reshape(4, 2), 3), (np.zeros((3, 2)), 2))
    log = read(folder)
    assert log.observations[:, 0].tolist() == [0, 2, 4, 0, 0]
    assert log.next_observations[:, 0].tolist() == [2, 4, 6, 0, 0]
    assert log.ends.tolist() == [False, False, True, False, True]
    assert log.actions.ravel().tolist() == [0, 0, 0, 1, 1]
    newest = read(folder, most=3)
    assert (newest.actions.ravel().tolist(), newest.total) == ([0, 1, 1], 5)


def test_dictionaries_are_flattened_in_the_order_of_the_task(tmp_path):
    """As `FlattenObservation` does: b before a here, and the number 2 of three as [0, 0, 1]."""
    space = spaces.Dict([("b", spaces.Discrete(3)), ("a", spaces.Tuple([BOX]))])
    state = {"b": np.array([2, 0]), "a/_index_0": np.array([[5.0, 6.0], [7.0, 8.0]])}
    log = read(write_minari(tmp_path / "set", (state, 1)), space)
    assert log.observations.tolist() == [[0, 0, 1, 5, 6]]
    expected = spaces.flatten(space, {"b": 2, "a": (np.array([5, 6], np.float32),)})
    np.testing.assert_array_equal(log.observations[0], expected)


class Trap:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        import os

        return os.mkdir, ("sprung",)


def test_a_pickle_is_refused_and_never_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "log.npz", **ARRAYS | {"rewards": np.array([Trap()], object)})
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Trap()))
    for name in ("log.npz", "bare.npz"):
        with pytest.raises(RequestError, match=name):
            read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("write", [write_npz, write_hdf5])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"terminals": None}, "it has no 'terminals'; expected observations, actions, rewards, terminals, and perhaps"),
        ({"rewards": np.zeros(2)}, r"rewards has the shape \(2,\); expected one row per time step, \(5,\)"),
        ({"rewards": np.zeros((5, 2))}, r"rewards has the shape \(5, 2\); expected one number per time step"),
        ({"actions": np.array([b"left"] * 5)}, "actions are not numbers, but .S4"),
        ({"observations": np.array(1.0)}, r"observations has the shape \(\); expected one row per time step, 1"),
    ],
)
def test_what_is_missing_or_of_another_shape_is_named(tmp_path, write, changes, message):
    path = write(tmp_path / ("log.npz" if write is write_npz else "log.hdf5"), **changes)
    with pytest.raises(RequestError, match=f"data: {path}: {message}"):
        read(path)


def test_links_and_virtual_arrays_in_hdf5_are_not_followed(tmp_path):
    write_hdf5(tmp_path / "other.hdf5")
    path = write_hdf5(tmp_path / "log.hdf5", rewards=None, actions=None)
    with h5py.File(path, "a") as file:
        file["rewards"] = h5py.ExternalLink(str(tmp_path / "other.hdf5"), "rewards")
    with pytest.raises(RequestError, match="rewards is no array in this file; groups and links are not read"):
        read(path)
    layout = h5py.VirtualLayout((5,), float)
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.hdf5"), "rewards", (5,))
    with h5py.File(path, "a") as file:
        del file["rewards"]
        file.create_virtual_dataset("rewards", layout)
    with pytest.raises(RequestError, match="rewards is no array in this file"):
        read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ""),
        ("observation,action,reward\n", "it has no rows"),
        ("observation,reward\n1,2\n", r"it has no column for the action \(action_0, action_1 and so on\); name it"),
        ("observation,action,reward\n1,2,3\n1,2,\n", "line 3, column 'reward': expected a number, got ''"),
        ("observation,action,reward\n1,2\n", "line 2: expected 3 values between commas, got 2"),
        ("observation,action,reward,episode\n1,2,3,1\n1,2,3,2\n1,2,3,1\n", "its rows are shuffled: an episode goes on"),
    ],
)
def test_a_csv_file_that_is_no_log_is_refused(tmp_path, text, message):
    path = write_csv(tmp_path / "log.csv", text)
    with pytest.raises(RequestError, match=f"{path}.*{message}"):
        read(path)


def test_columns_that_do_not_exist_are_refused(tmp_path):
    path = write_csv(tmp_path / "log.csv", "observation,action,reward\n1,2,3\n")
    with pytest.raises(RequestError, match=r"data_columns: .*it has no column 'T'; it has observation, action, reward"):
        read(path, state="T")
    with pytest.raises(
        RequestError, match=r"data_columns: .*unknown 'temperature'; the keys are state, action, reward"
    ):
        read(path, temperature="T")


def test_what_is_no_file_of_a_known_kind_is_refused(tmp_path):
    (tmp_path / "log.txt").touch()
    (tmp_path / "log.hdf5").write_bytes(b"no")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("log.txt", r"expected a file \.npz, \.hdf5, \.h5, \.csv, or the folder of a Minari dataset"),
        ("log.hdf5", "cannot read .*log.hdf5"),
        ("empty", "has no data/main_data.hdf5; expected a Minari dataset in the format HDF5"),
    ):
        with pytest.raises(RequestError, match=message):
            read(tmp_path / name)
    with pytest.raises(RequestError, match=r"data: cannot read .*none\.npz \(No such file or directory\)"):
        checksum_of_data(tmp_path / "none.npz")
