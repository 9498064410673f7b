"""Many runs: `python -m ddpg.sweep train --env Pendulum-v1 --seeds 10`."""

import argparse
import dataclasses
import hashlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ddpg.command.command import command_words, program_name, run_command
from ddpg.command.paths import shown
from ddpg.command.streams import ByProducts, note
from ddpg.config import Config
from ddpg.errors import RequestError, RunStopped
from ddpg.molgan.config import MolGANConfig
from ddpg.sweep.comparing import compare, print_comparison
from ddpg.sweep.flags import (
    COMMAND,
    base_configs,
    cores_of,
    folder_of,
    only_base,
    parse,
    settings_given,
    split,
)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""

    def run() -> int:
        arguments = parse(argv)
        arguments.words = sys.argv[1:] if argv is None else argv  # to say how a stopped sweep can be continued
        return {"train": train, "molgan": molgan, "compare": compare, "tune": tune}[arguments.command](arguments)

    return run_command(COMMAND, run)


def train(arguments: argparse.Namespace) -> int:
    """Train DDPG as the arguments say, and print the comparison."""
    from ddpg.sweep.grid import combinations, parse_vary, seeded
    from ddpg.sweep.jobs import TrainingJob
    from ddpg.task.environments import most_steps, notes_on

    given = settings_given(arguments, Config)
    envs = given.pop("env", None)
    bases = base_configs(arguments)
    default_env = next(iter(bases.values())).env
    choices = {"env": split(envs or default_env), "preset": list(bases)} | parse_vary(arguments.vary, Config)

    def make_config(chosen: dict[str, Any]) -> Config:
        settings = {**given, **chosen}
        base = bases[settings.pop("preset")]
        if "episodes" in settings:
            base = dataclasses.replace(base, steps=None)
        return dataclasses.replace(base, **settings)

    sweep_dir = folder_of(arguments)
    jobs = [
        TrainingJob(folder, config, arguments.test_episodes)
        for name, first in combinations(choices, make_config)
        for folder, config in seeded(sweep_dir / name, first, arguments.seeds)
    ]
    for each in dict.fromkeys(each for job in jobs for each in notes_on(job.config, most_steps(job.config))):
        note(f"{program_name(COMMAND)}: note: {each}")
    return carry_out(arguments, sweep_dir, jobs, {"test_episodes": arguments.test_episodes}, "step")


def molgan(arguments: argparse.Namespace) -> int:
    """Train MolGAN as the arguments say, and print the comparison."""
    from ddpg.molgan.config import with_schedule
    from ddpg.molgan.measure import require_rdkit
    from ddpg.sweep.grid import combinations, parse_vary, seeded
    from ddpg.sweep.jobs import MolGANJob

    require_rdkit()
    given = settings_given(arguments, MolGANConfig)
    choices = parse_vary(arguments.vary, MolGANConfig)
    data, extra = None, {"test_samples": arguments.test_samples, "data": None}
    if arguments.data:
        try:
            data = arguments.data.resolve(strict=True)
            extra["data"] = hashlib.sha256(data.read_bytes()).hexdigest()
        except OSError as error:
            raise RequestError(f"cannot read {arguments.data} ({error.strerror})", "data") from None
    sweep_dir = folder_of(arguments)
    jobs = [
        MolGANJob(folder, config, data, arguments.test_samples)
        for name, first in combinations(choices, lambda chosen: MolGANConfig(**with_schedule(given | chosen)))
        for folder, config in seeded(sweep_dir / name, first, arguments.seeds)
    ]
    return carry_out(arguments, sweep_dir, jobs, extra, "update")


def carry_out(
    arguments: argparse.Namespace, sweep_dir: Path, jobs: Sequence[Any], extra: dict[str, Any], unit: str
) -> int:
    """Run a sweep, print the comparison and the failures, and return the exit code."""
    from ddpg.compare.curves import read_curves
    from ddpg.sweep.jobs import is_finished
    from ddpg.sweep.sweep import open_sweep, run_all

    folders = [job.folder for job in jobs]
    if twice := [folder for folder in folders if folders.count(folder) > 1][:1]:
        raise RequestError(f"two runs would share the folder {twice[0].relative_to(sweep_dir)}; use two sweeps", "env")
    if long := [name for folder in folders for name in folder.parts if len(name.encode()) > 200][:1]:
        raise RequestError(f"the folder {long[0][:60]}... would have too long a name; vary less at a time", "vary")
    with open_sweep(sweep_dir, jobs, extra, cores_of(arguments), arguments.address) as workers:
        outcome = run_all(jobs, workers, arguments.progress, unit)
    if outcome.signal_number:
        return stopped(arguments, sweep_dir, outcome.signal_number)
    shown_dir = shown(sweep_dir, arguments.start)
    finished = [job.folder for job in jobs if is_finished(job)]
    if finished:
        picture = sweep_dir / "comparison.png"
        print_comparison(read_curves(finished), picture)
        print(f"picture     {shown_dir / picture.name}")
    print(f"sweep       {shown_dir}, {len(finished)} of {len(jobs)} runs finished")
    for folder, reason in outcome.failures.items():
        print(f"failed      {shown_dir / folder.relative_to(sweep_dir)}: {reason}")
    return 0 if len(finished) == len(jobs) else 1


