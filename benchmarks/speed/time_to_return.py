"""How long until a task is learned: minutes of training and environment steps until evaluations reach a return.

    python -m benchmarks.speed.time_to_return Pendulum-v1    # about fifteen minutes on two cores

This project with its presets, and Stable-Baselines3 and SBX with rl-zoo's settings for DDPG, one after the other and
each alone on the machine. A return is reached when three evaluations in a row, of ten noise-free episodes each, are as
good; the clock stops while they are made. The others need `pip install -r requirements-benchmark.txt`. It writes
results/time_to_return; runs that are in its table are not repeated.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common.loops import stable_baselines, train_further
from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.speed_pictures import CONTENDERS, draw_times
from benchmarks.common.workers import ENVIRONMENT
from ddpg.storage.csv_files import read_rows

Learner = tuple[Callable[[int], int], Any]  # trains to a step or a little further and returns it; what is evaluated


class Goal(NamedTuple):
    """What counts as learned, how often that is looked at, and when to give up; and the preset of this project."""

    mean: float
    every: int
    steps: int
    preset: str


GOALS = {
    "Pendulum-v1": Goal(-160, 1_000, 40_000, "blog"),
    "InvertedDoublePendulum-v5": Goal(9_000, 2_000, 200_000, "mujoco"),
    "HalfCheetah-v5": Goal(5_000, 10_000, 1_000_000, "mujoco"),
}
SEEDS = (0, 1, 2)
IN_A_ROW, EPISODES, STARTS = 3, 10, 10_000  # evaluations; episodes of each, reset with seeds from STARTS on


def ours(task: str, seed: int) -> Learner:
    """This project with the preset for the task; on MuJoCo's tasks 50 updates after every 50 steps."""
    from dataclasses import replace

    from ddpg import DDPG, PRESETS, make_environment, state_and_action_size, train
    from ddpg.command.tensorflow import paused_garbage_collector

    config = replace(PRESETS[GOALS[task].preset], env=task, seed=seed, steps=GOALS[task].steps)
    if GOALS[task].preset == "mujoco":
        config = replace(config, train_frequency=50, gradient_steps=50)
    environment = make_environment(config)
    agent = DDPG(*state_and_action_size(environment), config)
    episodes = train(agent, environment)
    paused_garbage_collector().__enter__()

    def train_to(step: int) -> int:
        while agent.steps < step:
            next(episodes)
        return agent.steps

    return train_to, agent


def of_library(library: str) -> Callable[[str, int], Learner]:
    """Stable-Baselines3 (torch) or SBX (JAX) with rl-zoo's settings, which are one update a step everywhere."""

    def make(task: str, seed: int) -> Learner:
        import gymnasium

        settings: dict[str, Any] = {"learning_rate": 1e-3, "learning_starts": 10_000, "batch_size": 256, "seed": seed}
        settings |= {"train_freq": 1, "gradient_steps": 1}
        settings |= {"gamma": 0.98, "buffer_size": 200_000} if task == "Pendulum-v1" else {}
        model = stable_baselines(library, gymnasium.make(task), **settings)

        def train_to(step: int) -> int:
            train_further(model, step - model.num_timesteps)
            return model.num_timesteps

        return train_to, lambda state: model.predict(state, deterministic=True)[0]

    return make


LEARNERS = {"ours": ours, "sb3": of_library("stable_baselines3"), "sbx": of_library("sbx")}


def learn(name: str, task: str, seed: int) -> None:
    """Train until the return is reached, and print a line for each evaluation: steps, seconds, mean."""
    from ddpg import evaluate, make_environment

    goal, environment, seconds, reached = GOALS[task], make_environment(task), 0.0, 0
    train_to, policy = LEARNERS[name](task, seed)
    for step in range(goal.every, goal.steps + 1, goal.every):
        start = time.perf_counter()
        steps = train_to(step)
        seconds += time.perf_counter() - start
        mean = evaluate(policy, environment, EPISODES, STARTS).mean
        print("evaluated", steps, round(seconds, 2), round(mean, 3), flush=True)
        reached = reached + 1 if mean >= goal.mean else 0
        if reached == IN_A_ROW:
            return


def measured(name: str, task: str, seed: int) -> list[dict[str, Any]]:
    """Let a process of its own learn; return a row for each evaluation."""
    command = [sys.executable, "-m", "benchmarks.speed.time_to_return", task, "--learn", name, str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise SystemExit(f"{name} ended early:\n{done.stderr[-2000:]}")
    lines = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("evaluated ")]
    return [
        {"task": task, "contender": name, "seed": seed, "steps": steps, "seconds": seconds, "mean": mean}
        for steps, seconds, mean in lines
    ]


def report(rows: list[dict[str, Any]], task: str) -> None:
    """Print the medians over the seeds, and how many runs reached the return."""
    ends: dict[str, list[tuple[float, int]]] = {}
    for name in LEARNERS:
        for seed in SEEDS:
            run = [row for row in rows if (row["task"], row["contender"], int(row["seed"])) == (task, name, seed)]
            if run and all(float(row["mean"]) >= GOALS[task].mean for row in run[-IN_A_ROW:]):
                ends.setdefault(name, []).append((float(run[-1]["seconds"]), int(run[-1]["steps"])))
    print(f"\n{task}, until {IN_A_ROW} evaluations in a row reach {GOALS[task].mean:,}")
    for name, runs in ends.items():
        seconds, steps = np.median(runs, axis=0)
        ratio = f", {seconds / np.median(ends['ours'], axis=0)[0]:.2f} times ours" if "ours" in ends else ""
        print(f"  {CONTENDERS[name][0]:20} {seconds:8.0f} s, {steps:9,.0f} steps, {len(runs)} of {len(SEEDS)}{ratio}")


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("tasks", nargs="*", default=list(GOALS), help=f"some of {', '.join(GOALS)} (default: all)")
    parser.add_argument("--contenders", nargs="+", choices=LEARNERS, default=list(LEARNERS), help="some of them")
    parser.add_argument("--learn", nargs=2, metavar=("NAME", "SEED"), help="learn in this process; used by itself")
    add_output_flag(parser)
    arguments = parser.parse_args()
    if arguments.learn:
        return learn(arguments.learn[0], arguments.tasks[0], int(arguments.learn[1]))
    table: Path = arguments.out / "time_to_return" / "table.csv"
    rows: list[dict[str, Any]] = list(read_rows(table)) if table.is_file() else []
    for task in arguments.tasks:
        for seed in SEEDS:
            for name in arguments.contenders:
                if not any((row["task"], row["contender"], int(row["seed"])) == (task, name, seed) for row in rows):
                    rows += measured(name, task, seed)
                    write_csv(table, rows)
        report(rows, task)
    draw_times(table, table.with_name("picture.png"))


if __name__ == "__main__":
    main()
