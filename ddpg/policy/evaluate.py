"""Evaluate a trained policy over noise-free episodes: `python evaluate.py --checkpoint DIR`."""

import argparse
import json
import sys
from contextlib import nullcontext

from ddpg.command.command import Parser, program_name, run_command
from ddpg.command.flags import integer_from
from ddpg.command.paths import absolute, shown
from ddpg.command.streams import results_only
from ddpg.command.tensorflow import import_tensorflow
from ddpg.command.text import number
from ddpg.errors import RequestError, blame

COMMAND = "ddpg-evaluate"


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(prog=program_name(COMMAND), description=__doc__, allow_abbrev=False)
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument(
        "--checkpoint", type=absolute, metavar="DIR", help="a run folder, for its newest checkpoint, or one checkpoint"
    )
    sources.add_argument("--policy", type=absolute, metavar="FILE", help="an exported policy: .onnx, .tflite, ...")
    parser.add_argument("--env", metavar="ID", help="with --policy, the task (default: the one it was trained on)")
    parser.add_argument("--best", action="store_true", help="of a run folder, the checkpoint that evaluated best")
    parser.add_argument("--episodes", type=integer_from(1), default=100, metavar="N", help="how many (default: 100)")
    parser.add_argument(
        "--seed", type=integer_from(0), default=0, metavar="S", help="episode i is reset with seed S + i (default: 0)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument("--render", action="store_true", help="show the episodes in a window")
    pictures.add_argument("--video", type=absolute, metavar="DIR", help="write one MP4 per episode to this folder")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    return run_command(COMMAND, lambda: run(parse(argv)))


def run(arguments: argparse.Namespace) -> int:
    """Evaluate as the arguments say, and print the figures."""
    for name, wanted in (("env", arguments.policy), ("best", arguments.checkpoint)):
        if getattr(arguments, name) and not wanted:
            raise RequestError(f"needs --{'policy' if name == 'env' else 'checkpoint'}", name)
    source = policy_of_file if arguments.policy else policy_of_checkpoint
    with results_only() if arguments.json else nullcontext() as results:
        agent, config, origin = source(arguments)
        evaluation = evaluate_in_task(agent, config, arguments)
        figures = origin | evaluation.as_json(config.env)
        if arguments.json:
            print(json.dumps(figures), file=results)
            return 0
    for name, path in origin.items():
        print(f"{name:12}{path}")
    print(f"task        {figures['env']}, {figures['episodes']} noise-free episodes, seeds from {arguments.seed} on")
    interval = f" ± {number(evaluation.half_width)} (95 % confidence interval)" if len(evaluation.returns) > 1 else ""
    print(f"mean        {number(evaluation.mean)}{interval}")
    for name in ("std", "median", "min", "max"):
        print(f"{name:12}{number(figures[name])}")
    return 0


def policy_of_checkpoint(arguments: argparse.Namespace):
    """Return the agent of a checkpoint, its settings, and where it is."""
    import_tensorflow()
    from ddpg.run.agent_state import load_for_acting
    from ddpg.storage.checkpoints import find_checkpoint

    with blame("checkpoint"):
        checkpoint_dir = find_checkpoint(arguments.checkpoint, arguments.best)
        agent = load_for_acting(checkpoint_dir)
    return agent, agent.config, {"checkpoint": str(shown(checkpoint_dir, arguments.start))}


def policy_of_file(arguments: argparse.Namespace):
    """Return an exported policy, the settings of its task, and where it is."""
    from ddpg.policy.policy_file import FilePolicy

    with blame("policy"):
        policy = FilePolicy(arguments.policy)
        config = policy.task_config(arguments.env)
    return policy, config, {"policy": str(shown(arguments.policy, arguments.start))}


def evaluate_in_task(agent, config, arguments: argparse.Namespace):
    """Return the evaluation of an agent or a policy in its task, shown or recorded if that was asked for."""
    from contextlib import ExitStack

    from ddpg.evaluation import evaluate
    from ddpg.run.environments import open_environment, require_same_sizes
    from ddpg.run.rendering import recorded

    source = "env" if arguments.env else "policy" if arguments.policy else "checkpoint"
    setting = "video" if arguments.video else "render" if arguments.render else source
    render_mode = {"video": "rgb_array", "render": "human"}.get(setting)
    with ExitStack() as stack:
        try:
            environment = stack.enter_context(open_environment(config, render_mode))
            require_same_sizes(environment, (agent.state_size, agent.action_size), config)
        except RequestError as error:  # this command has none of the flags that make a task
            raise RequestError(error.message, setting) from None
        if arguments.video:
            environment = stack.enter_context(recorded(environment, arguments.video))
        return evaluate(agent, environment, arguments.episodes, arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
