"""Measure a trained policy over noise-free episodes: `python evaluate.py --checkpoint DIR`."""

import argparse
import json
import sys
from pathlib import Path

from ddpg.command_line import Parser, answer, import_tensorflow, whole_number


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(prog="evaluate.py", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="DIR",
        help="a run folder (its newest checkpoint) or one checkpoint",
    )
    parser.add_argument("--episodes", type=whole_number(1), default=100, metavar="N", help="how many (default: 100)")
    parser.add_argument(
        "--seed", type=whole_number(0), default=0, metavar="S", help="episode i is reset with seed S + i"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument("--render", action="store_true", help="show the episodes in a window")
    pictures.add_argument("--video", type=Path, metavar="DIR", help="write one MP4 per episode into this folder")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = parse(argv)
    return answer("evaluate.py", lambda: carry_out(arguments))


def carry_out(arguments: argparse.Namespace) -> int:
    """Evaluate as the arguments say, and print the figures."""
    import_tensorflow()
    from ddpg.checkpoint import find_checkpoint
    from ddpg.evaluation import evaluate, evaluation_environment
    from ddpg.restore import load_policy

    place = find_checkpoint(arguments.checkpoint)
    agent = load_policy(place)
    with evaluation_environment(agent, arguments.render, arguments.video) as environment:
        evaluation = evaluate(agent, environment, arguments.episodes, arguments.seed)
    figures = evaluation.as_json(agent.config.env)
    if arguments.json:
        print(json.dumps(figures))
        return 0
    print(f"checkpoint  {place}")
    print(f"task        {figures['env']}, {figures['episodes']} noise-free episodes, seeds from {arguments.seed} on")
    print(f"mean        {figures['mean']:.1f} ± {evaluation.half_width:.1f} (95 % confidence interval)")
    for name in ("std", "median", "min", "max"):
        print(f"{name:12}{figures[name]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
