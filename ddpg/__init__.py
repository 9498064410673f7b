"""DDPG, the reference: a library behind `train.py` and `evaluate.py`.

Names are imported when first used, so that `import ddpg` and `train.py --help` do not wait for TensorFlow.
"""

from importlib import import_module

HOMES = {
    "Config": "config",
    "RequestError": "errors",
    "RunStopped": "errors",
    "make_environment": "environment",
    "ReplayBuffer": "replay_buffer",
    "Batch": "replay_buffer",
    "GaussianNoise": "noise",
    "OrnsteinUhlenbeckNoise": "noise",
    "ActorNetwork": "networks",
    "CriticNetwork": "networks",
    "DDPG": "agent",
    "train": "training",
    "evaluate": "evaluation",
}

__all__ = list(HOMES)


def __getattr__(name: str):
    if name not in HOMES:
        raise AttributeError(f"module 'ddpg' has no attribute {name!r}")
    return getattr(import_module(f"ddpg.{HOMES[name]}"), name)
