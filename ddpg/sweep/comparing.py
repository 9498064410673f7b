"""`python -m ddpg.sweep compare`, and the comparison that a sweep ends with."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ddpg.command.paths import refuse_same, shown
from ddpg.command.streams import ByProducts, results_only
from ddpg.errors import RequestError, one_line


def print_comparison(curves: Sequence[Any], picture: Path) -> Any:
    """Print the comparison of the runs of a sweep, draw it, and return it."""
    from ddpg.compare.compare import compare as compare_curves
    from ddpg.compare.compare import table
    from ddpg.compare.plotting import draw_comparison

    comparison = compare_curves(curves)
    with ByProducts()("the picture"):
        draw_comparison(comparison, curves, picture)
    print(table(comparison))
    return comparison


def compare(arguments: argparse.Namespace) -> int:
    """Compare as the arguments say."""
    if arguments.out and arguments.out.suffix != ".png":
        raise RequestError(f"expected a name that ends in .png, got {arguments.out}", "out")
    from ddpg.compare.compare import as_csv, table
    from ddpg.compare.compare import compare as compare_curves
    from ddpg.compare.curves import check_table, read_curves, write_curves
    from ddpg.compare.plotting import draw_comparison
    from ddpg.storage.figures import check_picture

    if arguments.out:
        check_picture(arguments.out, "out")
    if arguments.curves:
        check_table(arguments.curves, "curves")
    refuse_same(arguments.curves, [arguments.out, *arguments.paths], "curves")
    as_text = json_text if arguments.json else as_csv if arguments.csv else table
    with results_only() if as_text is not table else nullcontext(sys.stdout) as results:
        curves = read_curves(arguments.paths)
        comparison = compare_curves(curves, arguments.last)
        if arguments.curves:
            write_curves(curves, arguments.curves)
        if arguments.out:
            try:
                draw_comparison(comparison, curves, arguments.out)
            except (ValueError, OverflowError, FloatingPointError) as error:  # numbers near the largest float
                raise RequestError(f"these curves cannot be drawn ({one_line(error)})", "out") from None
        print(as_text(comparison).rstrip("\n"), file=results)
    if arguments.out and as_text is table:
        print(f"picture     {shown(arguments.out, arguments.start)}")
    return 0


def json_text(comparison: Any) -> str:
    """Return a comparison as one JSON object."""
    return json.dumps(comparison.as_json())
