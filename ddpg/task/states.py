"""What the numbers of a state are called, and what a user should know of them: images, and very different scales."""

from itertools import product

import gymnasium
import numpy as np
from gymnasium import Space, spaces

from ddpg.environment import TaskUnits
from ddpg.evaluation import ActingAgent

LARGE = 100  # a number of a state that reaches this hides the others; ordinary ones stay below 30
PAGE = "docs/troubleshooting.md#states-of-very-different-scales"
KNOWN = "gymnasium.envs.mujoco.humanoid"  # their contact forces reach 2,400, and docs/tasks.md knows them
SHOWN = 3


def state_names(environment: gymnasium.Env) -> list[str]:
    """Return what each number of a task's flat states is called.

    A task can name them: `state_names`, a list with a name for each number, as an attribute or in its `metadata`.
    Otherwise they are called after the observation space.
    """
    space, task = TaskUnits(environment).state_space, environment.unwrapped
    own = getattr(task, "state_names", None) or (getattr(task, "metadata", None) or {}).get("state_names")
    if isinstance(own, (list, tuple)) and len(own) == spaces.flatdim(space):
        return [str(name) for name in own]
    return element_names(space)


def element_names(space: Space, name: str = "state") -> list[str]:
    """Return what each number of a flattened state is, in order.

    Args:
        space: The task's observation space.
        name: What the state is called; its parts are `name[0]`, `name["key"]`, and `name == 3` for one-hot numbers.
    """
    size = spaces.flatdim(space)
    if isinstance(space, spaces.Dict):
        return [one for key, part in space.spaces.items() for one in element_names(part, f'{name}["{key}"]')]
    if isinstance(space, spaces.Tuple):
        return [one for k, part in enumerate(space.spaces) for one in element_names(part, f"{name}[{k}]")]
    if isinstance(space, spaces.Discrete):
        return [f"{name} == {space.start + k}" for k in range(space.n)]
    if isinstance(space, spaces.Box):
        indices = product(*map(range, space.shape))
        return [f"{name}[{', '.join(map(str, index))}]" if index else name for index in indices]
    return [f"{name} number {k} of the flattened {type(space).__name__}" for k in range(size)]


def notes_on_images(space: Space, name: str = "state") -> list[str]:
    """Return a note for each image in an observation space: this program has no convolutions."""
    if isinstance(space, spaces.Dict):
        return [note for key, part in space.spaces.items() for note in notes_on_images(part, f'{name}["{key}"]')]
    if isinstance(space, spaces.Tuple):
        return [note for k, part in enumerate(space.spaces) for note in notes_on_images(part, f"{name}[{k}]")]
    if not isinstance(space, spaces.Box) or not is_image(space):
        return []
    size = " x ".join(map(str, space.shape))
    return [
        f"{name} is an image ({size} numbers from {space.low.min()} to {space.high.max()}), taken as so many "
        "single numbers: there are no convolutions here; wrap the task so that it gives a few numbers, or use a "
        "library for images such as Stable-Baselines3"
    ]


def is_image(space: spaces.Box) -> bool:
    """Return whether a space looks like that of images: bytes in rows, or a thousand numbers and more in three axes."""
    return (space.dtype == np.uint8 and len(space.shape) > 1) or (
        len(space.shape) > 2 and spaces.flatdim(space) >= 1000
    )


class SeenStates:
    """An agent that remembers how large each number of its states has been.

    Args:
        agent: The agent that acts.
    """

    def __init__(self, agent: ActingAgent) -> None:
        self.agent = agent
        self.largest: np.ndarray | None = None

    def act(self, state: np.ndarray, explore: bool = True) -> np.ndarray:
        """Return the agent's action, and look at the state."""
        size = np.abs(state)
        self.largest = size if self.largest is None else np.maximum(self.largest, size)
        return self.agent.act(state, explore)


def notes_on_scales(largest: np.ndarray | None, environment: gymnasium.Env) -> list[str]:
    """Return a note on the numbers of a state that are large beside those of ordinary tasks.

    Args:
        largest: The largest absolute value of each, `(state_size,)`, in the first evaluation.
        environment: The task, from `make_environment`.
    """
    if largest is None or not (largest >= LARGE).any() or notes_on_images(TaskUnits(environment).state_space):
        return []
    if type(environment.unwrapped).__module__.startswith(KNOWN):
        return []
    names, order = state_names(environment), np.argsort(-largest)
    large = [f"{names[k]} to {largest[k]:.3g}" for k in order if largest[k] >= LARGE]
    more = f" and {len(large) - SHOWN} more" if len(large) > SHOWN else ""
    return [
        f"some numbers of the states are large: {', '.join(large[:SHOWN])}{more}; networks want numbers near 1: "
        f"scale them in the task, or add --normalize-observations; see {PAGE}"
    ]
