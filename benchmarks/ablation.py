"""What each part of the algorithm is for: remove or change one at a time, and compare.

    python benchmarks/ablation.py                                        # about 90 minutes on two cores
    python benchmarks/pictures.py plots/ablation.csv plots/ablation.png  # draws the picture again

It writes results/ablation.csv, plots/ablation.csv and plots/ablation.png. An interrupted benchmark continues where it
stopped.
"""

from comparison import Variant, main
from patches import NO_TERMINAL_MASK, Patch

UPDATES_BETWEEN_COPIES = 200  # 1 / τ, so that hard and soft targets have the same mean age

NO_TARGET_ACTOR = (
    Patch("agent.py", "self.target_actor(next_state, training=True)", "self.actor(next_state, training=True)"),
)
HARD_COPIES = (
    Patch(
        "agent.py",
        "        equations.soft_update(self.target_critic.variables, self.critic.variables, self.config.tau)\n"
        "        equations.soft_update(self.target_actor.variables, self.actor.variables, self.config.tau)\n",
        "",
    ),
    Patch(
        "agent.py",
        "        return Metrics(*self.fast.train(minibatches, next_state))\n",
        "        metrics = Metrics(*self.fast.train(minibatches, next_state))\n"
        f"        if self.updates % {UPDATES_BETWEEN_COPIES} == 0:\n"
        "            equations.soft_update(self.target_critic.variables, self.critic.variables, tau=1.0)\n"
        "            equations.soft_update(self.target_actor.variables, self.actor.variables, tau=1.0)\n"
        "        return metrics\n",
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
    Variant("with batch normalisation", {"batch_normalization": True}),
    Variant("no terminal mask", patches=NO_TERMINAL_MASK),
]

if __name__ == "__main__":
    main(__doc__, "ablation", [(variant, task, steps) for task, steps in TASKS.items() for variant in VARIANTS])
