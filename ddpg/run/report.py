"""A run as one HTML file that stands alone, to be read anywhere and sent by mail.

python -m ddpg.run.report RUN --out report.html
"""

import argparse
import sys
from pathlib import Path

from ddpg.command.command import Parser, run_command
from ddpg.command.paths import absolute, shown
from ddpg.command.tensorflow import import_tensorflow
from ddpg.errors import RequestError, blame
from ddpg.storage.files import replaced_file

COMMAND = "python -m ddpg.run.report"
MARK = "<!DOCTYPE html>\n<!-- a report by ddpg.run.report -->\n"  # how an older report is told from other files


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    return run_command(COMMAND, lambda: run(parse(argv)))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    description = (
        "Write what a run folder says as one HTML file: curves, evaluations, warnings, settings, versions, a film if "
        "there is one, and for Pendulum-v1 the policy to play with. The run may be in progress."
    )
    parser = Parser(prog=COMMAND, description=description, allow_abbrev=False)
    parser.add_argument("run_dir", type=absolute, metavar="RUN", help="a run folder")
    parser.add_argument(
        "--out", type=absolute, metavar="FILE", required=True, help="the file, which may replace an older report"
    )
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> int:
    """Write the report that the arguments ask for."""
    out = arguments.out
    check_output(out)
    import_tensorflow()
    from ddpg.report.record import read_record
    from ddpg.report.report_page import page

    text = MARK + page(read_record(arguments.run_dir))
    with replaced_file(out) as file:
        file.write(text.encode("utf-8", errors="replace"))
    print(f"report      {shown(out, arguments.start)}, {len(text) / 1e6:.1f} MB")
    return 0


def check_output(out: Path) -> None:
    """Refuse an output whose folder does not exist, or in whose place is something other than a report."""
    with blame("out"):
        if not out.parent.is_dir():
            raise RequestError(f"there is no folder {out.parent}")
        if (out.exists() or out.is_symlink()) and not is_report(out):
            raise RequestError(f"{out} exists and is no report of this program; choose another name")


def is_report(path: Path) -> bool:
    """Return whether a file is a report that this program wrote."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK.encode()


if __name__ == "__main__":
    sys.exit(main())
