"""Stable-Baselines3's side of `parity.py`: the same weights and minibatches, in float64, through its own `train`."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import gymnasium
import numpy as np
import torch
from stable_baselines3 import DDPG
from stable_baselines3.common import policies

ACTOR_RATE, CRITIC_RATE, EPSILON = 1e-4, 1e-3, 1e-7
BETAS = (0.9, 0.999)
ROUNDED = tuple(float(np.float32(beta)) for beta in BETAS)  # as Keras corrects the bias with
LAYERS = {"hidden_1": 0, "hidden_2": 2, "last": 4}  # their places in a network of Stable-Baselines3


class Task(gymnasium.Env):
    """A task of the right sizes, which is never stepped."""

    def __init__(self, state_size: int, action_size: int) -> None:
        self.state_size = state_size
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (state_size,), np.float64)
        self.action_space = gymnasium.spaces.Box(-1, 1, (action_size,), np.float32)

    def reset(self, *, seed=None, options=None):
        """Begin an episode."""
        return np.zeros(self.state_size), {}


def make_model(task: gymnasium.Env, **settings) -> DDPG:
    """Return an agent with the second post's settings, in float64."""
    policies.preprocess_obs = lambda observations, *_, **__: observations.double()  # it would round to float32
    networks = {"net_arch": [400, 300]}
    model = DDPG("MlpPolicy", task, tau=0.005, gamma=0.99, policy_kwargs=networks, device="cpu", **settings)
    model.policy.double()
    model.actor.optimizer = torch.optim.Adam(model.actor.parameters(), ACTOR_RATE, BETAS, EPSILON)
    model.critic.optimizer = torch.optim.Adam(model.critic.parameters(), CRITIC_RATE, BETAS, EPSILON)
    model._update_learning_rate = lambda *_: None  # type: ignore[method-assign]
    model.set_logger(SimpleNamespace(record=lambda *_, **__: None))  # type: ignore[arg-type]
    return model


def layers_of(model: DDPG) -> Iterator[tuple[str, torch.nn.Linear]]:
    """Yield each dense layer under its name in this project."""
    networks = {
        "actor": (model.actor.mu, "action"),
        "critic": (model.critic.qf0, "value"),
        "target_actor": (model.actor_target.mu, "action"),
        "target_critic": (model.critic_target.qf0, "value"),
    }
    for network, (modules, last) in networks.items():
        for layer, place in LAYERS.items():
            yield f"{network}/{last if layer == 'last' else layer}", modules[place]


def set_weights(model: DDPG, weights: dict[str, np.ndarray]) -> None:
    """Give a model the weights of this project's networks."""
    with torch.no_grad():
        for name, layer in layers_of(model):
            layer.weight.copy_(torch.from_numpy(weights[f"{name}/0"].T))
            layer.bias.copy_(torch.from_numpy(weights[f"{name}/1"]))


def weights_of(model: DDPG) -> dict[str, np.ndarray]:
    """Return all weights, named as this project's are."""
    weights = {}
    for name, layer in layers_of(model):
        weights[f"{name}/0"] = layer.weight.detach().numpy().T.copy()
        weights[f"{name}/1"] = layer.bias.detach().numpy().copy()
    return weights


def run(
    start: dict[str, np.ndarray],
    minibatches: dict[str, np.ndarray],
    snapshots: Sequence[int],
    epsilon_before: bool,
    rounded_betas: bool,
) -> dict[int, dict[str, np.ndarray]]:
    """Make one update per minibatch.

    Args:
        start: The weights to start from.
        minibatches: Arrays `(updates, N, ...)` by the names of a transition's parts.
        snapshots: After which updates to return the weights.
        epsilon_before: Adam adds epsilon before the bias is corrected, as Keras does, and not after it.
        rounded_betas: The bias is corrected with betas that were rounded to float32, as Keras does.

    Returns:
        The weights by number of updates.
    """
    count, _, state_size = minibatches["state"].shape
    model = make_model(Task(state_size, minibatches["action"].shape[-1]), buffer_size=1)
    set_weights(model, start)
    found = {0: weights_of(model)}
    for update in range(1, count + 1):
        part = {name: torch.from_numpy(values[update - 1]) for name, values in minibatches.items()}
        sample = SimpleNamespace(
            observations=part["state"],
            actions=part["action"],
            next_observations=part["next_state"],
            dones=part["terminated"],
            rewards=part["reward"],
            discounts=None,
        )
        model.replay_buffer = SimpleNamespace(sample=lambda *_, sample=sample, **__: sample)  # type: ignore[assignment]
        set_adam(model, update, epsilon_before, rounded_betas)
        model.train(gradient_steps=1, batch_size=len(part["state"]))
        if update in snapshots:
            found[update] = weights_of(model)
    return found


def set_adam(model: DDPG, step: int, epsilon_before: bool = True, rounded_betas: bool = True) -> None:
    """Set both optimizers for one step, so that torch's Adam does what Keras's does."""
    for optimizer, rate in ((model.actor.optimizer, ACTOR_RATE), (model.critic.optimizer, CRITIC_RATE)):
        (group,) = optimizer.param_groups
        group["lr"], group["eps"] = adam_settings(rate, step, epsilon_before, rounded_betas)


def adam_settings(rate: float, step: int, epsilon_before: bool, rounded_betas: bool) -> tuple[float, float]:
    """Return the step size and the epsilon with which torch's Adam does what Keras's does in one step."""
    first, second = (1 - beta**step for beta in BETAS)
    epsilon = EPSILON / second**0.5 if epsilon_before else EPSILON
    if rounded_betas:
        first_rounded, second_rounded = (1 - beta**step for beta in ROUNDED)
        rate *= (second_rounded / second) ** 0.5 / (first_rounded / first)
    return rate, epsilon
