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

import numpy as np

from benchmarks.common.output import ROOT, parser_for
from benchmarks.common.runs import commit, config_of, task_of
from ddpg.command.presets import PRESETS
from ddpg.command.tensorflow import import_tensorflow
from ddpg.compare.curves import run_folders
from ddpg.compare.names import label
from ddpg.evaluation import evaluate
from ddpg.policy.policy_file import FilePolicy
from ddpg.storage.checkpoints import find_checkpoint
from ddpg.sweep.jobs import TEST_SEED
from ddpg.task.environments import open_environment

EPISODES = 100  # in which a policy is tested: as many as `evaluate.py` runs unless told
FOLDER = ROOT / "examples" / "policies"
WIDTH, COLORS = 240, 64  # of a film: pixels, and colors of its palette
MAX_FRAMES, FRAMES_PER_SECOND = 120, 20


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


def write_policy(run: Path, checkpoint: Path, commit: str) -> None:
    """Export a checkpoint of a run, measure the file, and write its card."""
    from ddpg.export import export_policy

    config = config_of(run)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{task_of(config)}.onnx"
    export_policy(checkpoint, path, overwrite=True)
    card = {
        "task": config["env"],
        "file": path.name,
        "settings": label(config, PRESETS),
        "seed": config["seed"],
        "steps": config["steps"],
        "checkpoint": checkpoint.name,
        "return": measure(path, config["env"]),
        "commit": commit,
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"{path.name}: seed {config['seed']}, {card['return']['mean']:.1f} ± {card['return']['std']:.1f}")


def measure(path: Path, env: str) -> dict[str, Any]:
    """Return the return of a policy file over the starts of a sweep's test, and its success where the task says."""
    policy = FilePolicy(path)
    with open_environment(policy.task_config(env)) as environment:
        found = evaluate(policy, environment, EPISODES, TEST_SEED)
    success = {} if found.success_rate is None else {"success_rate": found.success_rate}
    return {"episodes": EPISODES, "seed": TEST_SEED, "mean": found.mean, "std": found.std} | success


def draw_film(env: str, seed: int, every: int, episodes: int = 1) -> None:
    """Write a GIF of a task's policy: the first frames of some episodes, one every so many steps.

    Without TensorFlow, beside which Mesa's software renderer crashes.
    """
    from PIL import Image

    name = task_of({"env": env})
    policy = FilePolicy(FOLDER / f"{name}.onnx")
    frames: list[Image.Image] = []
    with open_environment(policy.task_config(env), "rgb_array") as environment:
        for episode in range(episodes):
            state, _ = environment.reset(seed=seed + episode)
            done, step = False, 0
            while not done and step < every * MAX_FRAMES // episodes:
                if step % every == 0:
                    picture = Image.fromarray(np.asarray(environment.render()))
                    picture.thumbnail((WIDTH, WIDTH))
                    frames.append(picture.quantize(COLORS))
                state, _, terminated, truncated, _ = environment.step(policy.act(state, explore=False))
                done, step = terminated or truncated, step + 1
    path = ROOT / "results" / "films" / f"{name}.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 // FRAMES_PER_SECOND, loop=0)
    print(f"{path}: {len(frames)} frames, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
