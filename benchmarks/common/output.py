"""Where the benchmarks write: a folder per study, `results/STUDY`, with its tables, curves and pictures."""

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def add_output_flag(parser: argparse.ArgumentParser) -> None:
    """Add the flag `--out`."""
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "results",
        metavar="DIR",
        help="write to DIR/STUDY (default: results)",
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
