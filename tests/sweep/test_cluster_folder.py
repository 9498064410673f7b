"""Ray on this machine alone: in a closed folder that does not stay, and led nowhere else by the user's variables."""

import os
import stat
from pathlib import Path

import pytest

from ddpg.sweep import cluster


@pytest.fixture
def folders(monkeypatch):
    """In place of Ray: what it is started with, and the folder that it then opens to everybody."""
    seen = []

    def connect(_temp_dir, **options):
        Path(_temp_dir).mkdir()
        Path(_temp_dir).chmod(0o777)  # as Ray does
        seen.append((Path(_temp_dir), options, {name: os.environ.get(name) for name in cluster.LEADING_ELSEWHERE}))

    monkeypatch.setattr(cluster, "connect", connect)
    monkeypatch.setattr(cluster, "disconnect", lambda: None)
    return seen


def test_nobody_else_reaches_rays_folder_and_it_does_not_stay(folders):
    with cluster.local_ray(1):
        ((folder, _, _),) = folders
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert not folder.parent.exists()


@pytest.mark.parametrize("where", ["disconnect", "inside"])
def test_an_interruption_removes_the_folder_too(folders, monkeypatch, where):
    def interrupt():
        raise KeyboardInterrupt

    if where == "disconnect":
        monkeypatch.setattr(cluster, "disconnect", interrupt)
    with pytest.raises(KeyboardInterrupt), cluster.local_ray(1):
        if where == "inside":
            interrupt()
    assert not folders[0][0].parent.exists()


def test_variables_that_lead_to_another_cluster_are_set_aside_and_put_back(folders, monkeypatch):
    for name in cluster.LEADING_ELSEWHERE:
        monkeypatch.setenv(name, "10.0.0.1:6379")
    with cluster.local_ray(1):
        ((_, options, variables),) = folders
        assert options["address"] == "local" and set(variables.values()) == {None}
    assert all(os.environ[name] == "10.0.0.1:6379" for name in cluster.LEADING_ELSEWHERE)
