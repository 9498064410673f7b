"""What a policy learns from another controller's log, before and after it acts itself: Pendulum-v1 and the heater.

    python -m benchmarks.experience.logged_data    # half an hour on one core

20,000 transitions of three controllers are logged: a hand-written one swings Pendulum up with 40 % of the torque and
some excitation, another one is an expert that hardly ever errs, and the PI controller of docs/plant.md holds its
heater. With five seeds, runs make 10,000 updates on a log and then 3,000 steps of their own, with imitation that falls
to a tenth or to nothing. Others learn from a log alone with other weights of imitation, and others from nothing.
Policies from a log are compared with its controller over the same 50 starts.

It writes results/logged_data: every evaluation, a row for each policy from data, and a picture. Runs lie in
`--runs`; those that are finished are not repeated, and one that was stopped goes on.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv
from benchmarks.common.pictures import draw_starts
from benchmarks.common.runs import add_runs_flags, evaluations_of, train_in
from ddpg.command.tensorflow import import_tensorflow
from ddpg.config import IMITATION, Config
from ddpg.seeding import integer_seed
from ddpg.storage.csv_files import read_columns

UPDATES, SEEDS = 10_000, 5
TEST_EPISODES, TEST_SEED, LOG_SEED = 50, 10_000, 50_000
PENDULUM = Config(
    steps=3_000, hidden_units=(64, 64), actor_learning_rate=1e-3, train_frequency=10, gradient_steps=10,
    buffer_size=100_000, evaluate_every=400, evaluation_episodes=20, checkpoint_every=3_000, threads=1,
)  # fmt: skip
HEATER = replace(PENDULUM, env="heater:Heater-v0", gamma=0.95)
FROM_NOTHING = 6_000  # steps
DECAY = 3_300  # steps over which imitation fades: a tenth of it is left at the end
FIRST = "step-000000000"  # the checkpoint after the updates on data


class SwingUp:
    """Pumps energy into the pendulum until it is nearly upright, and then holds it there.

    Args:
        torque: The most that it applies, of 2 Nm.
        excitation: Deviation of the noise on its torque, in Nm.
    """

    def __init__(self, torque: float, excitation: float) -> None:
        self.torque, self.excitation, self.rng = torque, excitation, np.random.default_rng(0)

    def __call__(self, state: np.ndarray) -> np.ndarray:
        """Return the torque, `(1,)`, for cos θ, sin θ and the speed."""
        cosine, sine, speed = (float(number) for number in state)
        angle, energy = np.arctan2(sine, cosine), speed**2 / 6 + 5 * (cosine - 1)
        upright = abs(angle) < 0.5 and abs(speed) < 3
        torque = -10 * angle - 3 * speed if upright else 2 * np.sign(-energy * speed)
        torque = np.clip(torque, -self.torque, self.torque) + self.excitation * self.rng.normal()
        return np.clip([torque], -2, 2).astype(np.float32)


class Log(NamedTuple):
    """What acted in a log: a function that returns it, and the settings of runs that learn from it."""

    controller: Callable[[], Callable]
    config: Config
    episodes: int  # with 20,000 transitions


def heaters_pi() -> Callable:
    """Return the class of the heater's PI controller."""
    import pi

    return pi.PI


LOGS = {
    "mediocre controller": Log(lambda: SwingUp(0.8, 0.8), PENDULUM, 100),
    "PI controller": Log(heaters_pi, HEATER, 200),
    "nearly deterministic expert": Log(lambda: SwingUp(2.0, 0.04), PENDULUM, 100),
}


LEARNED, FADING, NOTHING, ALONE = "from the log", "from the log, imitation fades", "from nothing", "the log alone"
STUDIES = [  # log, start, weight of imitation
    ("mediocre controller", LEARNED, IMITATION),
    ("PI controller", LEARNED, IMITATION),
    ("mediocre controller", FADING, 0.4),
    ("PI controller", FADING, 0.4),
    ("mediocre controller", NOTHING, 0.0),
    ("PI controller", NOTHING, 0.0),
    ("nearly deterministic expert", ALONE, IMITATION),
    ("nearly deterministic expert", ALONE, 0.4),
    ("nearly deterministic expert", ALONE, 0.0),
    ("mediocre controller", ALONE, 2.5),
    ("mediocre controller", ALONE, 0.0),
    ("PI controller", ALONE, 2.5),
    ("PI controller", ALONE, 0.0),
]


