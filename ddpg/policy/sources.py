"""What an evaluation can measure: the agent of a checkpoint, an exported policy, or a controller of the user's."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import gymnasium
import numpy as np

from ddpg.command.paths import shown
from ddpg.command.tensorflow import import_tensorflow
from ddpg.config import Config
from ddpg.environment import TaskUnits
from ddpg.errors import RequestError, blame
from ddpg.evaluation import ActingAgent
from ddpg.experience.controllers import Controller, load_controller
from ddpg.task.environments import open_environment, require_same_sizes

Bounds = tuple[np.ndarray, np.ndarray]


class Source(NamedTuple):
    """What acts, and in which task."""

    kind: str  # the option that names it: "checkpoint", "policy" or "controller"
    origin: str  # where it is
    config: Config  # the settings of its task
    agent_in: Callable[[gymnasium.Env], ActingAgent]  # returns what acts in a task from `make_environment`
    seed: int | None = None  # that it was trained with


def sources_of(arguments: argparse.Namespace) -> list[Source]:
    """Return what the arguments name: a checkpoint or a policy file, and a controller, one of them or both.

    Raises:
        RequestError: One of them cannot be loaded.
    """
    sources = []
    if arguments.checkpoint:
        sources.append(source_of_checkpoint(arguments))
    if arguments.policy:
        sources.append(source_of_file(arguments))
    if arguments.controller:
        config = sources[0].config if sources else asked_task(Config(), arguments)
        function = load_controller(arguments.controller)
        sources.append(
            Source(
                "controller",
                arguments.controller,
                config,
                lambda environment: Controller(function, environment, "evaluation episode", -1),
            )
        )
    return sources


def source_of_checkpoint(arguments: argparse.Namespace) -> Source:
    """Return the agent of a checkpoint."""
    import_tensorflow()
    from ddpg.run.agent_state import acting_agent, open_checkpoint
    from ddpg.storage.checkpoints import find_checkpoint
    from ddpg.task.record import require_recorded

    with blame("checkpoint"):
        checkpoint_dir = find_checkpoint(arguments.checkpoint, arguments.best)
        saved = open_checkpoint(checkpoint_dir)
        agent = acting_agent(saved)
    config = asked_task(agent.config, arguments)
    bounds = None
    if config != agent.config:  # a changed plant: the same actions must mean the same in it
        with open_environment(agent.config) as trained:
            units = TaskUnits(trained)
            bounds = (units.low, units.high)

    def agent_in(environment: gymnasium.Env) -> ActingAgent:
        require_same_task(environment, config, (agent.state_size, agent.action_size), bounds)
        if config == agent.config:
            require_recorded(environment, saved, config, ("actions",))
        return agent

    origin = str(shown(checkpoint_dir, arguments.start))
    return Source("checkpoint", origin, config, agent_in, agent.config.seed)


def source_of_file(arguments: argparse.Namespace) -> Source:
    """Return an exported policy."""
    from ddpg.policy.policy_file import FilePolicy

    with blame("policy"):
        policy = FilePolicy(arguments.policy)
        trained_on = policy.task_config()
        if ":" in trained_on.env and arguments.env is None:  # a file must not choose what this process imports
            raise RequestError(
                f"{arguments.policy} names the task {trained_on.env!r}, whose module would be imported; if you trust "
                f"that module, add --env {trained_on.env}"
            )
        config = asked_task(trained_on, arguments)

    def agent_in(environment: gymnasium.Env) -> ActingAgent:
        require_same_task(environment, config, (policy.state_size, policy.action_size), policy.bounds)
        return policy

    return Source(
        "policy", str(shown(arguments.policy, arguments.start)), config, agent_in, policy.metadata.get("seed")
    )


def asked_task(config: Config, arguments: argparse.Namespace) -> Config:
    """Return settings with the task that the arguments ask for; another id takes none of the first task's own."""
    if arguments.env not in (None, config.env):
        config = replace(config, env=arguments.env, env_kwargs={}, action_bound=None)
    given = {name: getattr(arguments, name) for name in ("env_kwargs", "action_bound")}
    return replace(config, **{name: value for name, value in given.items() if value is not None})


def require_same_task(
    environment: gymnasium.Env, config: Config, sizes: tuple[int, int], bounds: Bounds | None
) -> None:
    """Raise `RequestError` unless a task has the sizes and, if known, the bounds that a policy was made for."""
    require_same_sizes(environment, sizes, config)
    units = TaskUnits(environment)
    if bounds and not all(np.allclose(new, old) for new, old in zip((units.low, units.high), bounds, strict=True)):
        (low, high), (new_low, new_high) = bounds, (units.low, units.high)
        raise RequestError(
            f"the actions of {config.env} lie between {new_low.tolist()} and {new_high.tolist()}, those of the policy "
            f"between {low.tolist()} and {high.tolist()}; keep the bounds of the action space, and clip in the task"
        )
