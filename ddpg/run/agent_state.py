"""A DDPG agent as a snapshot for the disk, and back: the whole run, or the policy alone."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ddpg.agent import DDPG
from ddpg.config import Config
from ddpg.run.memory import require_memory
from ddpg.storage.checkpoint_format import SavedCheckpoint, Snapshot, non_negative_int, take_snapshot
from ddpg.storage.replay_files import Segment, restore_replay
from ddpg.training import Episode

KIND = "ddpg"
FIELDS = {"config": dict, "state_size": int, "action_size": int, "rngs": dict, "episode": dict, "run": dict}


def variable_owners(agent: DDPG) -> dict[str, Any]:
    """Return what has variables of TensorFlow, by its name in the agent: networks, optimizers, statistics of states.

    An actor that has two names is there once.
    """
    owners: dict[str, Any] = {}
    for name, value in vars(agent).items():
        if hasattr(value, "variables") and not any(value is owner for owner in owners.values()):
            owners[name] = value
    return owners


def snapshot_of(agent: DDPG, episode: Episode, run_state: dict[str, Any]) -> Snapshot:
    """Copy everything of an agent except its replay buffer: its networks, optimizers and random streams.

    Args:
        agent: The agent.
        episode: The last episode.
        run_state: The state of the run folder, JSON-ready.
    """
    description = {
        "config": agent.config.as_json(),
        "state_size": agent.state_size,
        "action_size": agent.action_size,
        "updates": agent.updates,
        "rows_from_elsewhere": agent.rows_from_elsewhere,
        "states_from_elsewhere": agent.normalization.elsewhere if agent.normalization else 0,
        "rngs": {name: rng.bit_generator.state for name, rng in agent.rngs.items()},
        "episode": asdict(replace(episode, metrics=None)),
        "run": run_state,
    }
    snapshot = take_snapshot(KIND, agent.steps, variable_owners(agent), description)
    return snapshot._replace(rows=agent.replay_buffer.added)


def open_checkpoint(checkpoint_dir: Path) -> SavedCheckpoint:
    """Check the files of a DDPG checkpoint, and return what can be read from it."""
    return SavedCheckpoint(checkpoint_dir, KIND, FIELDS)


def load(saved: SavedCheckpoint, config: Config | None = None) -> tuple[DDPG, list[Segment]]:
    """Rebuild a run's agent, with its replay buffer and random streams.

    Args:
        saved: The checkpoint.
        config: Settings to use instead of the saved ones.

    Returns:
        The agent and the replay files of the checkpoint.

    Raises:
        CorruptFileError: A file is damaged or is not this agent's.
        RequestError: The agent does not fit into memory.
    """
    agent = rebuild(saved, config or saved.settings(Config))
    with saved.reading("run.json"):
        agent.updates = non_negative_int(saved.description["updates"])
        for name, rng in agent.rngs.items():
            rng.bit_generator.state = saved.description["rngs"][name]
        agent.rows_from_elsewhere = non_negative_int(saved.description["rows_from_elsewhere"])
        if agent.normalization:
            agent.normalization.elsewhere = non_negative_int(saved.description.get("states_from_elsewhere", 0))
    segments = restore_replay(agent.replay_buffer, saved)
    with saved.reading("manifest.json"):
        if agent.steps != read_episode(saved).steps:
            raise ValueError(f"its replay files end at step {agent.steps}")
    return agent, segments


def load_for_acting(checkpoint_dir: Path) -> DDPG:
    """Rebuild an agent that only acts: its networks, with an empty replay buffer of the smallest size."""
    return acting_agent(open_checkpoint(checkpoint_dir))


def acting_agent(saved: SavedCheckpoint) -> DDPG:
    """Rebuild an agent that only acts from a checkpoint that was opened."""
    config = saved.settings(Config)
    return rebuild(saved, replace(config, buffer_size=config.batch_size))


def read_episode(saved: SavedCheckpoint) -> Episode:
    """Return the last episode before a checkpoint."""
    with saved.reading("run.json"):
        episode = saved.description["episode"]
        number, steps, length = (non_negative_int(episode[name]) for name in ("number", "steps", "length"))
        return Episode(number, steps, length, tuple(map(float, episode["recent_returns"])))


def rebuild(saved: SavedCheckpoint, config: Config) -> DDPG:
    """Make an agent and fill its networks and optimizers, after checking that the file is large enough for them."""
    state_size, action_size = saved.description["state_size"], saved.description["action_size"]
    with saved.reading("variables.npz"):
        min_size = 4 * config.hidden_units[0] * (state_size + action_size + config.hidden_units[1])
        size = (saved.path / "variables.npz").stat().st_size
        if not (0 < state_size < min_size and 0 < action_size < min_size and min_size < size):
            raise ValueError("it is too small for the networks that run.json describes")
    require_memory(config, state_size, action_size)
    with saved.reading("variables.npz"):
        agent = DDPG(state_size, action_size, config)
    saved.fill(variable_owners(agent))
    return agent