def main() -> None:
    """Log the controllers, train, test and write the tables."""
    parser = parser_for(__doc__)
    add_output_flag(parser)
    add_runs_flags(parser, "logged_data", SEEDS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "examples" / "plant"))
    import_tensorflow()
    out, runs = arguments.out / "logged_data", arguments.runs.absolute()
    logs = {name: write_log(runs / f"{name}.npz", log) for name, log in LOGS.items()}
    curves: list[dict[str, Any]] = []
    tests: list[dict[str, Any]] = []
    for name, start, imitation in STUDIES:
        for seed in range(1, arguments.seeds + 1):
            config = settings_of(start, replace(LOGS[name].config, seed=seed), logs[name], imitation)
            run_dir = runs / f"{name} {start} {imitation} {seed}".replace(",", "").replace(" ", "-")
            train_in(run_dir, config)
            key = {"task": config.env.rpartition(":")[2], "start": start, "seed": seed}
            if start != ALONE:
                controller = {"controller": round(at_starts_of(config, LOGS[name].controller()).mean, 2)}
                curves += [key | controller | point for point in evaluations_of(run_dir)]
                write_csv(out / "curves.csv", curves)
            if start != NOTHING:
                tests.append({"log": name} | key | {"imitation": imitation} | tested(run_dir, config, name))
                write_csv(out / "table.csv", tests)
            print(tests[-1] if start != NOTHING else curves[-1], flush=True)
    draw_starts(out / "curves.csv", out / "picture.png")


def settings_of(start: str, config: Config, log: Path, imitation: float) -> Config:
    """Return the settings of a run that has this start."""
    if start == NOTHING:
        return replace(config, steps=FROM_NOTHING)
    config = replace(config, data={str(log): ""}, data_updates=UPDATES, imitation=imitation)
    if start == ALONE:
        return replace(config, steps=0)
    return replace(config, imitation_decay_steps=config.steps if start == FADING else DECAY)


def write_log(path: Path, log: Log) -> Path:
    """Log a controller with D4RL's names, unless that was done, and return the file."""
    from ddpg import evaluate, make_environment
    from ddpg.policy.record import Recorder

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        recorder = Recorder(make_environment(log.config))
        evaluate(log.controller(), recorder, log.episodes, LOG_SEED)
        np.savez(path, allow_pickle=False, **recorder.arrays())
    return path


@cache
def test_of_controller(name: str) -> Any:
    """Return the evaluation of a log's controller over the starts of the test."""
    return test(LOGS[name].controller(), LOGS[name].config)


def test(policy: Any, config: Config) -> Any:
    """Return the evaluation of a policy over the starts of the test."""
    from ddpg import evaluate, make_environment

    return evaluate(policy, make_environment(config), TEST_EPISODES, TEST_SEED)


def at_starts_of(config: Config, policy: Any) -> Any:
    """Return the evaluation of a policy over the starts of a run's own evaluations."""
    from ddpg import evaluate, make_environment

    seed = integer_seed(config.seed, "evaluation")
    return evaluate(policy, make_environment(config), config.evaluation_episodes, seed)


def tested(run_dir: Path, config: Config, name: str) -> dict[str, Any]:
    """Return how the policies of a run do over the same starts as the controller: untrained, from the log, at its end.

    `shortfall` is how far the policy from the log is below the controller, as a share of the way from the untrained
    policy to the controller.
    """
    from ddpg import DDPG, make_environment, state_and_action_size
    from ddpg.run.agent_state import load_for_acting
    from ddpg.storage.checkpoints import find_checkpoint

    policies = [
        DDPG(*state_and_action_size(make_environment(config)), config),
        load_for_acting(run_dir / "checkpoints" / FIRST),
    ]
    if config.steps:
        policies.append(load_for_acting(find_checkpoint(run_dir)))
    theirs = test_of_controller(name)
    untrained, *ours = (test(policy, config) for policy in policies)
    row = {"controller": theirs.mean, "untrained": untrained.mean, "policy": ours[0].mean}
    for name, later in zip(("", "final_"), ours, strict=False):
        difference = later.minus(theirs)
        row |= {f"{name}difference": difference.mean, f"{name}half_width": difference.half_width}
    row = {"final_difference": "", "final_half_width": ""} | row
    row["shortfall"] = max(0.0, (theirs.mean - ours[0].mean) / (theirs.mean - untrained.mean))
    updates = read_columns(run_dir / "updates.csv")
    row["q_value"] = updates["q_value"][updates["updates"] == UPDATES][0]
    return {name: value if value == "" else round(float(value), 3) for name, value in row.items()}


if __name__ == "__main__":
    main()
