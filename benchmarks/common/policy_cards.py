"""Trained policies as files in examples/policies, each with a card, and films of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.output import ROOT
from benchmarks.common.runs import config_of, task_of
from ddpg.command.presets import PRESETS
from ddpg.compare.names import label
from ddpg.evaluation import evaluate
from ddpg.policy.policy_file import FilePolicy
from ddpg.sweep.jobs import TEST_SEED
from ddpg.task.environments import open_environment

EPISODES = 100  # in which a policy is tested: as many as `evaluate.py` runs unless told
FOLDER = ROOT / "examples" / "policies"
WIDTH, COLORS = 240, 64  # of a film: pixels, and colors of its palette
MAX_FRAMES, FRAMES_PER_SECOND = 120, 20


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
