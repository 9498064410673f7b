"""The heater of docs/plant.md: the gains of its PI controller, and trained policies beside it on changed plants.

    python -m benchmarks.experience.plant examples/plant/heater.onnx runs/heater-2 runs/heater-3    # some minutes

Runs are trained as the page says, with other seeds. It writes results/plant/pi_gains.csv and
results/plant/comparison.csv: for each gain of the heater, the mean returns over the same 100 starts, their paired
difference with its 95 % interval, and in how many it was better.
"""

import sys
from pathlib import Path
from typing import Any

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv
from ddpg.command.tensorflow import import_tensorflow

GAINS = (0.8, 0.9, 1.0, 1.1, 1.2)
TRIED = [(kp, ki) for kp in (0.04, 0.06, 0.08, 0.1, 0.12, 0.15) for ki in (0.03, 0.05, 0.07, 0.09, 0.11, 0.13, 0.15)]
EPISODES = 100
TUNED_FROM, COMPARED_FROM = 1_000, 0  # seeds: the PI controller is not tuned on the starts of the comparison


def main() -> None:
    """Try the gains, compare the runs, and write both tables."""
    parser = parser_for(__doc__)
    parser.add_argument("runs", type=Path, nargs="*", help="run folders or exported policies")
    add_output_flag(parser)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "examples" / "plant"))
    write_csv(arguments.out / "plant" / "pi_gains.csv", tried_gains())
    import_tensorflow()
    rows = [row for run in arguments.runs for row in compared(run)]
    if rows:
        write_csv(arguments.out / "plant" / "comparison.csv", rows)


def tried_gains() -> list[dict[str, float]]:
    """Return the mean return of the PI controller with each pair of gains, over 20 episodes; the best one first."""
    import pi

    from ddpg import evaluate, make_environment

    environment, rows = make_environment("heater:Heater-v0"), []
    for kp, ki in TRIED:
        pi.KP, pi.KI = kp, ki
        mean = evaluate(pi.PI, environment, 20, TUNED_FROM).mean
        rows.append({"kp": kp, "ki": ki, "return": round(mean, 3)})
    rows.sort(key=lambda row: -row["return"])
    pi.KP, pi.KI = rows[0]["kp"], rows[0]["ki"]
    return rows


def compared(run: Path) -> list[dict[str, Any]]:
    """Return a row for each gain: the PI controller with the policy of a run, or of a file, beside it alone."""
    import corrected

    from ddpg import evaluate, load_policy, make_environment
    from ddpg.policy.policy_file import FilePolicy

    policy: Any = load_policy(run, best=True) if run.is_dir() else FilePolicy(run)
    rows = []
    for gain in GAINS:
        environment = make_environment("corrected:Corrected-v0", {"gain": gain})
        ours, theirs = (evaluate(each, environment, EPISODES, COMPARED_FROM) for each in (policy, corrected.alone))
        difference = ours.minus(theirs)
        row = {"policy": run.stem, "gain": gain, "episodes": EPISODES}
        figures = {"policy_return": ours.mean, "pi_return": theirs.mean, "difference": difference.mean}
        figures |= {"low": difference.mean - difference.half_width, "high": difference.mean + difference.half_width}
        rows.append(
            row
            | {name: round(value, 3) for name, value in figures.items()}
            | {"better": sum(value > 0 for value in difference.returns)}
        )
        print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main()
