"""The command line of `python -m ddpg.sweep`."""

import argparse
from pathlib import Path

from ddpg.config import GROUPS, PRESETS, Config
from ddpg.molgan.config import GROUPS as MOLGAN_GROUPS
from ddpg.molgan.config import MolGANConfig
from ddpg.run.command_line import Parser, add_setting_flags, integer_from, program_name
from ddpg.sweep.search import DEFAULT_SEARCH

COMMAND = "ddpg-sweep"
DESCRIPTION = "Many runs: several seeds and settings, on one machine or on a Ray cluster."


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(
        prog=program_name(COMMAND),
        description="Many runs: several seeds and settings, on one machine or on a Ray cluster.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="train|molgan|compare|tune")

    train = commands.add_parser("train", help="train DDPG with several seeds and settings", allow_abbrev=False)
    add_source_flags(train)
    add_seeds_flags(train)
    add_sweep_flags(train)
    train.add_argument(
        "--test-episodes",
        type=integer_from(0),
        default=100,
        metavar="N",
        help="noise-free episodes to test each final policy over, from starts not used in training (default: 100)",
    )
    add_setting_flags(train, Config, GROUPS, exclusive=("episodes", "steps"))

    molgan = commands.add_parser("molgan", help="train MolGAN with several seeds and settings", allow_abbrev=False)
    molgan.add_argument("--data", type=Path, metavar="FILE", help="molecules (default: 5,000 random ones)")
    add_seeds_flags(molgan)
    add_sweep_flags(molgan)
    molgan.add_argument(
        "--test-samples",
        type=integer_from(0),
        default=6_400,
        metavar="N",
        help="graphs to test each generator with (default: 6400)",
    )
    add_setting_flags(molgan, MolGANConfig, MOLGAN_GROUPS)

    compare = commands.add_parser("compare", help="compare runs: a table and a picture", allow_abbrev=False)
    compare.add_argument(
        "paths", nargs="+", type=Path, metavar="DIR", help="sweeps, run folders, or CSV files of curves"
    )
    compare.add_argument("--out", type=Path, metavar="FILE.png", help="draw the learning curves")
    compare.add_argument("--curves", type=Path, metavar="FILE.csv", help="write every point of every curve")
    compare.add_argument(
        "--last",
        type=integer_from(1),
        metavar="N",
        help="evaluations that make the final return (default: a tenth of the run's)",
    )
    printed = compare.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    printed.add_argument("--csv", action="store_true", help="print CSV and nothing else")
    add_tune_flags(commands.add_parser("tune", help="search for good settings", allow_abbrev=False))
    return parser.parse_args(argv)


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
    add_sweep_flags(tune)
    add_setting_flags(tune, Config, GROUPS, exclusive=("episodes", "steps"))


def add_source_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where settings come from."""
    sources = parser.add_argument_group("where the settings come from; flags beside these win")
    either = sources.add_mutually_exclusive_group()
    either.add_argument("--preset", metavar="A,B", help=f"one or more of {', '.join(PRESETS)} (default: blog)")
    either.add_argument("--config", type=Path, metavar="FILE", help="the config.json of a run")


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
        type=Path,
        metavar="DIR",
        help="new folder, or that of a sweep to continue (default: sweeps/TIME)",
    )
    group.add_argument(
        "--jobs", type=integer_from(1), metavar="N", help="cores to use, one per run (default: all of them)"
    )
    group.add_argument("--address", metavar="auto|HOST:PORT", help="a running Ray cluster (default: this machine)")
    group.add_argument(
        "--progress", action=argparse.BooleanOptionalAction, default=True, help="show a line of progress (default: yes)"
    )
