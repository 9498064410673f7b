"""Mistakes and missing parts as small patches for a copy of the code, which itself has no switches for them."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Patch(NamedTuple):
    """In a file of the package, the text `old`, which stands there once, becomes `new`."""

    file: str
    old: str
    new: str


def patched_copy(folder: Path, patches: Iterable[Patch]) -> Path:
    """Copy the package, its two scripts and its tests into a folder and patch the copy; return the folder.

    Raises:
        ValueError: A patch does not fit the code any more.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("ddpg", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("train.py", "evaluate.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for file, old, new in patches:
        path = folder / "ddpg" / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{path.name} holds {text.count(old)} times, and not once:\n{old}")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


# What more than one script brings back; each is a tuple of patches.
NO_TERMINAL_MASK = (Patch("equations.py", "gamma * (1.0 - terminated) * next_value", "gamma * next_value"),)
BROADCAST_TARGET = (
    Patch("equations.py", "reward + gamma * (1.0 - terminated)", "reward[:, 0] + gamma * (1.0 - terminated[:, 0])"),
    Patch("equations.py", "if tuple(value.shape) != tuple(target.shape):", "if False:"),
)
STALE_CRITIC = (
    Patch(
        "agent.py",
        "policy_loss(self.critic(state, policy_action, training=True))",
        "policy_loss(self.target_critic(state, policy_action))",
    ),
)
UNSCALED_ACTIONS = (
    Patch("environment.py", "return RescaleAction(bounded, np.float32(-1), np.float32(1))", "return bounded"),
)
SUMMED_ACTOR_LOSS = (Patch("equations.py", "return -tf.reduce_mean(value)", "return -tf.reduce_sum(value)"),)
OPTIMIZERS_IN_TARGETS = (
    Patch(
        "agent.py",
        "        self.actor_optimizer.build(",
        "        self.target_actor.compile(keras.optimizers.Adam(config.actor_learning_rate))\n"
        "        self.target_critic.compile(keras.optimizers.Adam(config.critic_learning_rate))\n"
        "        self.actor_optimizer.build(",
    ),
)
THROUGH_THE_HOST = (
    Patch(
        "agent.py", "        soft_update(self.target_critic.variables, self.critic.variables, self.config.tau)\n", ""
    ),
    Patch("agent.py", "        soft_update(self.target_actor.variables, self.actor.variables, self.config.tau)\n", ""),
    Patch(
        "agent.py",
        "        self._ahead = self._next_state, next_action.numpy()[0]\n",
        "        self._ahead = self._next_state, next_action.numpy()[0]\n"
        "        tau = config.tau\n"
        "        for target, online in ((self.target_critic, self.critic), (self.target_actor, self.actor)):\n"
        "            both = zip(online.get_weights(), target.get_weights(), strict=True)\n"
        "            target.set_weights([tau * weight + (1 - tau) * old for weight, old in both])\n",
    ),
)
