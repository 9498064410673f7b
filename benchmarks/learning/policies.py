"""Trained policies as files, each with a card, and films of them.

    python -m benchmarks.learning.policies export sweeps/small    # the median seed's best policy per task
    python -m benchmarks.learning.policies goals runs/goals/*-k4-*    # the median seed's final policy per task
    python -m benchmarks.learning.policies film Reacher-v5    # a GIF; MuJoCo needs MUJOCO_GL=egl without a display

The first two write examples/policies/TASK.onnx and its card TASK.json. A card's return is that of the file itself, by
`python evaluate.py --policy FILE --env TASK --seed 20000`. A film of a task with goals shows several episodes.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks.common.output import ROOT, parser_for
from benchmarks.common.policy_cards import draw_film, write_policy
from benchmarks.common.runs import commit, config_of, task_of
from ddpg.command.tensorflow import import_tensorflow
from ddpg.compare.curves import run_folders
from ddpg.storage.checkpoints import find_checkpoint
from ddpg.sweep.jobs import TEST_SEED


def main() -> None:
    """Export, or film."""
    parser = parser_for(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("export").add_argument("sweeps", type=Path, nargs="+")
    goals = commands.add_parser("goals")
    goals.add_argument("runs", type=Path, nargs="+")
    goals.add_argument("--commit", default=commit(), help="of the code that trained (default: that of this code)")
    film = commands.add_parser("film")
    film.add_argument("task")
    film.add_argument("--seed", type=int, default=TEST_SEED, help=f"of the first start (default: {TEST_SEED})")
    film.add_argument("--every", type=int, default=1, help="show every so many steps (default: 1)")
    film.add_argument("--episodes", type=int, default=1, help="show so many episodes (default: 1)")
    arguments = parser.parse_args()
    if arguments.command == "film":
        draw_film(arguments.task, arguments.seed, arguments.every, arguments.episodes)
        return
    import_tensorflow()
    if arguments.command == "goals":
        export_goals(arguments.runs, arguments.commit)
    else:
        export_best([run for sweep in arguments.sweeps for run in run_folders(sweep)])


def export_best(runs: list[Path]) -> None:
    """Export the best checkpoint of each task's median seed; `tasks.py collect` has tested them."""
    for some in by_task(runs):
        tests = {run: kept_test(run, "tasks", f"seed{config_of(run)['seed']}", "best.json") for run in some}
        run = median(tests, "mean")
        write_policy(run, find_checkpoint(run, best=True), tests[run]["commit"])


def export_goals(runs: list[Path], trained_by: str) -> None:
    """Export the newest checkpoint of each task's median seed; `goals.py collect` has tested them."""
    for some in by_task(runs):
        tests = {}
        for run in some:
            config = config_of(run)
            name = f"hindsight{config['hindsight_goals']}-seed{config['seed']}"
            tests[run] = kept_test(run, "goals", name, "test.json")
        run = median(tests, "success_rate")
        write_policy(run, find_checkpoint(run), trained_by)


def by_task(runs: list[Path]) -> list[list[Path]]:
    """Return the runs of each task."""
    tasks: dict[str, list[Path]] = {}
    for run in runs:
        tasks.setdefault(config_of(run)["env"], []).append(run)
    return list(tasks.values())


def kept_test(run: Path, study: str, name: str, file: str) -> dict[str, Any]:
    """Return the test of a run that a study keeps."""
    folder = ROOT / "results" / study / task_of(config_of(run)) / name
    if config_of(folder) != config_of(run):
        raise SystemExit(f"error: {folder} is a run with other settings than {run}")
    return json.loads((folder / file).read_text("utf-8"))


def median(tests: dict[Path, dict[str, Any]], figure: str) -> Path:
    """Return the run whose figure is in the middle."""
    return sorted(tests, key=lambda run: tests[run]["results"][figure])[len(tests) // 2]


if __name__ == "__main__":
    main()
