"""What the mistakes in the second post's printed code cost: each is made alone, and then all at once.

    python -m benchmarks.learning.blog_mistakes    # about 25 minutes on two cores
    python -m benchmarks.draw results/blog_mistakes    # draws the picture again

It writes results/blog_mistakes; start.csv says whether the post's names still work. An interrupted benchmark continues
where it stopped.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.common.comparison import Variant, main
from benchmarks.common.output import write_csv
from benchmarks.common.patches import NO_SOFT_UPDATE, NO_TERMINAL_MASK, UNSCALED_ACTIONS, Patch, patched_copy

NO_SHAPE_CHECK = Patch("equations.py", "if tuple(q_value.shape) != tuple(target_q.shape):", "if False:")

AS_IT_IS = Variant("as it is")
NO_MASK = Variant("terminal flag unused", patches=NO_TERMINAL_MASK)
TARGET_BROADCAST = Variant(
    "target broadcast",
    patches=(
        NO_SHAPE_CHECK,
        Patch(
            "equations.py",
            "y = reward + gamma * (1.0 - terminated)",
            "y = reward[:, 0] + gamma * (1.0 - terminated[:, 0])",
        ),
    ),
)
STALE_CRITIC = Variant(
    "stale critic",
    patches=(
        Patch(
            "agent.py", "self.critic(state, policy_action, training=True)", "self.target_critic(state, policy_action)"
        ),
    ),
)
SUMMED_ACTOR_LOSS = Variant(
    "summed actor loss",
    patches=(Patch("equations.py", "return -tf.reduce_mean(q_value)", "return -tf.reduce_sum(q_value)"),),
)
UNSCALED = Variant("unscaled actions", patches=UNSCALED_ACTIONS)
OPTIMIZERS_IN_TARGETS = Variant(
    "optimizers in targets",
    patches=(
        Patch(
            "agent.py",
            "        # Compiled when first called",
            "        self.target_actor.compile('adam')\n"
            "        self.target_critic.compile('adam')\n"
            "        # Compiled when first called",
        ),
    ),
)
SET_WEIGHTS = Variant(
    "soft update by set_weights",
    patches=(
        NO_SOFT_UPDATE,
        Patch(
            "agent.py",
            "        return Metrics(*metrics)\n",
            "        for target, online in ((self.target_critic, self.critic), (self.target_actor, self.actor)):\n"
            "            pairs = zip(online.weights, target.weights, strict=True)\n"
            "            target.set_weights([config.tau * weight + (1 - config.tau) * old for weight, old in pairs])\n"
            "        return Metrics(*metrics)\n",
        ),
    ),
)
ALONE = (TARGET_BROADCAST, STALE_CRITIC, SUMMED_ACTOR_LOSS, UNSCALED, OPTIMIZERS_IN_TARGETS, SET_WEIGHTS)
# Optimizers in targets and set_weights change nothing that is learned. The patches of the broadcast target and of the
# unused flag overlap, so the target with both mistakes is written out.
ALL = Variant(
    "all at once",
    patches=(
        NO_SHAPE_CHECK,
        Patch(
            "equations.py",
            "y = reward + gamma * (1.0 - terminated) * next_q",
            "y = reward[:, 0] + gamma * next_q",
        ),
        *STALE_CRITIC.patches,
        *SUMMED_ACTOR_LOSS.patches,
        *UNSCALED_ACTIONS,
    ),
)
CELLS = [
    *((variant, "Pendulum-v1", 10_000) for variant in (AS_IT_IS, *ALONE, ALL)),
    *((variant, "InvertedPendulum-v5", 20_000) for variant in (AS_IT_IS, NO_MASK, ALL)),
]

# Names in the post that changed since: patches and flags that use them.
OLD_NAMES: dict[str, tuple[tuple[Patch, ...], tuple[str, ...]]] = {
    "gym.make('Pendulum-v0')": ((), ("--env", "Pendulum-v0")),
    "four values from step": (
        (Patch("training.py", "terminated, truncated, info = environment", "terminated, info = environment"),),
        (),
    ),
    "np.bool": ((Patch("replay_buffer.py", "self.added = 0", "self.added = int(np.zeros(1, np.bool)[0])"),), ()),
}


def try_old_names(results: Path) -> None:
    """Start a run with each of the old names, and write down how it ends."""
    rows = []
    for name, (patches, flags) in OLD_NAMES.items():
        with tempfile.TemporaryDirectory() as folder:
            code = patched_copy(Path(folder, "code"), patches)
            command = [sys.executable, str(code / "train.py"), "--run-dir", f"{folder}/run", "--plot-dir", folder]
            length = ["--steps", "200", "--evaluation-episodes", "1", "--no-progress"]
            done = subprocess.run([*command, *length, *flags], capture_output=True, text=True)
            error = done.stderr.replace(folder, "").strip().splitlines()[-1:] if done.returncode else [""]
        rows.append({"name": name, "starts": not done.returncode, "says": error[0]})
        print(f"{name}: {error[0] or 'starts'}")
    write_csv(results / "start.csv", rows)


def check_old_names() -> None:
    """Make the patched copies for the old names."""
    with tempfile.TemporaryDirectory() as folder:
        for index, (patches, _) in enumerate(OLD_NAMES.values()):
            patched_copy(Path(folder, str(index)), patches)


if __name__ == "__main__":
    results = main(__doc__, "blog_mistakes", CELLS)
    if results:
        try_old_names(results)
    else:
        check_old_names()
