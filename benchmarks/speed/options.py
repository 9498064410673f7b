"""What options cost: a step of agents that have one of them each, in turn with the agent that has none.

    python -m benchmarks.speed.options    # about two minutes on two cores

A step acts, remembers and updates, without an environment, with HalfCheetah's 17 + 6 numbers and minibatches of 64. It
writes results/options/table.csv.
"""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.steps import agent_with, in_turn, step_of
from ddpg.command.tensorflow import import_tensorflow

OPTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "--normalize-observations": {"normalize_observations": True},
    "--evaluation-tau 2e-5": {"evaluation_tau": 2e-5},
    "--noise ou": {"noise": "ou"},
    "--critic-weight-decay 0.01": {"critic_weight_decay": 0.01},
    "--batch-normalization": {"batch_normalization": True},
}
STEPS = 50  # in one call


def measure(rounds: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the milliseconds of a step, a row per number of updates, round and option."""
    from ddpg.command.tensorflow import paused_garbage_collector

    for updates in (1, 50):
        rhythm = {"train_frequency": updates, "gradient_steps": updates}
        calls = {option: steps_of(**rhythm, **settings) for option, settings in OPTIONS.items()}
        with paused_garbage_collector():
            for option, number, milliseconds in in_turn(calls, rounds, seconds):
                setting = {"updates": updates, "option": option, "round": number}
                yield setting | {"milliseconds": round(milliseconds / STEPS, 5)}


def steps_of(**settings: Any) -> Callable[[], None]:
    """Return a call that makes `STEPS` steps of an agent with these settings."""
    step = step_of(agent_with(**settings))

    def steps() -> None:
        for _ in range(STEPS):
            step()

    return steps


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=150, help="turns of each option (default: 150)")
    parser.add_argument("--seconds", type=float, default=0.05, help="of a turn at least (default: 0.05)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    import_tensorflow()
    rows = list(measure(arguments.rounds, arguments.seconds))
    write_csv(arguments.out / "options" / "table.csv", rows)


if __name__ == "__main__":
    main()
