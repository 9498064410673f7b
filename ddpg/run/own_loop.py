"""An agent from a training loop of one's own, saved as a run's checkpoint is, and back."""

import tempfile
from pathlib import Path

from ddpg.agent import DDPG
from ddpg.command.inputs import UNUSABLE, read_object
from ddpg.command.paths import absolute
from ddpg.errors import RequestError
from ddpg.run.agent_state import load, open_checkpoint, snapshot_of
from ddpg.storage.checkpoint_format import write_snapshot
from ddpg.storage.checkpoints import all_checkpoints, find_checkpoint
from ddpg.storage.files import refuse_link
from ddpg.storage.replay_files import ReplayFiles
from ddpg.training import Episode


def save_agent(agent: DDPG, folder: str | Path) -> Path:
    """Save an agent between two episodes: networks, optimizers, random streams and replay buffer.

    `load_agent` restores it. `load_policy`, `export_policy` and `evaluate.py --checkpoint` take the folder as they
    take a run's, and make the task that `agent.config` names. Saving into the same folder again replaces what is there.

    Args:
        agent: The agent.
        folder: A new folder, or one that this function wrote.

    Returns:
        The folder, as an absolute path.

    Raises:
        RequestError: The folder holds something else, or cannot be written.
    """
    folder = absolute(folder)
    refuse_link(folder)
    if folder.exists() and not is_saved_agent(folder):
        raise RequestError(f"{folder} exists and is not from save_agent, so it is not replaced; choose another name")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".agent-") as temporary:
            new, old = Path(temporary, "new"), Path(temporary, "old")  # no name that a user could have given
            replay = ReplayFiles(new / "checkpoints" / "replay")
            replay.save_new(agent.replay_buffer)
            snapshot = snapshot_of(agent, Episode(steps=agent.steps), {})
            write_snapshot(new / "checkpoints" / f"step-{agent.steps:09d}", snapshot, replay.segments)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
    except OSError as error:
        raise RequestError(f"cannot write {folder}: {error.strerror}") from None
    return folder


def load_agent(path: str | Path) -> DDPG:
    """Return the agent of a checkpoint with everything that training needs; it learns on as if never interrupted.

    Args:
        path: A folder of `save_agent`, a run folder, for its newest checkpoint, or one checkpoint.

    Raises:
        RequestError: There is no valid checkpoint.
    """
    agent, _ = load(open_checkpoint(find_checkpoint(absolute(path))))
    return agent


def is_saved_agent(folder: Path) -> bool:
    """Return whether a folder holds what `save_agent` wrote, and nothing else."""
    try:
        (checkpoint,) = all_checkpoints(folder / "checkpoints")
        description = read_object(checkpoint / "run.json")
        names = {path.name for path in (*folder.iterdir(), *(folder / "checkpoints").iterdir())}
        return names == {"checkpoints", "replay", checkpoint.name} and description["run"] == {}
    except UNUSABLE:
        return False
