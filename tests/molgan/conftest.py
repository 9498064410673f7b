"""Two runs that MolGAN's tests share: one of four epochs, and its first two."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A finished run of four epochs, two updates each; no test may change it."""
    from tests.helpers.molgan import train

    return train(tmp_path_factory.mktemp("molgan") / "run", 4)


@pytest.fixture(scope="session")
def half(tmp_path_factory) -> Path:
    """The first two epochs of the same run; no test may change it."""
    from tests.helpers.molgan import train

    return train(tmp_path_factory.mktemp("half") / "run", 2)


@pytest.fixture
def run_dir(trained, tmp_path) -> Path:
    """A copy of the finished run that a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
