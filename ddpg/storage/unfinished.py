"""Run folders without a checkpoint, which are of no use: removed, as far as this program made them."""

from contextlib import suppress
from pathlib import Path

from ddpg.command.inputs import open_without_waiting
from ddpg.storage import replay_files
from ddpg.storage.checkpoints import NAME, all_checkpoints
from ddpg.storage.files import remove

ROWS = ("episodes.csv", "epochs.csv")  # they get their first row after the first checkpoint
OWN_FILES = {"config.json", "evaluations.csv", "updates.csv", "molecules.smi", *ROWS}


def remove_unfinished(run_dir: Path) -> None:
    """Remove a run folder that never had a checkpoint; what else lies in it stays, and so do the rows of a training."""
    if run_dir.is_symlink() or all_checkpoints(run_dir / "checkpoints") or has_rows(run_dir):
        return
    for folder in (run_dir / "checkpoints" / "replay", run_dir / "checkpoints", run_dir / "tensorboard", run_dir):
        if folder.is_dir() and not folder.is_symlink():
            for path in folder.iterdir():
                remove_own(path)
            with suppress(OSError):  # something else is in it
                folder.rmdir()


def has_rows(run_dir: Path) -> bool:
    """Return whether a run has trained for an episode or more."""
    for name in ROWS:
        with suppress(OSError), open(run_dir / name, "rb", opener=open_without_waiting) as file:
            if len(file.read(10_000).splitlines()) > 1:
                return True
    return False


def remove_own(path: Path) -> None:
    """Remove a file of a run, or a checkpoint that was not finished."""
    name = path.name.removesuffix(".partial").removeprefix(".")
    is_replay = path.parent.name == "replay" and replay_files.NAME.fullmatch(path.name)
    is_checkpoint = NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    is_file = (name in OWN_FILES or name.startswith("events.out.tfevents.")) and not path.is_dir()
    if is_checkpoint or is_file or is_replay:
        with suppress(OSError):
            remove(path)
