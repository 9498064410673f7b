"""Other packages: which are missing, and which versions there are."""

import importlib.util
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from ddpg.errors import RequestError

PACKAGES = ("ddpg-reference", "tensorflow", "keras", "numpy", "gymnasium", "rdkit")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a run depends on, of those that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def require_package(package: str, what: str, setting: str | None = None) -> None:
    """Raise `RequestError` if a package is not installed.

    Args:
        package: Its name, as it is imported.
        what: What needs it, such as "MolGAN needs RDKit".
        setting: The option at fault, if there is one.
    """
    if importlib.util.find_spec(package) is None:
        raise RequestError(f"{what}; install it with: pip install {package.replace('_', '-')}", setting)
