"""A checkpoint is the whole run: what is resumed ends where the uninterrupted run ends, bit for bit."""

import csv
from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from ddpg import DDPG, RequestError, snapshot
from ddpg.checkpoint import Checkpoints, all_checkpoints, find_checkpoint
from ddpg.config import PRESETS
from ddpg.opening import resume_run, start_run
from ddpg.replay_files import ReplayFiles
from ddpg.restore import load, load_policy, named_variables, snapshot_of
from ddpg.run import Run
from tests.agents import fill


def run(config, folder) -> Run:
    run = start_run(config, folder, folder.parent / "plots")
    run.go(show_progress=False)
    return run


def rows(path) -> list[dict[str, str]]:
    """The rows of a CSV file without the wall clock."""
    with path.open(newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def assert_same_run(one, other, settings: bool = True) -> None:
    for name in ("episodes", "evaluations", "updates"):
        assert rows(one / f"{name}.csv") == rows(other / f"{name}.csv")
    (agent, description, _), (again, description_again, _) = (load(find_checkpoint(folder)) for folder in (one, other))
    clock = {"seconds": 0, "positions": 0}  # the seconds' digits move the positions in episodes.csv
    if settings:
        assert description | clock == description_again | clock
    np.testing.assert_array_equal(agent.replay_buffer.rows, again.replay_buffer.rows)
    assert agent.replay_buffer.added == again.replay_buffer.added
    for name, variable in named_variables(agent).items():
        np.testing.assert_array_equal(variable, named_variables(again)[name], err_msg=name)


@pytest.fixture
def config(small):
    # Checkpoints and evaluations every two episodes; a ring that is overwritten twice.
    return replace(
        small, env="Pendulum-v1", env_kwargs={"max_episode_steps": 40}, episodes=6, evaluate_every=80,
        evaluation_episodes=1, checkpoint_every=80, buffer_size=100, learning_starts=20,
    )  # fmt: skip


@pytest.mark.slow  # tests/test_exactness.py shows it in a new process; this one is what the mutations are held against
@pytest.mark.parametrize("preset", PRESETS)
def test_a_resumed_run_ends_where_the_uninterrupted_run_ends(config, tmp_path, preset):
    """Stopped between two evaluations: the one at its end is cut off again, and the noise goes on in its stream."""
    paper = {name: getattr(PRESETS[preset], name) for name in ("noise", "batch_normalization", "initialization")}
    config = replace(config, **paper, action_layer=PRESETS[preset].action_layer, evaluate_every=120)
    run(config, tmp_path / "whole")
    run(replace(config, episodes=2), tmp_path / "parts")
    resumed = resume_run(tmp_path / "parts", tmp_path / "plots", {"episodes": 6})
    resumed.go(show_progress=False)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_rows_after_the_checkpoint_are_cut_back(config, tmp_path):
    """As after a kill: the CSV files are ahead of the newest checkpoint."""
    run(config, tmp_path / "whole")
    run(replace(config, episodes=4), tmp_path / "killed")
    newest = find_checkpoint(tmp_path / "killed")
    newest.rename(newest.with_suffix(".partial"))  # never completed
    resumed = resume_run(tmp_path / "killed", tmp_path / "plots", {"episodes": 6})
    assert resumed.last.steps == 80
    assert len(rows(tmp_path / "killed" / "episodes.csv")) == 2
    resumed.go(show_progress=False)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


def test_checkpoints_share_replay_files_and_old_ones_go(config, tmp_path):
    run(replace(config, keep=2), tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints"
    assert [path.name for path in sorted(folder.glob("step-*"))] == ["step-000000160", "step-000000240"]
    # The checkpoint at step 160 holds transitions 60 to 159 of a ring of 100.
    assert [path.name for path in sorted((folder / "replay").iterdir())] == [
        "000000000-000000080.float32",
        "000000080-000000160.float32",
        "000000160-000000240.float32",
    ]


def test_a_ring_that_turned_over_between_two_checkpoints_comes_back(config, tmp_path):
    run(replace(config, checkpoint_every=1_000), tmp_path / "run")
    agent, *_ = load(find_checkpoint(tmp_path / "run"))
    whole = start_run(replace(config, checkpoint_every=80), tmp_path / "other", tmp_path / "plots")
    whole.go(show_progress=False)
    np.testing.assert_array_equal(agent.replay_buffer.rows, whole.agent.replay_buffer.rows)


def test_the_policy_alone_can_be_loaded(config, tmp_path):
    done = run(config, tmp_path / "run")
    state = np.float32([0.6, 0.8, -1])
    policy = load_policy(find_checkpoint(tmp_path / "run"))
    np.testing.assert_array_equal(policy.act(state, explore=False), done.agent.act(state, explore=False))
    assert policy.replay_buffer.capacity == config.batch_size


def test_a_resumed_run_refuses_any_changed_setting_by_name(config, tmp_path):
    run(replace(config, episodes=2), tmp_path / "run")
    for given in ({"gamma": 0.5}, {"seed": 3}, {"episodes": 1}, {"env": "Endless-v0"}):
        with pytest.raises(RequestError) as caught:
            resume_run(tmp_path / "run", tmp_path / "plots", given)
        assert caught.value.setting == next(iter(given))
    resume_run(tmp_path / "run", tmp_path / "plots", {"gamma": config.gamma})


@pytest.mark.parametrize("damage", ["cut", "garbage", "missing", "flipped", "replay"])
def test_a_damaged_checkpoint_is_refused_and_the_file_is_named(config, tmp_path, damage):
    run(replace(config, episodes=2), tmp_path / "run")
    place = find_checkpoint(tmp_path / "run")
    variables, description = place / "variables.npz", place / "run.json"
    named = variables
    if damage == "cut":
        variables.write_bytes(variables.read_bytes()[:500])
    elif damage == "garbage":
        variables.write_bytes(b"not an archive")
    elif damage == "missing":
        variables.unlink()
    elif damage == "flipped":
        named = description
        description.write_text(description.read_text().replace('"state_size": 3', '"state_size": 4'))
    else:
        named = next((tmp_path / "run" / "checkpoints" / "replay").iterdir())
        named.write_bytes(b"")
    with pytest.raises(RequestError) as caught:
        load(place)
    assert named.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_checkpoint_or_with_a_foreign_one_is_refused(tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(RequestError, match=folder.name):
            find_checkpoint(folder)
    (tmp_path / "manifest.json").write_text('{"model": "theirs"}')
    with pytest.raises(RequestError, match=r"manifest\.json is damaged or not of this project"):
        load(find_checkpoint(tmp_path))


def test_a_checkpoint_appears_under_its_name_only_when_complete(small, tmp_path, monkeypatch):
    agent = fill(DDPG(3, 1, small), 10)
    writer = Checkpoints(tmp_path, keep=2, replay=ReplayFiles(tmp_path / "replay"))
    writer.save(snapshot_of(agent, {}), agent.replay_buffer)
    fill(agent, 10)
    monkeypatch.setattr(snapshot, "write_json", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        writer.save(snapshot_of(agent, {}), agent.replay_buffer)
    assert [place.name for place in all_checkpoints(tmp_path)] == ["step-000000010"]


def test_a_checkpoint_that_is_there_is_never_written_again(small, tmp_path):
    """Removing it and renaming another one into its place would leave a moment with neither."""
    agent = fill(DDPG(3, 1, small), 10)
    writer = Checkpoints(tmp_path, keep=1)
    place = writer.save(snapshot_of(agent, {}))
    before = place.stat().st_ino
    assert writer.save(snapshot_of(agent, {})) == place
    assert place.stat().st_ino == before


def test_only_folders_of_a_checkpoints_name_are_ever_deleted(config, tmp_path):
    run(config, tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints"
    first, newest = all_checkpoints(folder)
    mine = [folder / name for name in ("copy-of-mine", "best-000000240-keep", "step-000000240 (copy)")]
    for path in mine:
        path.mkdir()
    (folder / "my-notes.txt").write_text("dear diary")
    (folder / "replay" / "thesis.tex").write_text("chapter 1")
    resume_run(first, tmp_path / "plots", {}).go(show_progress=False)
    assert all(path.is_dir() for path in mine)
    assert newest.is_dir()
    assert (folder / "my-notes.txt").read_text() == "dear diary"
    assert (folder / "replay" / "thesis.tex").exists()


@pytest.mark.parametrize("link", ["checkpoints", "checkpoints/replay"])
def test_nothing_is_written_or_deleted_through_a_link(config, tmp_path, link):
    run(config, tmp_path / "run")
    place, elsewhere = tmp_path / "run" / link, tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    with pytest.raises(RequestError, match="symbolic link"):
        resume_run(tmp_path / "run", tmp_path / "plots", {"episodes": 8})
    assert sorted(elsewhere.rglob("*")) == before


def test_the_best_networks_alone_are_not_gone_on_with(config, tmp_path):
    run(config, tmp_path / "run")
    (best,) = all_checkpoints(tmp_path / "run" / "checkpoints", "best")
    with pytest.raises(RequestError, match="holds no replay buffer"):
        resume_run(best, tmp_path / "plots", {})
    assert len(all_checkpoints(tmp_path / "run" / "checkpoints")) == 2


def test_a_damaged_older_checkpoint_does_not_stop_the_run(config, tmp_path):
    run(replace(config, keep=3), tmp_path / "run")
    older = all_checkpoints(tmp_path / "run" / "checkpoints")[-2]
    (older / "manifest.json").write_text("{")
    resume_run(tmp_path / "run", tmp_path / "plots", {"episodes": 10}).go(show_progress=False)
    load(find_checkpoint(tmp_path / "run"))


def test_a_longer_run_is_measured_as_it_is_asked_for(config, tmp_path):
    """Episodes given to a run that was measured in steps, and the other way round."""
    run(replace(config, steps=80, episodes=250), tmp_path / "run")
    resumed = resume_run(tmp_path / "run", tmp_path / "plots", {"episodes": 3})
    assert (resumed.config.episodes, resumed.config.steps) == (3, None)
    resumed.go(show_progress=False)
    assert resumed.last.episode == 3
    with pytest.raises(RequestError, match="120 already"):
        resume_run(tmp_path / "run", tmp_path / "plots", {"steps": 100})
    resumed = resume_run(tmp_path / "run", tmp_path / "plots", {"steps": 140})
    resumed.go(show_progress=False)
    assert resumed.last.steps == 160


def test_a_run_whose_task_is_gone_is_refused_with_nothing_changed(config, tmp_path):
    run(replace(config, env="Endless-v0"), tmp_path / "run")
    spec = gymnasium.registry.pop("Endless-v0")
    content = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    try:
        with pytest.raises(RequestError, match="Endless-v0"):
            resume_run(tmp_path / "run", tmp_path / "plots", {"episodes": 8})
    finally:
        gymnasium.registry["Endless-v0"] = spec
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == content
