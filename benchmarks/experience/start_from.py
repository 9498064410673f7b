"""A start from another run: Pendulum-v1 with a gravity of 10, and then of 12.

    python -m benchmarks.experience.start_from    # ten minutes on one core

Five runs on Pendulum-v1 are the sources. On Pendulum-v1 with g = 12, five runs start from their networks, five from
their networks and their transitions, and five from nothing. It writes results/start_from: every evaluation, the steps
until an evaluation returned -200, and a picture. Runs lie in `--runs`; those that are finished are not repeated, and
one that was stopped goes on.
"""

from dataclasses import replace
from typing import Any

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.pictures import draw_starts
from benchmarks.common.runs import add_runs_flags, evaluations_of, first_reaching, train_in
from ddpg.command.tensorflow import import_tensorflow
from ddpg.config import Config

SEEDS, LEVEL = 5, -200.0
SOURCE = Config(
    steps=8_000, hidden_units=(64, 64), actor_learning_rate=1e-3, train_frequency=10, gradient_steps=10,
    buffer_size=100_000, evaluate_every=2_000, evaluation_episodes=20, checkpoint_every=8_000, threads=1,
)  # fmt: skip
CHANGED = replace(SOURCE, env_kwargs={"g": 12.0}, evaluate_every=400, steps=6_000)
STARTS = ("from nothing", "from networks", "from networks and transitions")


def main() -> None:
    """Train all runs and write their evaluations."""
    parser = parser_for(__doc__)
    add_output_flag(parser)
    add_runs_flags(parser, "start_from", SEEDS)
    arguments = parser.parse_args()
    import_tensorflow()
    out, runs = arguments.out / "start_from", arguments.runs.absolute()
    curves: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for seed in range(1, arguments.seeds + 1):
        source = runs / f"source-{seed}"
        train_in(source, replace(SOURCE, seed=seed))
        for start in STARTS:
            config = replace(CHANGED, seed=seed)
            if start != "from nothing":
                config = replace(config, steps=2_000, start_from={str(source): ""})
                config = replace(config, start_from_data="transitions" in start)
            run_dir = runs / f"{start.replace(' ', '-')}-{seed}"
            train_in(run_dir, config)
            curve = evaluations_of(run_dir)
            key = {"task": "Pendulum, g = 12", "start": start, "seed": seed}
            curves += [key | point for point in curve]
            first = {"first": curve[0]["mean"], "last": curve[-1]["mean"], "worst": min(p["mean"] for p in curve)}
            rows.append(key | {"steps_to_level": first_reaching(LEVEL, curve)} | first)
            write_csv(out / "curves.csv", curves)
            write_csv(out / "table.csv", rows)
            print(rows[-1], flush=True)
    draw_starts(out / "curves.csv", out / "picture.png")


if __name__ == "__main__":
    main()
