"""What each part of the algorithm is for: remove or change one at a time, and compare.

    python -m benchmarks.learning.ablation    # about 90 minutes on two cores
    python -m benchmarks.draw results/ablation    # draws the picture again

It writes results/ablation. An interrupted benchmark continues where it stopped.
"""

from benchmarks.common.comparison import Variant, main
from benchmarks.common.patches import NO_SOFT_UPDATE, NO_TERMINAL_MASK, Patch

UPDATES_BETWEEN_COPIES = 200  # 1 / τ, so that hard and soft targets have the same mean age

NO_TARGET_ACTOR = (
    Patch("agent.py", "self.target_actor(next_state, training=True)", "self.actor(next_state, training=True)"),
)
HARD_COPIES = (
    NO_SOFT_UPDATE,
    Patch(
        "agent.py",
        "        return Metrics(*metrics)\n",
        f"        if self.updates % {UPDATES_BETWEEN_COPIES} == 0:\n"
        "            equations.soft_update(self.target_critic.variables, self.critic.variables, tau=1.0)\n"
        "            equations.soft_update(self.target_actor.variables, self.actor.variables, tau=1.0)\n"
        "        return Metrics(*metrics)\n",
    ),
)

TASKS = {"Pendulum-v1": 10_000, "InvertedPendulum-v5": 20_000, "InvertedDoublePendulum-v5": 15_000}
VARIANTS = [
    Variant("as it is"),
    Variant("no target networks", {"tau": 1.0}),
    Variant("no target actor", patches=NO_TARGET_ACTOR),
    Variant("hard target copies", patches=HARD_COPIES),
    Variant("no replay buffer", {"buffer_size": 64}),
    Variant("no exploration noise", {"noise_sigma": 0.0}),
    Variant("with batch normalization", {"batch_normalization": True}),
    Variant("no terminal mask", patches=NO_TERMINAL_MASK),
]

if __name__ == "__main__":
    main(__doc__, "ablation", [(variant, task, steps) for task, steps in TASKS.items() for variant in VARIANTS])
