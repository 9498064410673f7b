"""A small finished run that MolGAN's tests share."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A finished run of four epochs, two updates each; no test may change it."""
    from tests.helpers.molgan import train

    return train(tmp_path_factory.mktemp("molgan") / "run", 4)


@pytest.fixture
def run_dir(trained, tmp_path) -> Path:
    """A copy of the finished run that a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
