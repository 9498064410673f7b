"""What a process takes."""

from pathlib import Path


def resident_mib(process: int | str = "self") -> float:
    """Return a process's resident memory in MiB, 0 if it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
    except (OSError, StopIteration):
        return 0.0
