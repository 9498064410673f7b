"""A lock on a run folder, which the system releases with its process, however that ends."""

import os
from pathlib import Path

from ddpg.errors import RequestError

try:
    import fcntl
except ImportError:  # Windows has no flock; there, two runs in one folder go unnoticed
    fcntl = None  # type: ignore[assignment]


class Lock:
    """Keeps a second run out of a run folder for as long as this process lives.

    Args:
        run_dir: The run folder.

    Raises:
        RequestError: Another process holds it.
    """

    def __init__(self, run_dir: Path) -> None:
        self.descriptor = os.open(run_dir, os.O_RDONLY) if fcntl else None
        if self.descriptor is not None:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.close()
                raise RequestError(f"another process is using {run_dir}; wait for it or stop it") from None

    def close(self) -> None:
        """Release the lock."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
