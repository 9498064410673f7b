"""Does this code do the same updates as others? Weights compared after the same minibatches, in float64.

    python -m benchmarks.parity.parity    # about five minutes; needs requirements-benchmark.txt

The second post's settings are compared with Stable-Baselines3, the paper's with an implementation in NumPy
(`parity_numpy.py`), whose gradients are checked by finite differences. Both sides start from the same weights and see
the same 200 minibatches of 64 transitions, of which 30 % are terminal and some have actions at the bounds. A difference
is the largest over all weights of a network, as a share of the largest distance that a weight moved. Then mistakes are
planted in copies of this project, and each must show. It writes results/parity/table.csv, and fails if a bar is missed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv
from benchmarks.common.patches import NO_TERMINAL_MASK, Patch, patched_copy
from benchmarks.parity import parity_numpy
from benchmarks.parity.weights import NETWORKS, SNAPSHOTS

BAR = 1e-10
STATE_SIZE, ACTION_SIZE, BATCH_SIZE = 5, 2, 64
WAYS = {  # how torch's Adam is set: (epsilon before the bias correction, betas rounded in it)
    "torch's Adam as it is": (False, False),
    "epsilon where Keras adds it": (True, False),
    "betas rounded as Keras does": (False, True),
    "both": (True, True),
}
SOFT_UPDATE_OF_CRITIC = "equations.soft_update(self.target_critic.variables, self.critic.variables, self.config.tau)"
MISTAKES = {
    "terminal states ignored": NO_TERMINAL_MASK,
    "target from the online actor": (
        Patch("agent.py", "self.target_actor(next_state, training=True)", "self.actor(next_state, training=True)"),
    ),
    "target from the online critic": (
        Patch(
            "agent.py",
            "self.target_critic(next_state, next_action, training=True)",
            "self.critic(next_state, next_action, training=True)",
        ),
    ),
    "actor through the target critic": (
        Patch(
            "agent.py",
            "policy_q = self.critic(state, policy_action, training=True)",
            "policy_q = self.target_critic(state, policy_action, training=True)",
        ),
    ),
    "summed critic loss": (
        Patch("equations.py", "tf.reduce_mean(tf.square(", "tf.reduce_sum(tf.square("),
    ),
    "halved critic loss": (
        Patch("equations.py", "return tf.reduce_mean(tf.square(", "return 0.5 * tf.reduce_mean(tf.square("),
    ),
    "a target that is 1e-6 too large": (
        Patch("equations.py", "tf.stop_gradient(target_q)", "(1.0 + 1e-6) * tf.stop_gradient(target_q)"),
    ),
    "actor ascends the wrong way": (
        Patch("equations.py", "return -tf.reduce_mean(q_value)", "return tf.reduce_mean(q_value)"),
    ),
    "tau on the wrong side": (
        Patch("equations.py", "tau * source + (1.0 - tau) * target", "(1.0 - tau) * source + tau * target"),
    ),
    "target critic never updated": (Patch("agent.py", SOFT_UPDATE_OF_CRITIC, "pass"),),
    "one learning rate for both": (
        Patch("agent.py", "make_optimizer(config, config.actor_learning_rate, self.actor)",
              "make_optimizer(config, config.critic_learning_rate, self.actor)"),
    ),
    "an action that enters twice": (
        Patch("networks.py", "x = ops.concatenate([x, action], axis=1)  # (N, state_size + action_size)",
              "x = ops.concatenate([x, action * (1 + 1e-6)], axis=1)"),
    ),
}  # fmt: skip


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--updates", type=int, default=200, help="updates to compare (default: 200)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    minibatches = make_minibatches(arguments.updates)
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "minibatches.npz")
        np.savez(given, allow_pickle=False, **minibatches)
        ours = {preset: our_weights(ROOT, given, preset, Path(folder)) for preset in ("blog", "paper")}
        rows += compare_with_sb3(ours["blog"], minibatches)
        rows += compare_with_numpy(ours["paper"], minibatches)
        few = {name: values[:10] for name, values in minibatches.items()}
        np.savez(given, allow_pickle=False, **few)
        rows += plant_mistakes(ours["blog"], few, given, Path(folder))
    write_csv(arguments.out / "parity" / "table.csv", rows)
    missed = [row for row in rows if row["must"] == "agree" and row["difference"] > BAR]
    missed += [row for row in rows if row["must"] == "differ" and row["difference"] <= BAR]
    if missed:
        raise SystemExit("\n".join(f"missed: {row}" for row in missed))


def make_minibatches(updates: int) -> dict[str, np.ndarray]:
    """Return random minibatches: parts of a transition by their names, `(updates, N, ...)` float64."""
    rng = np.random.default_rng(0)
    shape = (updates, BATCH_SIZE)
    action = rng.uniform(-1.3, 1.3, size=(*shape, ACTION_SIZE)).clip(-1, 1)
    return {
        "state": rng.normal(size=(*shape, STATE_SIZE)),
        "action": action,
        "reward": rng.normal(size=(*shape, 1)),
        "terminated": (rng.random((*shape, 1)) < 0.3).astype(np.float64),
        "next_state": rng.normal(size=(*shape, STATE_SIZE)),
    }


def our_weights(code: Path, minibatches: Path, preset: str, folder: Path) -> dict[int, dict[str, np.ndarray]]:
    """Return this project's weights by number of updates, from a process of its own."""
    result = folder / "result.npz"
    command = [sys.executable, "-m", "benchmarks.parity.parity_ours", *map(str, (code, minibatches, preset, result))]
    subprocess.run(command, check=True, cwd=ROOT)
    found: dict[int, dict[str, np.ndarray]] = {}
    with np.load(result) as arrays:
        for name in arrays:
            update, _, rest = name.partition("/")
            found.setdefault(int(update), {})[rest] = arrays[name]
    return found


