"""A DDPG agent as a snapshot for the disk, and back: the whole run, or the policy alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ddpg.agent import DDPG
from ddpg.config import Config
from ddpg.records import COLUMNS
from ddpg.replay_files import Segment, restore_replay, segments_in
from ddpg.snapshot import (
    Snapshot,
    check_snapshot,
    damage_named,
    fill_variables,
    natural,
    numbered,
    read_description,
    read_settings,
)
from ddpg.training import Episode

KIND = "ddpg"
DESCRIBED = {"config": dict, "state_size": int, "action_size": int, "generators": dict}


def snapshot_of(agent: DDPG, loop: dict[str, Any]) -> Snapshot:
    """Return all of an agent but its replay buffer: four networks, two optimizers, every random stream.

    Args:
        agent: The agent.
        loop: What the training loop must know to go on, JSON-ready.
    """
    description = {
        "config": agent.config.as_json(),
        "state_size": agent.state_size,
        "action_size": agent.action_size,
        "updates": agent.updates,
        "generators": {name: g.bit_generator.state for name, g in agent.generators.items()},
        **loop,
    }
    arrays = {name: variable.numpy() for name, variable in named_variables(agent).items()}
    return Snapshot(KIND, agent.replay_buffer.added, arrays, description)


def named_variables(agent: DDPG) -> dict[str, Any]:
    """Return every variable that learning changes, under a name that says whose it is."""
    owners = {
        "actor": agent.actor,
        "critic": agent.critic,
        "target_actor": agent.target_actor,
        "target_critic": agent.target_critic,
        "actor_optimizer": agent.actor_optimizer,
        "critic_optimizer": agent.critic_optimizer,
    }
    return numbered(owners)


def load(place: Path, config: Config | None = None) -> tuple[DDPG, dict[str, Any], list[Segment]]:
    """Rebuild a run's agent, all of it.

    Args:
        place: The checkpoint's folder, from `find_checkpoint`.
        config: Settings to use in place of the saved ones.

    Returns:
        The agent, the checkpoint's description (`run.json`), and its replay files.

    Raises:
        RequestError: The checkpoint is damaged or not one of this project.
    """
    description = describe(place)
    agent = rebuild(place, description, config or saved_config(place, description))
    with damage_named(place / "run.json"):
        agent.updates = int(description["updates"])
        for name, generator in agent.generators.items():
            generator.bit_generator.state = description["generators"][name]
    with damage_named(place / "manifest.json"):
        segments = segments_in(place)
    restore_replay(agent.replay_buffer, place.parent / "replay", segments)
    return agent, description, segments


def load_policy(place: Path) -> DDPG:
    """Rebuild an agent that only acts: its networks, with an empty replay buffer of the smallest size."""
    description = describe(place)
    config = saved_config(place, description)
    return rebuild(place, description, replace(config, buffer_size=config.batch_size))


def describe(place: Path) -> dict[str, Any]:
    """Check a checkpoint's files against its manifest, and return its description."""
    check_snapshot(place, KIND)
    return read_description(place, DESCRIBED)


def saved_config(place: Path, description: dict[str, Any]) -> Config:
    """Return the settings that a checkpoint was made with; one that is not allowed is damage to its file."""
    return read_settings(place, description, Config)


def read_loop(place: Path, description: dict[str, Any]) -> tuple[Episode, float, float | None, dict[str, int]]:
    """Return where the loop stood: the last episode, seconds, the best evaluation, the CSV files' positions."""
    with damage_named(place / "run.json"):
        saved = description["episode"]
        episode, steps, length = (natural(saved[name]) for name in ("episode", "steps", "length"))
        last = Episode(episode, steps, length, tuple(map(float, saved["recent_returns"])))
        best = None if description["best"] is None else float(description["best"])
        positions = {name: natural(description["positions"][name]) for name in COLUMNS}
        return last, float(description["seconds"]), best, positions


def rebuild(place: Path, description: dict[str, Any], config: Config) -> DDPG:
    """Make an agent and fill its networks and optimizers, after checking that they can be what the file holds."""
    path = place / "variables.npz"
    state_size, action_size = description["state_size"], description["action_size"]
    with damage_named(path):
        least = 4 * config.hidden_units[0] * (state_size + action_size + config.hidden_units[1])
        if not (0 < state_size < least and 0 < action_size < least and least < path.stat().st_size):
            raise ValueError("it cannot hold the networks that run.json describes")
        agent = DDPG(state_size, action_size, config)
        fill_variables(path, named_variables(agent))
    return agent
