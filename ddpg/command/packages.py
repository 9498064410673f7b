"""Other packages: which are missing, and which versions there are."""

import importlib.util

from ddpg.errors import RequestError


def require_package(package: str, what: str) -> None:
    """Raise `RequestError` if a package is not installed.

    Args:
        package: Its name.
        what: What needs it, such as "MolGAN needs RDKit".
    """
    if importlib.util.find_spec(package) is None:
        raise RequestError(f"{what}; install it with: pip install {package}")