def stopped(arguments: argparse.Namespace, sweep_dir: Path, signal_number: int) -> int:
    """Say how a stopped sweep can be continued, and return the exit code."""
    folder = [] if arguments.sweep_dir else ["--sweep-dir", str(shown(sweep_dir, arguments.start))]
    again = shlex.join([*command_words(COMMAND, arguments.start), *arguments.words, *folder])
    note(f"{program_name(COMMAND)}: stopped; continue with: {again}")
    return 128 + signal_number


def tune(arguments: argparse.Namespace) -> int:
    """Search for good settings as the arguments say, train the best with new seeds, and print both figures."""
    from ddpg.compare.compare import aligned
    from ddpg.sweep.grid import seeded
    from ddpg.sweep.jobs import TrainingJob
    from ddpg.sweep.search import DEFAULT_SEARCH, check_space, parse_search
    from ddpg.sweep.sweep import open_sweep, run_all
    from ddpg.sweep.tune import STAGES, Tuning

    space = parse_search(arguments.search or DEFAULT_SEARCH)
    base = only_base(arguments)
    given = settings_given(arguments, Config)
    steps = given.get("steps", base.steps)
    if not steps or steps < STAGES[-1]:
        raise RequestError(f"give the steps of a whole trial, {STAGES[-1]} or more", "steps")
    base = dataclasses.replace(base, **({"evaluate_every": max(1, steps // STAGES[-1])} | given))
    check_space(space, base)
    sweep_dir = folder_of(arguments)
    tuning = Tuning(sweep_dir, base, space, arguments.trials, arguments.pruning)

    def fresh(folder: str, config: Config) -> list[TrainingJob]:
        # The best figure of a search is too good: it is the highest of many with one seed. So other seeds follow.
        other = dataclasses.replace(config, seed=base.seed + 1)
        runs = seeded(sweep_dir / folder, other, arguments.confirm_seeds)
        return [TrainingJob(*run, arguments.test_episodes) for run in runs]

    reference = fresh("fresh-start", base)
    with open_sweep(sweep_dir, reference, tuning.record, cores_of(arguments), arguments.address, True) as workers:
        tuning.open_study()
        if number := tuning.search(workers, arguments.progress):
            return stopped(arguments, sweep_dir, number)
        print("\n".join(aligned(tuning.table())))
        found = tuning.best_config()
        again = fresh("fresh-found", found) if found != base else []
        outcome = run_all([*reference, *again], workers, arguments.progress)
    if outcome.signal_number:
        return stopped(arguments, sweep_dir, outcome.signal_number)
    for folder, reason in outcome.failures.items():
        raise RunStopped(f"{shown(sweep_dir, arguments.start) / folder.relative_to(sweep_dir)}: {reason}")
    report_tuning(tuning, base, found if again else None, shown(sweep_dir, arguments.start), arguments.start)
    return 0


def report_tuning(tuning: Any, base: Config, found: Config | None, sweep_dir: Path, start: Path) -> None:
    """Print what tuning found, by the search and by new seeds, draw it, and write `best.json`.

    Args:
        tuning: The search.
        base: The settings that it began with.
        found: The best settings, or None if those are the first ones.
        sweep_dir: Its folder as a user would write it.
    """
    from ddpg.compare.curves import read_curves
    from ddpg.sweep.plotting import draw_study

    folders = [tuning.sweep_dir / name for name in ("fresh-start", *(["fresh-found"] if found else []))]
    print("\ntrained again with new seeds:")
    comparison = print_comparison(read_curves(folders), tuning.sweep_dir / "comparison.png")
    # The tests are over many more episodes than an evaluation, and over the same starts for both.
    tests = [summary.as_json()["test"] for summary in comparison.summaries]
    is_better = found is not None and tests[1]["iqm"] > tests[0]["iqm"]
    best = tuning.complete()[0]
    figures = {"search": best.value, "fresh_seeds": tests[1 if is_better else 0]}
    path = sweep_dir / tuning.write_best(found if found and is_better else base, figures).name
    drawn = []
    with ByProducts()("Optuna's pictures"):
        drawn = [path.name for path in draw_study(tuning.study, tuning.sweep_dir)]
    print(f"\nsearch      {best.value:.1f} in {best.user_attrs['folder']}, chosen among runs of one seed")
    verdict = "the settings found are better" if is_better else "no settings found are better than the first ones"
    print(f"new seeds   {figures['fresh_seeds']['iqm']:.1f} in the test: {verdict}")
    print(f"training    {tuning.trained_share():.0%} of the steps of {tuning.trials} whole trials")
    print(f"pictures    {', '.join(str(sweep_dir / name) for name in (*drawn, 'comparison.png'))}")
    words = [*command_words("ddpg-train", start), "--config", str(path)]
    print(f"next        {shlex.join(words)}")


if __name__ == "__main__":
    sys.exit(main())
