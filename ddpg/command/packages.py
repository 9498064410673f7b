"""Other packages: which are missing, and which versions there are."""

import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version

from ddpg.errors import RequestError, install

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
        raise RequestError(f"{what}; install it with: {install(package.replace('_', '-'))}", setting)


@contextmanager
def whatever_backend() -> Iterator[None]:
    """Import Matplotlib in this block, also where MPLBACKEND names a backend that does not exist.

    A figure that becomes a file needs none. The user's task, which may open a window, gets the one that was named.
    """
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        yield
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
            with suppress(ValueError):
                sys.modules["matplotlib"].rcParams["backend"] = backend
