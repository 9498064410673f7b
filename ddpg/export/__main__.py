"""Export a trained policy as a file: `python -m ddpg.export --checkpoint DIR --out policy.onnx`."""

import argparse
import sys
from pathlib import Path

from ddpg.command.command import Parser, program_name, run_command
from ddpg.command.flags import integer_from
from ddpg.command.paths import absolute, shown
from ddpg.command.tensorflow import import_tensorflow
from ddpg.command.text import number
from ddpg.errors import RequestError
from ddpg.policy.formats import FORMATS, format_to_write, require_packages

COMMAND = "ddpg-export"


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(prog=program_name(COMMAND), description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--checkpoint",
        type=absolute,
        required=True,
        metavar="DIR",
        help="a run folder, for its newest checkpoint, or one checkpoint",
    )
    parser.add_argument("--best", action="store_true", help="of a run folder, the checkpoint that evaluated best")
    parser.add_argument(
        "--format",
        nargs="+",
        choices=FORMATS,
        metavar="|".join(FORMATS),
        help="one or several (default: by the ending of --out)",
    )
    parser.add_argument(
        "--out",
        type=absolute,
        required=True,
        metavar="FILE",
        help="the file; for several formats, its name without ending",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    parser.add_argument("--quantize", action="store_true", help="LiteRT with 8-bit integers")
    parser.add_argument(
        "--episodes",
        type=integer_from(1),
        default=20,
        metavar="N",
        help="with --quantize, how many episodes to compare the returns over (default: 20)",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    return run_command(COMMAND, lambda: run(parse(argv)))


def run(arguments: argparse.Namespace) -> int:
    """Export as the arguments say, and print how far each file is from the agent."""
    import_tensorflow()
    from ddpg.policy.export import check_output, read_policy, write_policy

    formats = arguments.format or [format_to_write(arguments.out)]
    if arguments.quantize and formats != ["litert"]:
        raise RequestError("only the format litert can be quantized", "quantize")
    outputs = outputs_of(arguments.out, formats)
    for name, out in outputs.items():
        require_packages(name)
        check_output(out, arguments.overwrite, name)
    source = read_policy(arguments.checkpoint, arguments.best)
    for name, out in outputs.items():
        exported = write_policy(source, out, name, arguments.quantize)
        print(f"{name:12}{shown(out, arguments.start)}")
        print(f"difference  {exported.difference:.1e} of the action range at most, in {exported.states} states")
        if arguments.quantize:
            print_returns(source, out, arguments.episodes)
    return 0


def outputs_of(out: Path, formats: list[str]) -> dict[str, Path]:
    """Return the file of each format: `out` itself for one format, `out` with each format's ending for several."""
    if len(formats) == 1:
        return {formats[0]: out}
    return {name: out.with_name(out.name + FORMATS[name].suffix) for name in dict.fromkeys(formats)}


def print_returns(source, out: Path, episodes: int) -> None:
    """Print the returns of the float policy and of the quantized file over the same episodes."""
    from ddpg.evaluation import evaluate
    from ddpg.policy.policy_file import FilePolicy
    from ddpg.task.environments import open_environment

    agent = source.policy.agent
    for name, policy in (("float", agent), ("quantized", FilePolicy(out))):
        with open_environment(agent.config) as environment:
            evaluation = evaluate(policy, environment, episodes)
        mean, half_width = number(evaluation.mean), number(evaluation.half_width)
        print(f"{name:12}return {mean} ± {half_width}, {episodes} noise-free episodes")


if __name__ == "__main__":
    sys.exit(main())
