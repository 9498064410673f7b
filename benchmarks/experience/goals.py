"""Sparse goals: success with hindsight and without, and the picture that explains hindsight.

    python -m benchmarks.experience.goals collect runs/goals/*    # test each final policy; a minute a run
    python -m benchmarks.experience.goals table     # write results/goals: table, curves and picture
    python -m benchmarks.experience.goals episode    # draw one episode of a point, and what is stored of it

`docs/goals.md` has the commands that train the runs; requirements-goals.txt has the packages of their tasks.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.pictures import draw_episode, draw_success
from benchmarks.common.runs import config_of, task_of
from ddpg.command.tensorflow import import_tensorflow
from ddpg.storage.csv_files import read_rows
from ddpg.sweep.jobs import TEST_SEED

KEPT = ("config.json", "evaluations.csv", "episodes.csv")
TEST = {"episodes": 100, "seed": TEST_SEED}


def main() -> None:
    """Collect runs, make the table, or draw an episode."""
    parser = parser_for(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collecting, table, episode = map(commands.add_parser, ("collect", "table", "episode"))
    collecting.add_argument("runs", type=Path, nargs="+")
    for command in (collecting, table, episode):
        add_output_flag(command)
    arguments = parser.parse_args()
    folder = arguments.out / "goals"
    if arguments.command == "table":
        make_table(folder)
        return
    import_tensorflow()
    if arguments.command == "episode":
        write_csv(folder / "episode.csv", rows_of_an_episode())
        draw_episode(folder / "episode.csv", folder / "episode.png")
        return
    for run in arguments.runs:
        collect(run, folder)


def collect(run: Path, folder: Path) -> None:
    """Copy the figures of a run, and test its newest policy on starts that training did not see."""
    from ddpg.evaluation import evaluate
    from ddpg.run.agent_state import load_for_acting
    from ddpg.storage.checkpoints import find_checkpoint
    from ddpg.task.environments import open_environment

    config = config_of(run)
    target = folder / task_of(config) / f"hindsight{config['hindsight_goals']}-seed{config['seed']}"
    if target.is_dir() and config_of(target) != config:
        raise SystemExit(f"error: {target} is a run with other settings")
    checkpoint = find_checkpoint(run)
    agent = load_for_acting(checkpoint)
    with open_environment(agent.config) as environment:
        found = evaluate(agent, environment, **TEST)
    target.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        shutil.copy(run / name, target / name)
    test = {"test": TEST, "checkpoint": checkpoint.name, "results": found.as_json(agent.config.env)}
    (target / "test.json").write_text(json.dumps(test, indent=2) + "\n", encoding="utf-8")
    print(f"{target.relative_to(folder)}: {checkpoint.name}, success {found.success_rate}")


def make_table(folder: Path) -> None:
    """Write a row per task and number of goals, and draw the curves."""
    rows, curves = [], []
    for task in sorted(path for path in folder.iterdir() if path.is_dir()):
        runs: dict[int, list[Path]] = {}
        for run in sorted(task.iterdir()):
            runs.setdefault(config_of(run)["hindsight_goals"], []).append(run)
        for goals, some in sorted(runs.items(), reverse=True):
            rows.append({"task": task.name, "hindsight_goals": goals} | figures_of(some))
            curves += [{"task": task.name, "hindsight_goals": goals} | row for run in some for row in curve_of(run)]
    write_csv(folder / "table.csv", rows)
    write_csv(folder / "curves.csv", curves)
    draw_success(folder / "curves.csv", folder / "picture.png")
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


def figures_of(runs: list[Path]) -> dict[str, Any]:
    """Return the success and the return of the final policies of some seeds."""
    tests = [json.loads((run / "test.json").read_text("utf-8")) for run in runs]
    steps = [int(test["checkpoint"].removeprefix("step-")) for test in tests]
    rates = [test["results"]["success_rate"] for test in tests]
    figures = {"seeds": len(runs), "steps": min(steps), "success_mean": np.mean(rates), "success_min": min(rates)}
    return figures | {"success_max": max(rates), "return_mean": np.mean([test["results"]["mean"] for test in tests])}


def curve_of(run: Path) -> list[dict[str, Any]]:
    """Return the success of a run's evaluations."""
    seed = config_of(run)["seed"]
    rows = read_rows(run / "evaluations.csv")
    return [{"seed": seed, "steps": row["steps"], "success_rate": row["success_rate"]} for row in rows]


def rows_of_an_episode() -> list[dict[str, Any]]:
    """Return the rows that the first episode of a run leaves in the replay buffer: its own, then those of hindsight."""
    from dataclasses import replace

    from ddpg.presets import PRESETS

    from ddpg import DDPG, make_environment, state_and_action_size, train
    from ddpg.experience.hindsight import goals_in_state

    config = replace(PRESETS["goals"], env="examples.goals.point:Point-v0", episodes=1)
    environment = make_environment(config)
    achieved, desired, _ = goals_in_state(environment, config.env)
    agent = DDPG(*state_and_action_size(environment), config)
    (episode,) = train(agent, environment)
    buffer, rows = agent.replay_buffer, []
    for number, row in enumerate(buffer.rows[: buffer.added]):
        batch, again = buffer.split(row), number - episode.length
        (x, y), (goal_x, goal_y) = batch.next_state[achieved], batch.next_state[desired]
        step = number if again < 0 else again // config.hindsight_goals
        point = {"x": x, "y": y, "goal_x": goal_x, "goal_y": goal_y}
        rows.append({"stored": "as it was" if again < 0 else "again", "step": step + 1} | point)
        rows[-1] |= {"reward": int(batch.reward[0])}
    return rows


if __name__ == "__main__":
    main()
