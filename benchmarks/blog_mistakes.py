"""What the mistakes in the second post's printed code cost: each is brought back alone, and then all at once.

    python benchmarks/blog_mistakes.py                                               # some 25 minutes on two cores
    python benchmarks/pictures.py plots/blog_mistakes.csv plots/blog_mistakes.png    # draws the picture again

It writes benchmarks/results/blog_mistakes.csv and blog_mistakes-start.csv, and plots/blog_mistakes.csv and .png.  An
interrupted measurement goes on where it stopped.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from comparison import Variant, main
from mistakes import Patch, known_mistakes, patched_copy
from runs import ROOT, write_csv

KNOWN = known_mistakes()


def known(name: str, *mistakes: str) -> Variant:
    """Return the variant that makes some of the known mistakes."""
    return Variant(name, patches=tuple(patch for mistake in mistakes for patch in KNOWN[mistake].patches))


AS_IT_IS = Variant("as it is")
NO_MASK = known("terminal flag unused", "the terminal flag stored and not used")
ALONE = [
    known("target broadcast", "rewards (N,) beside values (N, 1)"),
    known("stale critic", "the actor led by the target critic"),
    known("summed actor loss", "the actor's loss summed"),
    known("unscaled actions", "tanh not scaled to the bounds"),
    known("optimizers in targets", "optimizers in target networks"),
    known("soft update by set_weights", "soft updates through set_weights"),
]
# Two of the patches meet in one line, so the target with both mistakes is written out.
BOTH_IN_THE_TARGET = (
    Patch("equations.py", "gamma * (1.0 - terminated) * next_value", "gamma * next_value"),
    Patch("equations.py", "return reward + gamma", "return reward[:, 0] + gamma"),
    Patch("equations.py", "if tuple(value.shape) != tuple(target.shape):", "if False:"),
)
# Not the last two, which change nothing in what is learned.
ALL = Variant(
    "all at once", patches=BOTH_IN_THE_TARGET + tuple(patch for variant in ALONE[1:-2] for patch in variant.patches)
)
CELLS = [
    *((variant, "Pendulum-v1", 10_000) for variant in (AS_IT_IS, *ALONE, ALL)),
    *((variant, "InvertedPendulum-v5", 20_000) for variant in (AS_IT_IS, NO_MASK, ALL)),
]

# What the post's printed names do today: patches, and flags.
OLD_NAMES: dict[str, tuple[tuple[Patch, ...], tuple[str, ...]]] = {
    "gym.make('Pendulum-v0')": ((), ("--env", "Pendulum-v0")),
    "four values from step": (
        (Patch("training.py", "terminated, truncated, _ = env", "terminated, _ = env"),),
        (),
    ),
    "np.bool": ((Patch("replay_buffer.py", "self.added = 0", "self.added = int(np.zeros(1, np.bool)[0])"),), ()),
}


def try_old_names() -> None:
    """Start a run with each of the old names, and write down how it ends."""
    rows = []
    for name, (patches, flags) in OLD_NAMES.items():
        with tempfile.TemporaryDirectory() as folder:
            code = patched_copy(Path(folder, "code"), patches)
            command = [sys.executable, str(code / "train.py"), "--run-dir", f"{folder}/run", "--plot-dir", folder]
            length = ["--steps", "200", "--evaluation-episodes", "1", "--no-progress"]
            done = subprocess.run([*command, *length, *flags], capture_output=True, text=True)
            said = done.stderr.replace(folder, "").strip().splitlines()[-1:]
        rows.append({"name": name, "starts": not done.returncode, "says": "".join(said)})
        print(f"{name}: {'starts' if not done.returncode else said[0]}")
    write_csv(ROOT / "benchmarks" / "results" / "blog_mistakes-start.csv", rows)


if __name__ == "__main__":
    main(__doc__, "blog_mistakes", CELLS)
    try_old_names()
