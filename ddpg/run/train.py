"""Train DDPG on a Gymnasium task: `python train.py --env Pendulum-v1`."""

import argparse
import dataclasses
import sys
import time
from contextlib import ExitStack
from typing import Any

from ddpg.command.command import Parser, program_name, run_command, run_to_end
from ddpg.command.flags import add_run_flags, add_setting_flags, given_settings, read_settings, refuse_beside_resume
from ddpg.command.paths import absolute
from ddpg.command.presets import PRESETS
from ddpg.command.ray import joined_ray
from ddpg.command.streams import note
from ddpg.command.tensorflow import import_tensorflow
from ddpg.config import Config
from ddpg.settings.setting import text_of

COMMAND = "ddpg-train"


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(
        prog=program_name(COMMAND),
        description=__doc__,
        epilog=preset_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    start = parser.add_argument_group("where the settings come from; flags beside these win")
    sources = start.add_mutually_exclusive_group()
    sources.add_argument("--preset", choices=PRESETS, help="named settings, listed below (default: blog)")
    sources.add_argument("--config", type=absolute, metavar="FILE", help="the config.json of a run, to repeat it")
    add_run_flags(parser, "runs/ENV/TIME-seedS")
    where = "a running Ray cluster for the simulators of --num-envs (default: this machine)"
    parser.add_argument("--address", metavar="auto|HOST:PORT", help=where)
    add_setting_flags(parser, Config, exclusive=("episodes", "steps"))
    return parser.parse_args(argv)


def preset_help() -> str:
    """Return what each preset changes, as flags."""
    lines = ["presets:", "  blog     the second post's settings, the defaults above"]
    defaults = vars(Config())
    for name, preset in PRESETS.items():
        changes = {key: value for key, value in vars(preset).items() if value != defaults[key]}
        if changes:
            lines.append(f"  {name:8} {' '.join(flag_of(key, value) for key, value in changes.items())}")
    return "\n".join(lines)


def flag_of(name: str, value: Any) -> str:
    """Return a setting as a user types it, such as "--gamma 0.9" or "--no-jit-compile"."""
    words = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{words}" if value else f"--no-{words}"
    return f"--{words} {text_of(value)}"


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    return run_command(COMMAND, lambda: run(parse(argv)))


def run(arguments: argparse.Namespace) -> int:
    """Train as the arguments say, and print the results."""
    given = given_settings(arguments, Config)
    if arguments.resume:
        refuse_beside_resume(arguments, ("run_dir", "preset", "config"))
    else:
        config = read_settings(arguments.config, Config) if arguments.config else PRESETS[arguments.preset or "blog"]
        if "episodes" in given:  # a flag wins over the steps of the file
            config = dataclasses.replace(config, steps=None)
        config = dataclasses.replace(config, **given)
    import_tensorflow()  # only now that the settings are known to be valid: it takes seconds
    from ddpg.run.diagnosis import warnings_about
    from ddpg.run.start import default_run_dir, resume_run, start_run
    from ddpg.run.summary import print_summary

    with ExitStack() as stack:
        machines = stack.enter_context(joined_ray(arguments.address)) if arguments.address else []
        if arguments.resume:
            training_run = resume_run(arguments.resume, arguments.plot_dir, given, machines)
        else:
            run_dir = arguments.run_dir or default_run_dir(config, time.localtime())
            training_run = start_run(config, run_dir, arguments.plot_dir, machines)
        code = run_to_end(COMMAND, training_run, arguments)
    if code == 0:
        print_summary(training_run, arguments.start)
        with training_run.folder.by_products("the look at the log for signs of failure"):
            for warning in warnings_about(training_run):
                note(f"{program_name(COMMAND)}: warning: {warning}")
    return code


if __name__ == "__main__":
    sys.exit(main())
