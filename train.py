"""Train DDPG on a Gymnasium task: `python train.py --env Pendulum-v1`."""

import argparse
import shlex
import signal
import sys
import time
from pathlib import Path

from ddpg.command_line import Parser, add_flags, answer, config_from, given_settings, import_tensorflow
from ddpg.errors import RequestError


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(prog="train.py", description=__doc__, allow_abbrev=False)
    add_flags(parser)
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="new folder (default: runs/ENV/TIME-seedS)")
    parser.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in this folder")
    parser.add_argument("--plot-dir", type=Path, metavar="DIR", default=Path("plots"), help="for the reward curve")
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=True, help="show a progress bar")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = parse(argv)
    return answer("train.py", lambda: carry_out(arguments))


def carry_out(arguments: argparse.Namespace) -> int:
    """Train as the arguments say, and tell where everything is."""
    config = None if arguments.resume else config_from(arguments)
    import_tensorflow()  # only now that the settings are known to be sound: it takes seconds
    from ddpg.opening import default_folder, resume_run, start_run

    if config is None:
        for name in ("run_dir", "preset"):
            if getattr(arguments, name) is not None:
                raise RequestError("a resumed run has its own; leave it out", name)
        run = resume_run(arguments.resume, arguments.plot_dir, given_settings(arguments))
    else:
        run = start_run(config, arguments.run_dir or default_folder(config, time.localtime()), arguments.plot_dir)
    if run.notice:
        print(f"train.py: note: {run.notice}", file=sys.stderr)
    try:
        run.go(arguments.progress)
    except KeyboardInterrupt:  # the second signal
        print(f"train.py: stopped at once; to go on: {resume_command(run)}", file=sys.stderr)
        return 128 + (run.stop.number or signal.SIGINT)
    if run.stop.number:
        print(f"train.py: stopped; to go on: {resume_command(run)}", file=sys.stderr)
        return 128 + run.stop.number
    report(run)
    return 0


def resume_command(run) -> str:
    """Return what to type to go on with a run."""
    plots = run.picture.parent
    elsewhere = [] if plots == Path("plots") else ["--plot-dir", str(plots)]
    return shlex.join(["python", "train.py", "--resume", str(run.folder), *elsewhere])


def report(run) -> None:
    """Say what came of it, where everything is and what to type next."""
    last, updates = run.last, run.agent.updates
    print(
        f"trained     {last.episode} episodes, {last.steps} steps, "
        f"{updates} updates ({updates / last.steps:.2f} a step)"
    )
    print(f"took        {run.seconds:.0f} s with evaluations, {last.steps / run.seconds:.0f} steps/s")
    print(f"return      {last.running_average:.1f}, mean of the last {len(last.recent_returns)} episodes, with noise")
    if last.metrics:
        print(
            f"saturation  {last.metrics.saturation:.2f} of the policy's actions were within 1 % of a bound at the end"
        )
    if run.evaluation:
        episodes = len(run.evaluation.returns)
        print(f"evaluation  {run.evaluation.mean:.1f}, std {run.evaluation.std:.1f}, {episodes} episodes without noise")
    print(f"run folder  {run.folder}")
    print(f"curve       {run.picture}")
    print("next        " + shlex.join(["python", "evaluate.py", "--checkpoint", str(run.folder)]))


if __name__ == "__main__":
    sys.exit(main())
