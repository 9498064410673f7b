"""The floor under the speed of an update: its arithmetic alone, in NumPy, whose matrix products are BLAS's."""

import itertools
from collections.abc import Callable

import numpy as np

Layers = list[np.ndarray]  # a weight matrix per layer; biases cost next to nothing
HIDDEN = (400, 300)


def network(random: np.random.Generator, inputs: int, outputs: int) -> Layers:
    """Return the weights of a network with two hidden layers."""
    widths = (inputs, *HIDDEN, outputs)
    return [random.normal(0, 0.05, pair).astype(np.float32) for pair in itertools.pairwise(widths)]


def forward(weights: Layers, x: np.ndarray) -> Layers:
    """Return the input and the output of every layer."""
    activations = [x]
    for weight in weights:
        x = x @ weight
        np.maximum(x, 0, out=x)
        activations.append(x)
    return activations


def backward(
    weights: Layers, activations: Layers, gradient: np.ndarray, want_weights: bool = True
) -> tuple[Layers, np.ndarray]:
    """Return the gradients by the weights, if they are wanted, and by the input."""
    gradients = []
    for weight, x in zip(weights[::-1], activations[-2::-1], strict=True):
        if want_weights:
            gradients.append(x.T @ gradient)
        gradient = gradient @ weight.T
        gradient *= x > 0
    return gradients[::-1], gradient


def adam(weights: Layers, gradients: Layers, first: Layers, second: Layers) -> None:
    """Move the weights by Adam's rule."""
    for w, g, m, v in zip(weights, gradients, first, second, strict=True):
        m *= 0.9
        m += 0.1 * g
        v *= 0.999
        v += 0.001 * np.square(g)
        w -= 1e-3 * m / (np.sqrt(v) + 1e-7)


def soft_update(target: Layers, weights: Layers) -> None:
    """Move the target's weights a little towards the online ones."""
    for t, w in zip(target, weights, strict=True):
        t += 0.005 * (w - t)


def floor(task: str, batch_size: int, updates: int) -> Callable[[int], int]:
    """Return a function that does the arithmetic of so many updates, for a task's sizes."""
    from ddpg.environment import make_environment, sizes

    state_size, action_size = sizes(make_environment(task))
    random = np.random.default_rng(0)
    actor, critic = network(random, state_size, action_size), network(random, state_size + action_size, 1)
    target_actor, target_critic = ([w.copy() for w in net] for net in (actor, critic))
    moments = [[np.zeros_like(w) for w in net] for net in (actor, actor, critic, critic)]
    states = random.normal(size=(batch_size, state_size)).astype(np.float32)
    pairs = random.normal(size=(batch_size, state_size + action_size)).astype(np.float32)
    ones = np.ones((batch_size, 1), np.float32)

    def run(steps: int) -> int:
        for _ in range(steps):
            forward(target_actor, states)
            forward(target_critic, pairs)
            gradients, _ = backward(critic, forward(critic, pairs), ones)
            adam(critic, gradients, *moments[2:])
            actions = forward(actor, states)
            _, by_pair = backward(critic, forward(critic, pairs), ones, want_weights=False)
            gradients, _ = backward(actor, actions, np.ascontiguousarray(by_pair[:, state_size:]))
            adam(actor, gradients, *moments[:2])
            soft_update(target_critic, critic)
            soft_update(target_actor, actor)
        return steps

    return run
