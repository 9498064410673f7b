"""DDPG, the reference: a library behind `train.py` and `evaluate.py`.

Names are imported when first used, so that `import ddpg` and `train.py --help` do not wait for TensorFlow.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors and type checkers
    from ddpg.agent import DDPG as DDPG
    from ddpg.command.presets import PRESETS as PRESETS
    from ddpg.config import Config as Config
    from ddpg.environment import make_environment as make_environment
    from ddpg.environment import state_and_action_size as state_and_action_size
    from ddpg.equations import Metrics as Metrics
    from ddpg.errors import RequestError as RequestError
    from ddpg.errors import RunStopped as RunStopped
    from ddpg.evaluation import Evaluation as Evaluation
    from ddpg.evaluation import evaluate as evaluate
    from ddpg.experience.parallel import train as train
    from ddpg.experience.simulators import Simulators as Simulators
    from ddpg.networks import ActorNetwork as ActorNetwork
    from ddpg.networks import CriticNetwork as CriticNetwork
    from ddpg.noise import GaussianNoise as GaussianNoise
    from ddpg.noise import OrnsteinUhlenbeckNoise as OrnsteinUhlenbeckNoise
    from ddpg.policy.policy import Policy as Policy
    from ddpg.policy.policy import load_policy as load_policy
    from ddpg.replay_buffer import Batch as Batch
    from ddpg.replay_buffer import ReplayBuffer as ReplayBuffer
    from ddpg.run.own_loop import load_agent as load_agent
    from ddpg.run.own_loop import save_agent as save_agent
    from ddpg.training import Episode as Episode

MODULES = {
    "ActorNetwork": "ddpg.networks",
    "Batch": "ddpg.replay_buffer",
    "Config": "ddpg.config",
    "CriticNetwork": "ddpg.networks",
    "DDPG": "ddpg.agent",
    "Episode": "ddpg.training",
    "Evaluation": "ddpg.evaluation",
    "GaussianNoise": "ddpg.noise",
    "Metrics": "ddpg.equations",
    "OrnsteinUhlenbeckNoise": "ddpg.noise",
    "PRESETS": "ddpg.command.presets",
    "Policy": "ddpg.policy.policy",
    "ReplayBuffer": "ddpg.replay_buffer",
    "RequestError": "ddpg.errors",
    "RunStopped": "ddpg.errors",
    "Simulators": "ddpg.experience.simulators",
    "evaluate": "ddpg.evaluation",
    "load_agent": "ddpg.run.own_loop",
    "load_policy": "ddpg.policy.policy",
    "make_environment": "ddpg.environment",
    "save_agent": "ddpg.run.own_loop",
    "state_and_action_size": "ddpg.environment",
    "train": "ddpg.experience.parallel",
}

WITHOUT_TENSORFLOW = {
    "ddpg.config",
    "ddpg.environment",
    "ddpg.errors",
    "ddpg.evaluation",
    "ddpg.noise",
    "ddpg.command.presets",
    "ddpg.replay_buffer",
}

__all__ = list(MODULES)


def __getattr__(name: str):
    if name not in MODULES:
        raise AttributeError(f"module 'ddpg' has no attribute {name!r}")
    if MODULES[name] not in WITHOUT_TENSORFLOW:  # its notes are not what a script has asked for
        import_module("ddpg.command.tensorflow").import_quietly()
    return getattr(import_module(MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES})
