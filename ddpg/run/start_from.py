"""A start from another run: its networks and its normalization, and if asked for its transitions; nothing else."""

from pathlib import Path
from typing import Any

import gymnasium

from ddpg.agent import DDPG
from ddpg.config import Config
from ddpg.errors import RequestError, blame
from ddpg.experience.logged import store
from ddpg.replay_buffer import row_size
from ddpg.run.agent_state import acting_agent, load, open_checkpoint
from ddpg.storage.checkpoint_format import SavedCheckpoint, read_kept
from ddpg.storage.checkpoints import all_checkpoints, find_checkpoint
from ddpg.storage.files import checksum
from ddpg.task.record import record_of

NETWORKS = ("actor", "critic", "target_actor", "target_critic", "evaluated_actor")


def find_source(config: Config) -> tuple[SavedCheckpoint, dict[str, str]]:
    """Return the checkpoint that a run starts from, and its path with the checksum of its manifest.

    Raises:
        RequestError: There is none, or it is not the one that the settings name.
    """
    ((path, expected),) = config.start_from.items()
    with blame("start_from"):
        checkpoint_dir = find_checkpoint(Path(path), config.start_from_best)
        saved = open_checkpoint(checkpoint_dir)
    found = checksum(checkpoint_dir / "manifest.json")
    if expected not in ("", found):
        raise RequestError(f"{path} was changed: its manifest's SHA-256 is {found}, not {expected}", "start_from")
    return saved, {str(checkpoint_dir): found}


def start_from(agent: DDPG, saved: SavedCheckpoint, environment: gymnasium.Env) -> list[str]:
    """Give an agent the networks and the normalization of a checkpoint, and its transitions if the settings say so.

    Args:
        agent: A new agent; its optimizers stay new.
        saved: The checkpoint.
        environment: The agent's task, from `make_environment`.

    Returns:
        What a user should know, a line each.

    Raises:
        RequestError: Something of it does not fit the agent or its task.
    """
    with blame("start_from"):
        source = acting_agent(saved)
    if bool(agent.normalization) != bool(source.normalization):
        word = "with" if source.normalization else "without"
        raise RequestError(f"{saved.run_dir} was trained {word} --normalize-observations; use the same", "start_from")
    for name in NETWORKS:
        copy_variables(name, getattr(source, name).variables, getattr(agent, name).variables, saved.run_dir)
    if agent.normalization and source.normalization:
        for new, old in zip(agent.normalization.variables, source.normalization.variables, strict=True):
            new.assign(old)
        agent.normalization.elsewhere = int(source.normalization.count.numpy()[0])
    notes = [f"it starts with the networks of {saved.path}"]
    return [*notes, take_transitions(agent, saved, environment)] if agent.config.start_from_data else notes


def copy_variables(name: str, old: list[Any], new: list[Any], run_dir: Path) -> None:
    """Copy the variables of a network, or say which does not fit."""
    if len(old) != len(new):
        raise RequestError(
            f"the {name} of {run_dir} has {len(old)} arrays, and {len(new)} here; use its --batch-normalization and "
            "--layer-normalization",
            "start_from",
        )
    for source, target in zip(old, new, strict=True):
        if tuple(source.shape) != tuple(target.shape):
            raise RequestError(
                f"{source.name} of the {name} of {run_dir} has the shape {tuple(source.shape)}, and here "
                f"{tuple(target.shape)}; use its --hidden-units and --action-layer, and a task of the same sizes",
                "start_from",
            )
        target.assign(source)


def take_transitions(agent: DDPG, saved: SavedCheckpoint, environment: gymnasium.Env) -> str:
    """Store the transitions of a checkpoint's run; the best networks are saved without them, the newest have them."""
    bounds, own = read_kept(saved).get("task", {}).get("actions"), record_of(environment)
    if bounds not in (None, own["actions"]):
        raise RequestError(
            f"the actions of {saved.run_dir} are {bounds}, and here {own['actions']}: its transitions do not fit; "
            "start without them",
            "start_from_data",
        )
    with blame("start_from_data"):
        newest = all_checkpoints(saved.path.parent)
        holder = saved if saved.manifest["replay"] or not newest else open_checkpoint(newest[-1])
        source, _ = load(holder)
    buffer, width = source.replay_buffer, row_size(agent.state_size, agent.action_size)
    rows = buffer.rows.take(range(buffer.added - len(buffer), buffer.added), axis=0, mode="wrap")[:, :width]
    store(agent, rows, logged=False)
    stored = len(agent.replay_buffer)
    if agent.normalization:
        agent.normalization.elsewhere = max(0, agent.normalization.elsewhere - stored)
    return f"it starts with the newest {stored} transitions of {holder.path}"
