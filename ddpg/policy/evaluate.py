"""Evaluate a policy or a controller over noise-free episodes: `python evaluate.py --checkpoint DIR`."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from ddpg.command.command import Parser, program_name, run_command
from ddpg.command.flags import integer_from
from ddpg.command.paths import absolute, refuse_same
from ddpg.command.streams import results_only
from ddpg.errors import RequestError
from ddpg.settings.setting import json_object

if TYPE_CHECKING:  # imported when needed: `--help` does not wait for it
    from ddpg.policy.figures import Measured
    from ddpg.policy.sources import Source

COMMAND = "ddpg-evaluate"


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(prog=program_name(COMMAND), description=__doc__, allow_abbrev=False)
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument(
        "--checkpoint", type=absolute, metavar="DIR", help="a run folder, for its newest checkpoint, or one checkpoint"
    )
    sources.add_argument("--policy", type=absolute, metavar="FILE", help="an exported policy: .onnx, .tflite, ...")
    parser.add_argument(
        "--controller",
        metavar="MODULE:NAME",
        help="a function action = f(state) or a class of such; beside one of the others, the two are compared",
    )
    parser.add_argument("--best", action="store_true", help="of a run folder, the checkpoint that evaluated best")
    parser.add_argument("--env", metavar="ID", help="the task (default: the one that the policy was trained on)")
    parser.add_argument(
        "--env-kwargs",
        type=as_json_object,
        metavar="JSON",
        help="arguments for the task's constructor, in the place of those in training: a changed plant",
    )
    parser.add_argument(
        "--action-bound", type=float, metavar="X", help="with --controller, replaces each infinite bound of the actions"
    )
    parser.add_argument("--episodes", type=integer_from(1), default=100, metavar="N", help="how many (default: 100)")
    parser.add_argument(
        "--seed", type=integer_from(0), default=0, metavar="S", help="episode i is reset with seed S + i (default: 0)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument(
        "--record", type=absolute, metavar="FILE", help="write all transitions to this .npz, by D4RL's names"
    )
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument("--render", action="store_true", help="show the episodes in a window")
    pictures.add_argument("--video", type=absolute, metavar="DIR", help="write one MP4 per episode to this folder")
    return parser.parse_args(argv)


def as_json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object for argparse, which turns the error into one line."""
    try:
        return json_object(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    return run_command(COMMAND, lambda: run(parse(argv)))


def run(arguments: argparse.Namespace) -> int:
    """Evaluate as the arguments say, and print the figures."""
    check_arguments(arguments)
    with results_only() if arguments.json else nullcontext() as results:
        from ddpg.policy.figures import as_json, report
        from ddpg.policy.sources import sources_of

        measured = [measure(source, arguments) for source in sources_of(arguments)]
        if arguments.json:
            print(json.dumps(as_json(measured)), file=results)
            return 0
    for line in report(measured, arguments):
        print(line)
    return 0


def check_arguments(arguments: argparse.Namespace) -> None:
    """Raise `RequestError` where arguments need or exclude one another."""
    policy = arguments.checkpoint or arguments.policy
    if not policy and not arguments.controller:
        raise RequestError("give one of them: --checkpoint DIR, --policy FILE, --controller MODULE:NAME", "checkpoint")
    if arguments.best and not arguments.checkpoint:
        raise RequestError("needs --checkpoint", "best")
    if arguments.action_bound is not None and policy:
        raise RequestError("is part of the policy; use it with --controller alone", "action_bound")
    if not policy and not arguments.env:
        raise RequestError("needs a task: --env ID", "controller")
    if arguments.record and policy and arguments.controller:
        raise RequestError("holds the transitions of one; leave out --controller, or the policy", "record")
    if arguments.record:
        from ddpg.policy.record import check_record

        check_record(arguments.record)
        refuse_same(arguments.record, [arguments.video], "record")


def measure(source: "Source", arguments: argparse.Namespace) -> "Measured":
    """Return the evaluation of what acts in its task, shown or recorded if that was asked for."""
    from ddpg.evaluation import evaluate
    from ddpg.policy.figures import Measured
    from ddpg.policy.record import Recorder, write_record
    from ddpg.task.environments import open_environment
    from ddpg.task.rendering import recorded

    films = "controller" if source.kind == "controller" else "rl-video"  # what the names begin with
    render_mode = "rgb_array" if arguments.video else "human" if arguments.render else None
    with ExitStack() as stack:
        with blamed(source, arguments):
            environment = stack.enter_context(open_environment(source.config, render_mode))
            agent = source.agent_in(environment)
        if arguments.video:
            environment = stack.enter_context(recorded(environment, arguments.video, films))
        if arguments.record:
            environment = Recorder(environment)
        evaluation = evaluate(agent, environment, arguments.episodes, arguments.seed)
    if isinstance(environment, Recorder):
        write_record(arguments.record, environment, source, arguments.seed)
    names = (f"{films}-episode-{episode}.mp4" for episode in range(arguments.episodes))
    paths = [arguments.video / name for name in names] if arguments.video else []
    return Measured(source, agent, evaluation, tuple(path for path in paths if path.is_file()))


@contextmanager
def blamed(source: "Source", arguments: argparse.Namespace) -> Iterator[None]:
    """Name the option at fault in errors of the task: this command has not all of the flags that make one."""
    try:
        yield
    except RequestError as error:
        asked = [name for name in ("env_kwargs", "env") if getattr(arguments, name)]
        if not (source.kind == "controller" and error.setting == "action_bound"):
            pictures = "video" if arguments.video else "render" if arguments.render else None
            error.setting = pictures or (error.setting if error.setting in asked else next(iter(asked), source.kind))
        raise


if __name__ == "__main__":
    sys.exit(main())
