"""A sweep's folder: which runs it is made of, and a lock.

sweep.json                 the runs and their settings
SETTING/seedN/             a run folder, as `train.py` makes it, with `test.json` once it is finished
SETTING/seedN.error.txt    why a run failed
comparison.png             the learning curves of all settings
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ddpg.command.inputs import UNUSABLE, read_object
from ddpg.errors import RequestError, blame, one_line
from ddpg.storage.files import write_json
from ddpg.storage.lock import Lock
from ddpg.sweep.jobs import Job

RECORD = "sweep.json"


def check_record(sweep_dir: Path, jobs: Sequence[Job], extra: dict[str, Any]) -> None:
    """Refuse a folder that exists and is not a sweep of these runs; it may be one of some of them.

    Args:
        sweep_dir: The folder, which need not exist.
        jobs: All runs of the sweep.
        extra: What else must be the same, such as the checksum of the data.

    Raises:
        RequestError: The folder has something else.
    """
    if not sweep_dir.exists():
        return
    if not sweep_dir.is_dir() or (not (sweep_dir / RECORD).is_file() and any(sweep_dir.iterdir())):
        raise RequestError(f"{sweep_dir} exists and is not a sweep; choose another folder", "sweep_dir")
    if not (sweep_dir / RECORD).is_file():
        return
    try:
        made = read_object(sweep_dir / RECORD)
        made_runs, made_extra = {name: dict(run) for name, run in made["runs"].items()}, dict(made["extra"])
    except UNUSABLE as error:
        raise RequestError(f"{sweep_dir / RECORD} is damaged ({one_line(error)})", "sweep_dir") from None
    asked = record(sweep_dir, jobs, extra)
    problem = difference({"extra": made_extra}, {"extra": asked["extra"]})
    for name, config in made_runs.items():
        if name not in asked["runs"]:
            problem = problem or f"also {name}, which is not asked for now"
        else:
            problem = problem or difference(config, asked["runs"][name], f" in {name}")
    if problem:
        raise RequestError(
            f"{sweep_dir} is a sweep of other runs: it has {problem}; choose another folder", "sweep_dir"
        )


@contextmanager
def open_folder(sweep_dir: Path, jobs: Sequence[Job], extra: dict[str, Any]) -> Iterator[None]:
    """Create the folder, or open it again, and keep other sweeps out of it meanwhile.

    Args:
        sweep_dir: The folder.
        jobs: All runs of the sweep.
        extra: As in `check_record`.

    Raises:
        RequestError: It cannot be created, or another process is using it.
    """
    try:
        sweep_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(f"cannot create {sweep_dir}: {error.strerror}", "sweep_dir") from None
    with blame("sweep_dir"):
        lock = Lock(sweep_dir)
    try:
        write_json(sweep_dir / RECORD, record(sweep_dir, jobs, extra))
        yield
    finally:
        lock.close()


def record(sweep_dir: Path, jobs: Sequence[Job], extra: dict[str, Any]) -> dict[str, Any]:
    """Return the content of `sweep.json`."""
    runs = {job.folder.relative_to(sweep_dir).as_posix(): job.config.as_json() for job in jobs}
    return json.loads(json.dumps({"extra": extra, "runs": runs}))


def difference(made: dict[str, Any], asked: dict[str, Any], where: str = "") -> str:
    """Return how settings differ, such as "gamma 0.99 instead of 0.9"; "" if they do not."""
    names = [name for name in {**made, **asked} if made.get(name) != asked.get(name)]
    return ", ".join(f"{name} {made.get(name)} instead of {asked.get(name)}" for name in names) + (
        where if names else ""
    )
