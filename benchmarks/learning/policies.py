"""Trained policies as files, each with a card, and films of them.

    python -m benchmarks.learning.policies export sweeps/small    # the median seed's best policy per task
    python -m benchmarks.learning.policies film Reacher-v5    # a GIF; MuJoCo needs MUJOCO_GL=egl without a display

The first command writes examples/policies/TASK.onnx and its card TASK.json. A card's return is that of the file itself,
by `python evaluate.py --policy FILE --env TASK --seed 20000`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.output import ROOT, parser_for
from benchmarks.common.runs import config_of
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
    film = commands.add_parser("film")
    film.add_argument("task")
    film.add_argument("--seed", type=int, default=TEST_SEED, help=f"of the episode's start (default: {TEST_SEED})")
    film.add_argument("--every", type=int, default=1, help="show every so many steps (default: 1)")
    arguments = parser.parse_args()
    if arguments.command == "film":  # without TensorFlow, beside which Mesa's software renderer crashes
        draw_film(arguments.task, arguments.seed, arguments.every)
        return
    import_tensorflow()
    runs: dict[str, list[Path]] = {}
    for sweep in arguments.sweeps:
        for run in run_folders(sweep):
            runs.setdefault(config_of(run)["env"], []).append(run)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for task, folders in runs.items():
        write_policy(task, folders)


def write_policy(task: str, runs: list[Path]) -> None:
    """Export the best checkpoint of the median seed, measure the file, and write its card."""
    from ddpg.export import export_policy

    tests = {run: test_of_best(task, run) for run in runs}
    run = sorted(runs, key=lambda run: tests[run]["results"]["mean"])[len(runs) // 2]
    path = FOLDER / f"{task}.onnx"
    export_policy(find_checkpoint(run, best=True), path, overwrite=True)
    config = config_of(run)
    card = {
        "task": task,
        "file": path.name,
        "settings": label(config, PRESETS),
        "seed": config["seed"],
        "steps": config["steps"],
        "checkpoint": find_checkpoint(run, best=True).name,
        "return": measure(path),
        "commit": tests[run]["commit"],
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"{path.name}: seed {config['seed']}, {card['return']['mean']:.1f} ± {card['return']['std']:.1f}")


def test_of_best(task: str, run: Path) -> dict[str, Any]:
    """Return the test of a run's best checkpoint, which `tasks.py collect` has made."""
    folder = ROOT / "results" / "tasks" / task / f"seed{config_of(run)['seed']}"
    if config_of(folder) != config_of(run):
        raise SystemExit(f"error: {folder} is a run with other settings than {run}")
    return json.loads((folder / "best.json").read_text("utf-8"))


def measure(path: Path) -> dict[str, Any]:
    """Return the return of a policy file over the starts of a sweep's test."""
    policy = FilePolicy(path)
    with open_environment(policy.task_config(None)) as environment:
        found = evaluate(policy, environment, EPISODES, TEST_SEED)
    return {"episodes": EPISODES, "seed": TEST_SEED, "mean": found.mean, "std": found.std}


def draw_film(task: str, seed: int, every: int) -> None:
    """Write a GIF of one episode of a policy."""
    from PIL import Image

    policy = FilePolicy(FOLDER / f"{task}.onnx")
    frames: list[Image.Image] = []
    with open_environment(policy.task_config(None), "rgb_array") as environment:
        state, _ = environment.reset(seed=seed)
        done, step = False, 0
        while not done and len(frames) < MAX_FRAMES:
            if step % every == 0:
                picture = Image.fromarray(np.asarray(environment.render()))
                picture.thumbnail((WIDTH, WIDTH))
                frames.append(picture.quantize(COLORS))
            state, _, terminated, truncated, _ = environment.step(policy.act(state, explore=False))
            done, step = terminated or truncated, step + 1
    path = ROOT / "results" / "films" / f"{task}.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 // FRAMES_PER_SECOND, loop=0)
    print(f"{path}: {len(frames)} frames, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
