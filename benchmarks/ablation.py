"""What each moving part of the algorithm is for: take one away at a time, and see what is left.

    python benchmarks/ablation.py                                        # about an hour and a half on two cores
    python benchmarks/pictures.py plots/ablation.csv plots/ablation.png  # draws the picture again

It writes benchmarks/results/ablation.csv, plots/ablation.csv and plots/ablation.png.  An interrupted measurement goes
on where it stopped.
"""

from comparison import Variant, main
from mistakes import Patch, known_mistakes

EVERY = 200  # updates between two hard copies: 1 / τ, so that both kinds of targets are equally old on average

NO_TARGET_ACTOR = (
    Patch("agent.py", "self.target_actor(next_state, training=True)", "self.actor(next_state, training=True)"),
)
HARD_COPIES = (
    Patch(
        "agent.py", "        soft_update(self.target_critic.variables, self.critic.variables, self.config.tau)\n", ""
    ),
    Patch("agent.py", "        soft_update(self.target_actor.variables, self.actor.variables, self.config.tau)\n", ""),
    Patch(
        "agent.py",
        "        self._ahead = self._next_state, next_action.numpy()[0]\n",
        "        self._ahead = self._next_state, next_action.numpy()[0]\n"
        f"        if self.updates % {EVERY} == 0:\n"
        "            soft_update(self.target_critic.variables, self.critic.variables, 1.0)\n"
        "            soft_update(self.target_actor.variables, self.actor.variables, 1.0)\n",
    ),
)

TASKS = {"Pendulum-v1": 10_000, "InvertedPendulum-v5": 20_000, "InvertedDoublePendulum-v5": 15_000}
VARIANTS = [
    Variant("as it is"),
    Variant("no target networks", ("--tau", "1")),
    Variant("no target actor", patches=NO_TARGET_ACTOR),
    Variant("hard target copies", patches=HARD_COPIES),
    Variant("no replay buffer", ("--buffer-size", "64")),
    Variant("no exploration noise", ("--noise-scale", "0")),
    Variant("with batch normalisation", ("--batch-normalization",)),
    Variant("no terminal mask", patches=known_mistakes()["the terminal flag stored and not used"].patches),
]

if __name__ == "__main__":
    main(__doc__, "ablation", [(variant, task, steps) for task, steps in TASKS.items() for variant in VARIANTS])
