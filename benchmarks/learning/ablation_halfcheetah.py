"""One change at a time to the preset `mujoco`, on a task that is not easy: HalfCheetah-v5.

    python -m benchmarks.learning.ablation_halfcheetah    # about two hours on two cores
    python -m benchmarks.draw results/ablation_halfcheetah    # draws the picture again

It writes results/ablation_halfcheetah. An interrupted benchmark continues where it stopped.
"""

from dataclasses import replace

from benchmarks.common.comparison import Variant, main
from ddpg.command.presets import PRESETS

STEPS = 200_000
BASE = replace(PRESETS["mujoco"], train_frequency=50, gradient_steps=50, evaluate_every=10_000, checkpoint_every=50_000)
VARIANTS = [
    Variant("as it is"),
    Variant("no normalized observations", {"normalize_observations": False}),
    Variant("minibatch 256", {"batch_size": 256}),
    Variant("minibatch 64", {"batch_size": 64}),
    Variant("actor learning rate 1e-4", {"actor_learning_rate": 1e-4}),
    Variant("no target networks", {"tau": 1.0}),
    Variant("Ornstein-Uhlenbeck noise", {"noise": "ou", "noise_sigma": 0.2}),
    Variant("batch normalization instead", {"batch_normalization": True, "normalize_observations": False}),
]

if __name__ == "__main__":
    cells = [(variant, "HalfCheetah-v5", STEPS) for variant in VARIANTS]
    main(__doc__, "ablation_halfcheetah", cells, BASE, seeds=3)
