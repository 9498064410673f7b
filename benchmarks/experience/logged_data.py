"""What a policy learns from another controller's log, before and after it acts itself: Pendulum-v1.

    python -m benchmarks.learning.logged_data    # an hour and a half on one core

A hand-written controller swings the pendulum up with 40 % of the torque, and with some excitation. 20,000 of its
transitions are logged. Runs with five seeds make 10,000 updates on them, and then 3,000 steps of their own; five runs
without data take 6,000 steps. Besides, policies are learned from data alone: without imitation, and from the log of an
expert that hardly ever errs. Each policy from data is compared with its controller over the same 100 starts.

It writes results/logged_data: the logged controllers, every evaluation, and the comparisons.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from ddpg.command.tensorflow import import_tensorflow
from ddpg.config import Config
from ddpg.storage.csv_files import read_columns

TRANSITIONS, UPDATES, SEEDS = 20_000, 10_000, 5
TEST_EPISODES, TEST_SEED = 100, 10_000
BASE = Config(
    seed=1, steps=3_000, actor_learning_rate=1e-3, buffer_size=100_000, evaluate_every=500, evaluation_episodes=20,
    checkpoint_every=100_000, threads=1,
)  # fmt: skip
FROM_DATA = replace(BASE, data={"log": ""}, data_updates=UPDATES, imitation_decay_steps=1_000)


class SwingUp:
    """Pumps energy into the pendulum until it is nearly upright, and then holds it there.

    Args:
        torque: The most that it applies, of 2 Nm.
        excitation: Deviation of the noise on its torque, in Nm.
    """

    def __init__(self, torque: float, excitation: float, seed: int = 0) -> None:
        self.torque, self.excitation, self.rng = torque, excitation, np.random.default_rng(seed)

    def __call__(self, state: np.ndarray) -> np.ndarray:
        """Return the torque, `(1,)`, for cos θ, sin θ and the speed."""
        cosine, sine, speed = (float(number) for number in state)
        angle, energy = np.arctan2(sine, cosine), speed**2 / 6 + 5 * (cosine - 1)
        upright = abs(angle) < 0.5 and abs(speed) < 3
        torque = -10 * angle - 3 * speed if upright else 2 * np.sign(-energy * speed)
        torque = np.clip(torque, -self.torque, self.torque) + self.excitation * self.rng.normal()
        return np.clip([torque], -2, 2).astype(np.float32)


CONTROLLERS = {"mediocre": SwingUp(0.8, 0.8), "nearly deterministic expert": SwingUp(2.0, 0.04)}


def main() -> None:
    """Log the controllers, train, test and write the tables."""
    parser = parser_for(__doc__)
    add_output_flag(parser)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"seeds of each study (default: {SEEDS})")
    arguments = parser.parse_args()
    import_tensorflow()
    out, seeds = arguments.out / "logged_data", range(1, arguments.seeds + 1)
    curves: list[dict[str, Any]] = []
    tests: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logs = {kind: write_log(folder / f"{kind.split()[-1]}.npz", kind) for kind in CONTROLLERS}
        write_csv(out / "controllers.csv", [{"controller": kind, "mean": mean} for kind, (_, mean) in logs.items()])
        studies = [
            ("mediocre", "from data", FROM_DATA),
            ("", "from nothing", replace(BASE, steps=6_000)),
            ("mediocre", "data alone, no imitation", replace(FROM_DATA, steps=0, imitation=0.0)),
            ("nearly deterministic expert", "data alone, no imitation", replace(FROM_DATA, steps=0, imitation=0.0)),
            ("nearly deterministic expert", "data alone", replace(FROM_DATA, steps=0)),
        ]
        for controller, setting, config in studies:
            for seed in seeds:
                data = {str(logs[controller][0]): ""} if controller else {}
                run_dir = folder / f"{controller}-{setting}-{seed}"
                curve, test = trained(replace(config, seed=seed, data=data), run_dir, controller)
                key = {"controller": controller, "setting": setting, "seed": seed}
                curves += [key | point for point in curve]
                tests += [key | test] if test else []
                write_csv(out / "curves.csv", curves)
                if tests:
                    write_csv(out / "table.csv", tests)
                print(key, test or curve[-1], flush=True)


def write_log(path: Path, kind: str) -> tuple[Path, float]:
    """Log a controller with D4RL's names; return the file and the mean return of the episodes."""
    environment, controller = gymnasium.make("Pendulum-v1"), CONTROLLERS[kind]
    rows: list[tuple] = []
    while len(rows) < TRANSITIONS:
        state, _ = environment.reset(seed=len(rows))
        truncated = False
        while not truncated:
            action = controller(state)
            next_state, reward, _, truncated, _ = environment.step(action)
            rows.append((state, action, float(reward), False, truncated, next_state))
            state = next_state
    names = ("observations", "actions", "rewards", "terminals", "timeouts", "next_observations")
    arrays = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    np.savez(path, allow_pickle=False, **arrays)
    return path, float(arrays["rewards"].sum() / arrays["timeouts"].sum())


def trained(config: Config, run_dir: Path, controller: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the evaluations of a run, and how its policy from data alone does against the controller."""
    from ddpg.run.environments import open_environment

    from ddpg.evaluation import evaluate
    from ddpg.run.agent_state import load_for_acting
    from ddpg.run.start import start_run

    start_run(config, run_dir, run_dir.parent / "plots").train(show_progress=False)
    logged = read_columns(run_dir / "evaluations.csv")
    curve = [{"steps": int(s), "mean": m} for s, m in zip(logged["steps"], logged["mean"], strict=True)]
    if not controller:
        return curve, {}
    updates = read_columns(run_dir / "updates.csv")
    first = {"q_value": updates["q_value"][updates["updates"] == UPDATES][0]}
    with open_environment(config) as environment:
        policy = load_for_acting(run_dir / "checkpoints" / "step-000000000")
        ours = evaluate(policy, environment, TEST_EPISODES, TEST_SEED)
        theirs = evaluate(CONTROLLERS[controller], environment, TEST_EPISODES, TEST_SEED)
    difference = ours.minus(theirs)
    paired = {"difference": difference.mean, "half_width": difference.half_width}
    return curve, {"policy": ours.mean, "controller_mean": theirs.mean} | paired | first


if __name__ == "__main__":
    main()
