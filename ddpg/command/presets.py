"""Named settings: the two sources, and what has worked on small tasks and on MuJoCo's; what differs from them."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from ddpg.config import Config

PRESETS: dict[str, Config] = {
    "blog": Config(),
    "paper": Config(
        tau=0.001,
        batch_normalization=True,
        kernel_initializer="fan_in",
        action_layer=2,
        critic_weight_decay=0.01,
        noise="ou",
        noise_sigma=0.2,
    ),
    # for small tasks and short runs: what returned most on Pendulum-v1 in 20,000 steps
    "classic": Config(
        learning_starts=5_000, gradient_steps=8, actor_learning_rate=1e-3, noise_sigma=0.3, evaluation_tau=2e-4
    ),
    # PFRL's settings for the MuJoCo tasks, and normalized observations
    "mujoco": Config(learning_starts=10_000, batch_size=100, actor_learning_rate=1e-3, normalize_observations=True),
    # the settings of the paper on hindsight for its robots, without its penalty on actions and limits of targets
    "goals": Config(
        gamma=0.98,
        tau=0.05,
        batch_size=256,
        hindsight_goals=4,
        train_frequency=0,  # after each episode
        gradient_steps=40,
        hidden_units=(256, 256),
        actor_learning_rate=1e-3,
        normalize_observations=True,
        noise_sigma=0.2,
        random_actions=0.3,
    ),
}


def closest_preset(settings: dict[str, Any], presets: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of the preset that some settings are closest to, and those settings that differ from it.

    A run of an earlier version lacks the settings that are newer. It had their defaults.

    Args:
        settings: Settings as they are in a file: lists, no tuples.
        presets: Settings by name.
    """
    different = {name: changes(as_json(type(preset)()) | settings, preset) for name, preset in presets.items()}
    closest = min(different, key=lambda name: len(different[name]))
    return closest, different[closest]


def changes(settings: dict[str, Any], preset: Any) -> dict[str, Any]:
    """Return those of some settings that differ from a preset and say how a run learns."""
    names = [field.name for field in dataclasses.fields(preset) if field.metadata["names_settings"]]
    usual = as_json(preset)
    return {name: settings[name] for name in names if settings[name] != usual[name]}


def as_json(settings: Any) -> dict[str, Any]:
    """Return settings as they are in a file: lists, no tuples."""
    return json.loads(json.dumps(settings.as_json()))
