"""Several simulators: environment steps per second against one simulator, the updates alone, and Stable-Baselines3.

    python -m benchmarks.speed.simulators    # about half an hour on two cores

The slow simulators sleep, so two cores are enough for sixteen. The loops of a case take turns, and what counts is the
median of the ratios within a round. Stable-Baselines3 needs `pip install -r requirements-benchmark.txt`. It writes
results/simulators: `table.csv` has the cases, `curve.csv` and the picture the steps per second against N.
"""

from contextlib import ExitStack, closing
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.slow_task import SLOW_TASK
from benchmarks.common.speed_pictures import draw_simulators
from benchmarks.common.workers import Worker


class Case(NamedTuple):
    """What is compared: a task, the milliseconds of a step, the simulators, the steps for each update, the loops."""

    task: str
    milliseconds: float
    simulators: int
    train_frequency: int
    loops: tuple[str, ...]


ALL = ("one", "several", "updates", "sb3")
CASES = (
    Case(SLOW_TASK, 20, 8, 8, ALL),
    Case(SLOW_TASK, 20, 16, 8, ALL),
    Case(SLOW_TASK, 20, 8, 1, ALL),
    Case(SLOW_TASK, 3, 1, 1, ("one", "several")),
    Case("Pendulum-v1", 0, 1, 1, ("one", "several")),
    Case("Humanoid-v5", 0, 1, 1, ("one", "several")),
)
CURVE = tuple(
    Case(SLOW_TASK, milliseconds, simulators, train_frequency, ("several" if simulators else "one",))
    for milliseconds in (2, 10, 50)
    for train_frequency in (1, 8)
    for simulators in (0, 1, 2, 4, 8, 16)
)


def measure(case: Case, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Time the loops of a case in turn; return a row for each turn."""
    rows = []
    with ExitStack() as stack:
        module = "benchmarks.speed.simulator_loops"
        arguments = [case.task, case.milliseconds, case.simulators, case.train_frequency]
        workers = {loop: stack.enter_context(closing(Worker(loop, *arguments, module=module))) for loop in case.loops}
        for worker in workers.values():  # past the random actions at the beginning and the compilation
            worker.steps_per_second(1.2 * 400 / 8 * case.milliseconds / 1e3 + 10)
        for number in range(rounds):
            for loop, worker in workers.items():
                speed = worker.steps_per_second(seconds)
                setting = {name: getattr(case, name) for name in Case._fields[:-1]}
                rows.append(setting | {"loop": loop, "round": number, "steps_per_second": round(speed, 2)})
    return rows


def report(rows: list[dict[str, Any]]) -> None:
    """Print the medians of a case, and the medians of the ratios within a round."""
    first = rows[0]
    print(f"\n{first['task']}, {first['milliseconds']} ms, N = {first['simulators']}, every {first['train_frequency']}")
    speeds: dict[str, list[float]] = {}
    for row in rows:
        speeds.setdefault(row["loop"], []).append(row["steps_per_second"])
    for loop, values in speeds.items():
        ratio = f"   several is {np.median(np.divide(speeds['several'], values)):5.2f} times as fast"
        print(f"  {loop:8} {np.median(values):8.1f} steps/s{ratio if loop != 'several' else ''}", flush=True)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each loop (default: 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a turn (default: 3)")
    parser.add_argument("--cases", type=int, nargs="*", default=list(range(len(CASES))), help="which cases")
    parser.add_argument("--curve", action="store_true", help="measure the curve alone")
    add_output_flag(parser)
    arguments = parser.parse_args()
    study = arguments.out / "simulators"
    rows: list[dict[str, Any]] = []
    for case in [] if arguments.curve else [CASES[k] for k in arguments.cases]:
        measured = measure(case, arguments.rounds, arguments.seconds)
        report(measured)
        rows += measured
        write_csv(study / "table.csv", rows)  # each time, so that an interrupted benchmark keeps what it measured
    curve: list[dict[str, Any]] = []
    for case in CURVE if arguments.curve or not rows or len(arguments.cases) == len(CASES) else ():
        curve += measure(case, 2, arguments.seconds)
        write_csv(study / "curve.csv", curve)
    if curve:
        draw_simulators(study / "curve.csv", study / "picture.png")


if __name__ == "__main__":
    main()
