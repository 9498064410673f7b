"""The recipes of docs/plant.md on small tasks, each beside the same task without it. About ten minutes on two cores.

    python -m benchmarks.experience.recipes

It writes results/recipes/returns.csv: the mean of 20 noise-free episodes after training, for each task and seed, with
the mean change of the action from one step to the next as a share of its range.
"""

import sys
from typing import Any

import numpy as np

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv
from ddpg.command.tensorflow import import_tensorflow

STEPS = {"History": 8_000, "Delay": 8_000, "ChangePenalty": 5_000, "Shares": 3_000, "Residual": 5_000}
STEPS |= {"TimeLeft": 3_000, "RewardScale": 5_000, "Repeat": 5_000}
SETTINGS: dict[str, Any] = {"hidden_units": (64, 64), "actor_learning_rate": 1e-3, "learning_starts": 500}
SETTINGS |= {"noise_sigma": 0.2, "train_frequency": 10, "gradient_steps": 10}
UNITS = {"RewardScalePlain": 1e-3, "Repeat": 0.2, "RepeatPlain": 0.2}  # to Pendulum-v1's own reward


def main() -> None:
    """Train and evaluate every recipe and its counterpart."""
    parser = parser_for(__doc__)
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="runs of each (default: 1)")
    parser.add_argument("--only", choices=STEPS, help="one recipe (default: all)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "examples" / "plant"))
    import_tensorflow()
    rows = []
    for seed in range(1, arguments.seeds + 1):
        for recipe in [arguments.only] if arguments.only else STEPS:
            for name in (recipe, f"{recipe}Plain"):
                rows.append(
                    {"recipe": recipe, "task": name, "steps": STEPS[recipe], "seed": seed} | measured(name, seed)
                )
                print(rows[-1], flush=True)
                write_csv(arguments.out / "recipes" / "returns.csv", sorted(rows, key=lambda row: row["task"]))


def measured(name: str, seed: int) -> dict[str, float]:
    """Return what an agent reaches on a task of recipes.py."""
    from ddpg import DDPG, Config, evaluate, make_environment, state_and_action_size, train
    from ddpg.policy.record import Recorder

    config = Config(
        env=f"recipes:{name}-v0", steps=STEPS[name.removesuffix("Plain")], seed=seed, buffer_size=20_000, **SETTINGS
    )
    environment = make_environment(config)
    agent = DDPG(*state_and_action_size(environment), config)
    for _ in train(agent, environment):
        pass
    recorder = Recorder(make_environment(config))
    mean = evaluate(agent, recorder, 20, seed=1_000).mean * UNITS.get(name, 1.0)
    actions, ends = recorder.arrays()["actions"], recorder.arrays()["timeouts"] | recorder.arrays()["terminals"]
    changes = np.abs(np.diff(actions, axis=0))[~ends[:-1]] / (recorder.units.high - recorder.units.low)
    if name == "ChangePenalty":  # its return without the penalty, to compare
        starts = np.append(True, ends[:-1])
        before = np.where(starts[:, None], 0, np.roll(actions, 1, axis=0))
        mean += 0.5 * float(np.sum((actions - before) ** 2)) / 20
    return {"return": round(float(mean), 3), "action_change": round(float(changes.mean()) if changes.size else 0.0, 4)}


if __name__ == "__main__":
    main()
