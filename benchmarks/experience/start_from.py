"""A start from another run: Pendulum-v1 with a gravity of 10, and then of 12.

    python -m benchmarks.learning.start_from --source runs/g10    # an hour on one core

`--source` is a run on Pendulum-v1, from which five runs with g = 12 start; five others start from nothing. It writes
results/start_from: every evaluation.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from ddpg.command.tensorflow import import_tensorflow
from ddpg.config import Config
from ddpg.storage.csv_files import read_columns

SEEDS = (1, 2, 3, 4, 5)
STEPS = {"start from g = 10": 1_000, "from nothing": 4_000}
BASE = Config(
    env_kwargs={"g": 12.0}, actor_learning_rate=1e-3, buffer_size=100_000, evaluate_every=500, evaluation_episodes=20,
    checkpoint_every=100_000, threads=1,
)  # fmt: skip


def main() -> None:
    """Train both kinds of runs and write their evaluations."""
    parser = parser_for(__doc__)
    add_output_flag(parser)
    parser.add_argument("--source", type=Path, required=True, metavar="RUN", help="a run on Pendulum-v1")
    parser.add_argument("--settings", nargs="+", choices=STEPS, default=list(STEPS), help="which kinds of runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="the seeds (default: 1 to 5)")
    arguments = parser.parse_args()
    import_tensorflow()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for setting in arguments.settings:
            for seed in arguments.seeds:
                source = {str(arguments.source.absolute()): ""} if setting != "from nothing" else {}
                config = replace(BASE, seed=seed, steps=STEPS[setting], start_from=source)
                rows += evaluations(config, Path(folder) / f"{setting}-{seed}", {"setting": setting, "seed": seed})
                write_csv(arguments.out / "start_from" / "curves.csv", rows)
                print(rows[-1], flush=True)


def evaluations(config: Config, run_dir: Path, key: dict[str, Any]) -> list[dict[str, Any]]:
    """Train a run, and return its evaluations."""
    from ddpg.run.start import start_run

    start_run(config, run_dir, run_dir.parent / "plots").train(show_progress=False)
    logged = read_columns(run_dir / "evaluations.csv")
    return [key | {"steps": int(s), "mean": float(m)} for s, m in zip(logged["steps"], logged["mean"], strict=True)]


if __name__ == "__main__":
    main()
