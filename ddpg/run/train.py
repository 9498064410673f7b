"""Train DDPG on a Gymnasium task: `python train.py --env Pendulum-v1`."""

import argparse
import dataclasses
import json
import shlex
import sys
import time
from pathlib import Path

from ddpg.config import GROUPS, PRESETS, Config
from ddpg.errors import RequestError
from ddpg.run.command_line import (
    Parser,
    add_run_flags,
    add_setting_flags,
    command_words,
    given_settings,
    import_tensorflow,
    program_name,
    refuse_beside_resume,
    run_command,
    run_to_end,
)

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
    sources.add_argument("--config", type=Path, metavar="FILE", help="the config.json of a run, to repeat it")
    add_run_flags(parser, "runs/ENV/TIME-seedS")
    add_setting_flags(parser, Config, GROUPS, exclusive=("episodes", "steps"))
    return parser.parse_args(argv)


def preset_help() -> str:
    """Return what each preset changes, as flags."""
    lines = ["presets:", "  blog     the second post's settings, the defaults above"]
    defaults = vars(Config())
    for name, preset in PRESETS.items():
        changes = {key: value for key, value in vars(preset).items() if value != defaults[key]}
        if changes:
            flags = [
                f"--{key.replace('_', '-')}" + ("" if value is True else f" {value}") for key, value in changes.items()
            ]
            lines.append(f"  {name:8} {' '.join(flags)}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = parse(argv)
    return run_command(program_name(COMMAND), lambda: run(arguments))


def run(arguments: argparse.Namespace) -> int:
    """Train as the arguments say, and print the results."""
    given = given_settings(arguments, Config)
    if arguments.resume:
        refuse_beside_resume(arguments, ("run_dir", "preset", "config"))
    else:
        config = base_config(arguments)
        if "episodes" in given:  # a flag wins over the steps of the file
            config = dataclasses.replace(config, steps=None)
        config = dataclasses.replace(config, **given)
    import_tensorflow()  # only now that the settings are known to be valid: it takes seconds
    from ddpg.run.start import default_run_dir, resume_run, start_run

    if arguments.resume:
        training_run = resume_run(arguments.resume, arguments.plot_dir, given)
    else:
        run_dir = arguments.run_dir or default_run_dir(config, time.localtime())
        training_run = start_run(config, run_dir, arguments.plot_dir)
    code = run_to_end(COMMAND, training_run, arguments)
    if code == 0:
        report(training_run)
    return code


def base_config(arguments: argparse.Namespace) -> Config:
    """Return the settings that the flags change: a preset's, or those of a file.

    Raises:
        RequestError: The file cannot be read or holds no valid settings.
    """
    if arguments.config is None:
        return PRESETS[arguments.preset or "blog"]
    try:
        settings = json.loads(arguments.config.read_text(encoding="utf-8"))
        settings = settings.get("config", settings)
        if not isinstance(settings, dict):
            raise ValueError("its settings are not a JSON object")
        return Config.from_json(settings)
    except RequestError as error:
        raise RequestError(f"{arguments.config}: {error}", "config") from None
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RequestError(f"{arguments.config} is not the config.json of a run ({reason})", "config") from None


def report(run) -> None:
    """Print results, file locations and the next command."""
    from ddpg.run.diagnosis import warnings_about

    episode, updates, seconds = run.episode, run.agent.updates, run.folder.seconds
    print(
        f"trained     {episode.number} episodes, {episode.steps} steps, "
        f"{updates} updates ({updates / episode.steps:.2f} per step)"
    )
    print(f"took        {seconds:.0f} s with evaluations, {episode.steps / seconds:.0f} steps/s")
    print(f"return      {episode.running_average:.1f}, mean of the last {len(episode.recent_returns)} noisy episodes")
    if episode.metrics:
        print(f"saturation  {episode.metrics.action_saturation:.2f} of the policy's actions are within 1 % of a bound")
    if run.evaluation:
        episodes = len(run.evaluation.returns)
        print(f"evaluation  {run.evaluation.mean:.1f}, std {run.evaluation.std:.1f}, {episodes} noise-free episodes")
    print(f"run folder  {run.folder.path}")
    print(f"curve       {run.plot_path}")
    print("next        " + shlex.join([*command_words("ddpg-evaluate"), "--checkpoint", str(run.folder.path)]))
    for warning in warnings_about(run.folder.path, run.agent):
        print(f"{program_name(COMMAND)}: warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
