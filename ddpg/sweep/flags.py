"""The flags of `python -m ddpg.sweep`, and what they mean."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from ddpg.command.command import Parser, program_name
from ddpg.command.flags import add_setting_flags, given_settings, integer_from, read_settings
from ddpg.command.paths import absolute
from ddpg.command.presets import PRESETS
from ddpg.config import Config
from ddpg.errors import RequestError
from ddpg.molgan.config import MolGANConfig
from ddpg.sweep.search import DEFAULT_SEARCH

COMMAND = "ddpg-sweep"
DESCRIPTION = "Many runs: several seeds and settings, on one machine or on a Ray cluster."


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(
        prog=program_name(COMMAND),
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="train|molgan|compare|tune")

    for name, add_flags, what in (
        ("train", add_train_flags, "train DDPG with several seeds and settings"),
        ("molgan", add_molgan_flags, "train MolGAN with several seeds and settings"),
        ("compare", add_compare_flags, "compare runs: a table and a picture"),
        ("tune", add_tune_flags, "search for good settings"),
    ):
        add_flags(commands.add_parser(name, help=what, allow_abbrev=False))
    return parser.parse_args(argv)


def add_train_flags(train: argparse.ArgumentParser) -> None:
    """Add the flags of `train`."""
    add_source_flags(train)
    add_seeds_flags(train)
    add_sweep_flags(train)
    tested = "noise-free episodes to test each final policy over, from starts not used in training (default: 100)"
    train.add_argument("--test-episodes", type=integer_from(0), default=100, metavar="N", help=tested)
    add_setting_flags(train, Config, exclusive=("episodes", "steps"))


def add_molgan_flags(molgan: argparse.ArgumentParser) -> None:
    """Add the flags of `molgan`."""
    molgan.add_argument("--data", type=absolute, metavar="FILE", help="molecules (default: 5,000 random ones)")
    add_seeds_flags(molgan)
    add_sweep_flags(molgan)
    tested = "graphs to test each generator with (default: 6400)"
    molgan.add_argument("--test-samples", type=integer_from(0), default=6_400, metavar="N", help=tested)
    add_setting_flags(molgan, MolGANConfig)


def add_compare_flags(compare: argparse.ArgumentParser) -> None:
    """Add the flags of `compare`."""
    compare.add_argument(
        "paths", nargs="+", type=absolute, metavar="DIR", help="sweeps, run folders, or CSV files of curves"
    )
    compare.add_argument("--out", type=absolute, metavar="FILE.png", help="draw the learning curves")
    compare.add_argument("--curves", type=absolute, metavar="FILE.csv", help="write every point of every curve")
    compare.add_argument(
        "--last",
        type=integer_from(1),
        metavar="N",
        help="evaluations that make the final return (default: a tenth of the run's)",
    )
    printed = compare.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    printed.add_argument("--csv", action="store_true", help="print CSV and nothing else")


def add_tune_flags(tune: argparse.ArgumentParser) -> None:
    """Add the flags of `tune`."""
    add_source_flags(tune)
    group = tune.add_argument_group("the search")
    group.add_argument("--trials", type=integer_from(1), default=40, metavar="N", help="settings to try (default: 40)")
    group.add_argument(
        "--search",
        action="append",
        default=[],
        metavar="NAME=LOW..HIGH[:log]|NAME=A,B",
        help=f"a setting to search; may be given several times (default: {', '.join(DEFAULT_SEARCH)})",
    )
    group.add_argument(
        "--pruning",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="stop bad trials after 1/9 or 1/3 of their steps (default: yes)",
    )
    group.add_argument(
        "--confirm-seeds",
        type=integer_from(1),
        default=5,
        metavar="N",
        help="new seeds to train the best settings with, beside the ones that the search began with (default: 5)",
    )
    tested = "noise-free episodes to test each of these over (default: 100)"
    group.add_argument("--test-episodes", type=integer_from(1), default=100, metavar="N", help=tested)
    add_sweep_flags(tune)
    add_setting_flags(tune, Config, exclusive=("episodes", "steps"))


def add_source_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where settings come from."""
    sources = parser.add_argument_group("where the settings come from; flags beside these win")
    either = sources.add_mutually_exclusive_group()
    either.add_argument("--preset", metavar="A,B", help=f"one or more of {', '.join(PRESETS)} (default: blog)")
    either.add_argument("--config", type=absolute, metavar="FILE", help="the config.json of a run")


def add_seeds_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say what a sweep is made of."""
    group = parser.add_argument_group("the runs")
    group.add_argument(
        "--seeds", type=integer_from(1), default=1, metavar="N", help="how many seeds, from --seed on (default: 1)"
    )
    group.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="NAME=V1,V2",
        help="values of a setting; given several times, all combinations are trained",
    )


def add_sweep_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a sweep's folder and machines."""
    group = parser.add_argument_group("the sweep")
    group.add_argument(
        "--sweep-dir",
        type=absolute,
        metavar="DIR",
        help="new folder, or that of a sweep to continue (default: sweeps/TIME)",
    )
    group.add_argument(
        "--jobs",
        type=integer_from(1),
        metavar="N",
        help="cores to use, one per run and simulator (default: all of them)",
    )
    group.add_argument("--address", metavar="auto|HOST:PORT", help="a running Ray cluster (default: this machine)")
    group.add_argument(
        "--progress", action=argparse.BooleanOptionalAction, default=True, help="show a line of progress (default: yes)"
    )


def base_configs(arguments: argparse.Namespace) -> dict[str, Config]:
    """Return the settings that the flags change, by the preset's name or that of the file."""
    if arguments.config:
        return {arguments.config.stem: read_settings(arguments.config, Config)}
    names = split(arguments.preset or "blog")
    for name in names:
        if name not in PRESETS:
            raise RequestError(f"{name!r} is not one of {', '.join(PRESETS)}", "preset")
    return {name: PRESETS[name] for name in names}


def only_base(arguments: argparse.Namespace) -> Config:
    """Return the settings to start from; refuse more than one preset or task."""
    bases = base_configs(arguments)
    for name, count in (("preset", len(bases)), ("env", len(split(getattr(arguments, "env", ""))))):
        if count > 1:
            raise RequestError("tune takes one at a time", name)
    return next(iter(bases.values()))


def settings_given(arguments: argparse.Namespace, settings: type) -> dict[str, Any]:
    """Return the settings that were given as flags, and the threads of a run: one, unless they were given."""
    return {"threads": 1} | given_settings(arguments, settings)


def split(text: str) -> list[str]:
    """Return the different parts of a text with commas."""
    return list(dict.fromkeys(part.strip() for part in text.split(",")))


def folder_of(arguments: argparse.Namespace) -> Path:
    """Return the sweep's folder as an absolute path: workers may run elsewhere."""
    return arguments.sweep_dir or absolute("sweeps") / time.strftime("%Y%m%d-%H%M%S")


def cores_of(arguments: argparse.Namespace) -> int:
    """Return how many cores a sweep may use; on a cluster, by default all that it has."""
    return arguments.jobs or (sys.maxsize if arguments.address else os.cpu_count() or 1)