def difference(ours: dict[int, dict], theirs: dict[int, dict], update: int, network: str) -> float:
    """Return the largest difference of a network's weights, as a share of the largest distance that one moved."""
    names = [name for name in theirs[update] if name.startswith(f"{network}/")]
    apart = max(np.abs(ours[update][name] - theirs[update][name]).max() for name in names)
    moved = max(np.abs(theirs[update][name] - theirs[0][name]).max() for name in names)
    return float(apart / moved)


def compared(ours: dict, theirs: dict, others: str, way: str, must: str) -> list[dict]:
    """Return a row per network and snapshot."""
    return [
        {"others": others, "way": way, "updates": update, "network": network, "must": must}
        | {"difference": difference(ours, theirs, update, network)}
        for update in sorted(set(ours) & set(theirs) - {0})
        for network in NETWORKS
    ]


def compare_with_sb3(ours: dict[int, dict], minibatches: dict[str, np.ndarray]) -> list[dict]:
    """Compare the second post's settings with Stable-Baselines3, also without what explains the difference."""
    from benchmarks.parity import parity_sb3

    rows = []
    for way, (epsilon_before, rounded) in WAYS.items():
        theirs = parity_sb3.run(ours[0], minibatches, SNAPSHOTS, epsilon_before, rounded)
        rows += compared(ours, theirs, "Stable-Baselines3", way, "agree" if way == "both" else "")
        last = max(row["difference"] for row in rows if row["way"] == way and row["updates"] == max(ours))
        print(f"Stable-Baselines3, {way:28} after {max(ours)} updates: {last:.1e}")
    return rows


def compare_with_numpy(ours: dict[int, dict], minibatches: dict[str, np.ndarray]) -> list[dict]:
    """Compare the paper's settings with the implementation in NumPy."""
    error = parity_numpy.gradient_error(ours[0], minibatches["state"][0], minibatches["action"][0])
    print(f"NumPy's gradients against finite differences: {error:.1e}")
    if error > 1e-5:
        raise SystemExit("the gradients of parity_numpy.py are wrong")
    agent = parity_numpy.Agent(ours[0])
    theirs = {0: agent.weights()}
    for update in range(1, len(minibatches["state"]) + 1):
        agent.update(*(values[update - 1] for values in minibatches.values()))
        if update in ours:
            theirs[update] = agent.weights()
    rows = compared(ours, theirs, "NumPy", "the paper's settings", "agree")
    last = max(row["difference"] for row in rows if row["updates"] == max(ours))
    print(f"NumPy, the paper's settings,  after {max(ours)} updates: {last:.1e}")
    return rows


def plant_mistakes(ours: dict[int, dict], minibatches: dict, given: Path, folder: Path) -> list[dict]:
    """Compare copies of this project that have a mistake with Stable-Baselines3, after ten updates."""
    from benchmarks.parity import parity_sb3

    count = len(minibatches["state"])
    theirs = parity_sb3.run(ours[0], minibatches, [count], *WAYS["both"])
    rows = []
    for number, (name, patches) in enumerate(MISTAKES.items()):
        code = patched_copy(folder / f"mistake{number}", patches)
        wrong = our_weights(code, given, "blog", folder)
        largest = max(difference(wrong, theirs, count, network) for network in NETWORKS)
        rows.append({"others": "Stable-Baselines3", "way": f"mistake: {name}", "updates": count, "network": "any"})
        rows[-1] |= {"must": "differ", "difference": largest}
        print(f"mistake: {name:34} {largest:.1e}", flush=True)
    return rows


if __name__ == "__main__":
    main()
