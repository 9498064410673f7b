"""The page on which a reader plays with trained networks: its parts, and the networks of a checkpoint for it.

The page's own code lies in `ddpg/report/page/`. It stands alone: no other files and no other host.
"""

import base64
import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from keras import layers

from ddpg.agent import DDPG
from ddpg.normalization import EPSILON, LIMIT

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("pendulum.js", "networks.js", "noise.js", "views.js", "play.js", "controls.js")  # the last one begins
TASK = "Pendulum-v1"  # the only one whose physics the page has


def document(title: str, parts: Iterable[str]) -> str:
    """Return a page in the page's style, without the first line.

    Args:
        title: Its title, as plain text.
        parts: What stands below the title, as HTML.
    """
    style, title = (PAGE / "play.css").read_text(encoding="utf-8"), escape(title)
    return (
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def body() -> str:
    """Return what the reader sees."""
    return (PAGE / "play.html").read_text(encoding="utf-8")


def scripts() -> str:
    """Return the page's code as an element; it needs the data of `data_script` before it."""
    code = "\n".join((PAGE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return f'<script>\n"use strict";\n{code}</script>'


def data_script(runs: list[dict[str, Any]], plant: dict[str, float] | None = None) -> str:
    """Return the page's data as JavaScript; no text in it can end the script that it stands in.

    Args:
        runs: `name`, `about`, `torque` (N·m of an action of 1), and `checkpoints`: of each what `networks_of` returns,
            its `steps`, and the mean return of its evaluation, `mean`, which may be None.
        plant: What differs from the task's own gravity `g`.
    """
    text = json.dumps({"runs": runs, "plant": plant or {}}, allow_nan=False)
    return f"const PLAY = {text.replace('<', chr(92) + 'u003c')};\n"


def networks_of(agent: DDPG) -> dict[str, Any]:
    """Return the networks that the page runs: the actor without exploration, the critic and the target critic.

    Each is a list of layers `[kind, sizes, numbers]`: float32 numbers in base64. The kind "action" marks where the
    action enters.
    """
    actor, first = agent.evaluated_actor, normalized_state(agent)
    networks = {"actor": [*first, *hidden(actor), *dense(actor.action), ["tanh"]]}
    for name in ("critic", "target_critic"):
        critic = getattr(agent, name)
        networks[name] = [*first, *hidden(critic, critic.action_layer), *dense(critic.value)]
    return networks


def hidden(network: Any, action_layer: int = 0) -> list[list]:
    """Return the hidden layers of an actor, or of a critic whose action enters at `action_layer`."""
    found = normalization(network.normalize[0])
    for number, layer in enumerate((network.hidden_1, network.hidden_2), 1):
        action = [["action"]] if number == action_layer else []
        found += [*action, *dense(layer), *normalization(network.normalize[number]), ["relu"]]
    return found


def dense(layer: layers.Dense) -> list[list]:
    """Return a dense layer, without its activation."""
    kernel, bias = (variable.numpy() for variable in (layer.kernel, layer.bias))
    return [["dense", list(kernel.shape), base64_of(kernel, bias)]]


def normalization(layer: Any) -> list[list]:
    """Return a layer that normalizes, or nothing for the identity; batch normalization has its running averages."""
    if isinstance(layer, layers.LayerNormalization):
        return [["layer_normalization", [layer.epsilon], base64_of(layer.gamma.numpy(), layer.beta.numpy())]]
    if isinstance(layer, layers.BatchNormalization):
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        gamma, beta, mean, variance = (np.float64(getattr(layer, name).numpy()) for name in names)
        scale = gamma / np.sqrt(variance + layer.epsilon)
        return [["affine", [], base64_of(scale, beta - mean * scale)]]
    return []


def normalized_state(agent: DDPG) -> list[list]:
    """Return the agent's scaling of observations, if it has one."""
    if not agent.normalization:
        return []
    mean, variance = agent.normalization.mean.numpy(), agent.normalization.variance.numpy()
    scale = 1 / np.sqrt(variance + EPSILON)
    return [["affine", [], base64_of(scale, -mean * scale)], ["clip", [LIMIT]]]


def base64_of(*arrays: np.ndarray) -> str:
    """Return arrays one after the other as float32, little-endian, in base64."""
    return base64.b64encode(b"".join(array.astype("<f4").tobytes() for array in arrays)).decode()
