"""What DDPG reaches on the tasks of the field: runs of sweeps, kept as CSV files, and the table of all of them.

    python -m benchmarks.learning.tasks collect sweeps/Reacher-v5    # test the best checkpoints, keep the files
    python -m benchmarks.learning.tasks table    # write results/tasks

`docs/tasks.md` has the commands that train the runs.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.runs import LAST, commit, config_of
from ddpg.command.tensorflow import import_tensorflow
from ddpg.compare.compare import compare
from ddpg.compare.curves import Curve, read_curves, run_folders, write_curves
from ddpg.compare.plotting import draw_comparison
from ddpg.compare.statistics import bootstrap_interval, interquartile_mean
from ddpg.storage.csv_files import read_rows

KEPT = ("config.json", "evaluations.csv", "episodes.csv", "test.json")


def main() -> None:
    """Collect runs, or make the table."""
    parser = parser_for(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collecting = commands.add_parser("collect")
    collecting.add_argument("sweeps", type=Path, nargs="+")
    collecting.add_argument("--commit", default=commit(), help="of the code that trained (default: that of this code)")
    table = commands.add_parser("table")
    for command in (table, collecting):
        add_output_flag(command)
    arguments = parser.parse_args()
    folder = arguments.out / "tasks"
    if arguments.command == "table":
        make_table(folder)
        return
    for sweep in arguments.sweeps:
        for run in run_folders(sweep):
            if not (run / "test.json").is_file():
                raise SystemExit(f"error: {run} is not finished")
            collect(run, folder, arguments.commit)


def collect(run: Path, folder: Path, trained_by: str) -> None:
    """Copy the figures of a finished run, and test its best checkpoint on starts that did not choose it."""
    config = config_of(run)
    target = folder / config["env"] / f"seed{config['seed']}"
    if target.is_dir() and config_of(target) != config:
        raise SystemExit(f"error: {target} is a run with other settings")
    target.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        shutil.copy(run / name, target / name)
    best = test_best(run) | {"commit": trained_by}
    (target / "best.json").write_text(json.dumps(best, indent=2) + "\n", encoding="utf-8")
    print(f"{target.relative_to(folder)}: best checkpoint {best['checkpoint']}, mean {best['results']['mean']:.1f}")


def test_best(run: Path) -> dict[str, Any]:
    """Return the test of a run's best checkpoint, over the same starts as that of its final policy."""
    import_tensorflow()
    from ddpg.evaluation import evaluate
    from ddpg.run.agent_state import load_for_acting
    from ddpg.storage.checkpoints import find_checkpoint
    from ddpg.task.environments import open_environment

    checkpoint = find_checkpoint(run, best=True)
    agent = load_for_acting(checkpoint)
    test = json.loads((run / "test.json").read_text(encoding="utf-8"))["test"]
    with open_environment(agent.config) as environment:
        results = evaluate(agent, environment, **test).as_json(agent.config.env)
    return {"checkpoint": checkpoint.name, "test": test, "results": results}


def make_table(folder: Path) -> None:
    """Write a row per task, and draw the curves."""
    curves = read_curves(sorted(path for path in folder.iterdir() if path.is_dir()))
    tasks = list(dict.fromkeys(curve.task for curve in curves))
    rows = [row_of(task, [curve for curve in curves if curve.task == task], folder / task) for task in tasks]
    write_csv(folder / "table.csv", rows)
    write_curves(curves, folder / "curves.csv")
    draw_comparison(compare(curves, LAST), curves, folder / "picture.png")
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


def row_of(task: str, curves: list[Curve], folder: Path) -> dict[str, Any]:
    """Return the figures of a task, each a mean over the seeds with its bootstrap interval."""
    best = [json.loads((folder / f"seed{curve.seed}" / "best.json").read_text("utf-8")) for curve in curves]
    row: dict[str, Any] = {"task": task, "seeds": len(curves), "steps": int(min(curve.steps[-1] for curve in curves))}
    for name, runs in (
        ("last", [curve.scores[-LAST:].mean() for curve in curves]),
        ("final", [curve.test for curve in curves]),
        ("best", [each["results"]["mean"] for each in best]),
        ("maximum", [curve.scores.max() for curve in curves]),
        ("falls", [share_of_falls(curve.scores) for curve in curves]),
        ("noisy", [training_return(folder / f"seed{curve.seed}") for curve in curves]),
    ):
        values = np.array(runs, np.float64)
        low, high = bootstrap_interval([values]) or (None, None)
        row |= {f"{name}_mean": values.mean(), f"{name}_iqm": interquartile_mean(values)}
        row |= {f"{name}_low": low, f"{name}_high": high}
        row |= {f"{name}_min": values.min(), f"{name}_max": values.max()}
    return row


def share_of_falls(scores: np.ndarray) -> float:
    """Return the share of the second half's evaluations that are below the middle of the first and the best so far.

    The first is that of the untrained policy. So a policy that has lost half of what it had learned counts as fallen.
    """
    middle = (scores[0] + np.maximum.accumulate(scores)) / 2
    half = len(scores) // 2
    return float(np.mean(scores[half:] < middle[half:]))


def training_return(folder: Path) -> float:
    """Return the mean of the last hundred training episodes, which have exploration noise: what CleanRL reports."""
    return float(np.mean([float(row["return"]) for row in read_rows(folder / "episodes.csv")[-100:]]))


if __name__ == "__main__":
    main()
