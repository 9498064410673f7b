"""A trained policy as a file that runs without this package: ONNX, LiteRT, SavedModel or Keras.

from ddpg.export import export_policy
export_policy("runs/mine", "policy.onnx")
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddpg.policy.export import Exported as Exported
    from ddpg.policy.export import export_policy as export_policy

__all__ = ["Exported", "export_policy"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module 'ddpg.export' has no attribute {name!r}")
    from ddpg.policy import export  # only when it is needed: TensorFlow takes seconds

    return getattr(export, name)
