"""Where the benchmarks write: tables to benchmarks/results and plots, pictures to plots, or both below `--out`."""

import argparse
import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the code beside the benchmarks is measured, not an installed package


class Output(NamedTuple):
    """The folders that a benchmark writes to."""

    results: Path  # tables
    plots: Path  # pictures, and the tables that they are drawn from


def add_output_flag(parser: argparse.ArgumentParser) -> None:
    """Add the flag `--out`, whose value is an `Output`."""
    parser.add_argument(
        "--out",
        type=lambda folder: Output(Path(folder, "results"), Path(folder, "plots")),
        default=Output(ROOT / "benchmarks" / "results", ROOT / "plots"),
        metavar="DIR",
        help="write to DIR/results and DIR/plots (default: benchmarks/results and plots)",
    )


def parser_for(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that prints a module's docstring as it is and accepts no abbreviated flags."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def write_csv(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows that all have the same columns."""
    rows = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
