"""A baseline for the speed of an update: its arithmetic alone, in NumPy, whose matrix products are BLAS's.

OpenBLAS, which NumPy's wheels bring, chooses its kernels for the processor that it finds. Two environment variables
override that, perhaps with slower kernels. What times NumPy here runs without them.
"""

import itertools
import os
import sys
from collections.abc import Callable

import numpy as np

HIDDEN_UNITS = (400, 300)
KERNEL_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

Layers = list[np.ndarray]  # a weight matrix per layer; biases cost next to nothing


def default_kernel_environment() -> dict[str, str]:
    """Return this process's environment variables without those that choose OpenBLAS's kernels."""
    return {name: value for name, value in os.environ.items() if name not in KERNEL_VARIABLES}


def use_default_kernel() -> None:
    """Start this program again if a variable chooses OpenBLAS's kernels, which are fixed once NumPy is imported."""
    if any(name in os.environ for name in KERNEL_VARIABLES):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], default_kernel_environment())


def kernel_in_use() -> str:
    """Return the kernel of NumPy's BLAS in this process, such as "openblas 0.3.33 SkylakeX, 2 threads"."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown, install threadpoolctl"
    for library in threadpool_info():
        if library["user_api"] == "blas" and "numpy" in library["filepath"]:
            kernel = library.get("architecture", "with an unknown kernel")
            return f"{library['internal_api']} {library['version']} {kernel}, {library['num_threads']} threads"
    return "unknown to threadpoolctl"


def numpy_baseline(task: str, batch_size: int, updates: int) -> Callable[[int], int]:
    """Return a function that does the arithmetic of the given number of updates, for a task's sizes.

    Args:
        task: Gymnasium id.
        batch_size: Transitions in a minibatch.
        updates: Makes no difference here.
    """
    from ddpg.environment import make_environment, state_and_action_size

    state_size, action_size = state_and_action_size(make_environment(task))
    rng = np.random.default_rng(0)
    actor, critic = network(rng, state_size, action_size), network(rng, state_size + action_size, 1)
    target_actor, target_critic = ([w.copy() for w in net] for net in (actor, critic))
    moments = [[np.zeros_like(w) for w in net] for net in (actor, actor, critic, critic)]
    states = rng.normal(size=(batch_size, state_size)).astype(np.float32)
    pairs = rng.normal(size=(batch_size, state_size + action_size)).astype(np.float32)
    ones = np.ones((batch_size, 1), np.float32)

    def run(steps: int) -> int:
        for _ in range(steps):
            forward(target_actor, states)
            forward(target_critic, pairs)
            gradients, _ = backward(critic, forward(critic, pairs), ones)
            adam(critic, gradients, *moments[2:])
            activations = forward(actor, states)
            _, pair_gradient = backward(critic, forward(critic, pairs), ones, with_weights=False)
            gradients, _ = backward(actor, activations, np.ascontiguousarray(pair_gradient[:, state_size:]))
            adam(actor, gradients, *moments[:2])
            soft_update(target_critic, critic)
            soft_update(target_actor, actor)
        return steps

    return run


def network(rng: np.random.Generator, inputs: int, outputs: int) -> Layers:
    """Return the weights of a network with two hidden layers."""
    widths = (inputs, *HIDDEN_UNITS, outputs)
    return [rng.normal(0, 0.05, shape).astype(np.float32) for shape in itertools.pairwise(widths)]


def forward(weights: Layers, x: np.ndarray) -> Layers:
    """Return the input and the output of every layer."""
    activations = [x]
    for weight in weights:
        x = x @ weight
        np.maximum(x, 0, out=x)
        activations.append(x)
    return activations


def backward(
    weights: Layers, activations: Layers, gradient: np.ndarray, with_weights: bool = True
) -> tuple[Layers, np.ndarray]:
    """Return the gradients with respect to the weights, if they are wanted, and to the input."""
    gradients = []
    for weight, x in zip(weights[::-1], activations[-2::-1], strict=True):
        if with_weights:
            gradients.append(x.T @ gradient)
        gradient = gradient @ weight.T
        gradient *= x > 0
    return gradients[::-1], gradient


def adam(weights: Layers, gradients: Layers, first: Layers, second: Layers) -> None:
    """Update the weights with Adam, and its two moments."""
    for w, g, m, v in zip(weights, gradients, first, second, strict=True):
        m *= 0.9
        m += 0.1 * g
        v *= 0.999
        v += 0.001 * np.square(g)
        w -= 1e-3 * m / (np.sqrt(v) + 1e-7)


def soft_update(target: Layers, weights: Layers) -> None:
    """Move the target's weights towards the online ones."""
    for t, w in zip(target, weights, strict=True):
        t += 0.005 * (w - t)
