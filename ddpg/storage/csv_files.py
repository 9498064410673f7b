"""CSV files, read in one place: what is no table of numbers is refused in one line that names file, line and column."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ddpg.command.inputs import read_text
from ddpg.errors import RequestError, one_line

MOST_BYTES = 2**28  # the log of ten million episodes


def read_rows(path: Path, needed: Sequence[str] = ()) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names of its columns.

    Args:
        path: The file.
        needed: Columns that it must have.

    Raises:
        RequestError: It cannot be read, lacks a column, or has a row with another number of values.
    """
    header, rows = read_table(path, needed)
    return [dict(zip(header, row, strict=True)) for row in rows]


def read_columns(path: Path, needed: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Return the columns of a CSV file of numbers, each `(rows,)` float64.

    Raises:
        RequestError: As `read_rows`, or a value is not a number.
    """
    header, rows = read_table(path, needed)
    try:
        values = np.array(rows, np.float64).reshape(-1, len(header))
    except ValueError:
        raise RequestError(f"{path}, {first_text(header, rows)} is not a number") from None
    return dict(zip(header, values.T, strict=True))


def read_table(path: Path, needed: Sequence[str] = ()) -> tuple[list[str], list[list[str]]]:
    """Return the header of a CSV file, and its rows, all of the same length."""
    try:
        text = read_text(path, MOST_BYTES)
        if "\0" in text:
            raise ValueError("it has NUL bytes, as a crash can leave them")
        header, *rows = [*csv.reader(io.StringIO(text, newline=""), strict=True)] or [[]]
    except (OSError, ValueError, csv.Error) as error:
        raise RequestError(f"cannot read {path} ({getattr(error, 'strerror', None) or one_line(error)})") from None
    while rows and not rows[-1]:  # an editor has left empty lines at the end
        rows.pop()
    if not header:
        raise RequestError(f"{path} is empty; its first line must name the columns")
    if missing := [name for name in needed if name not in header]:
        raise RequestError(f"{path} has no column {missing[0]!r}, only {', '.join(header)[:200]}; it needs commas")
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise RequestError(f"{path}, line {number}: expected {len(header)} values between commas, got {len(row)}")
    return header, rows


def first_text(header: list[str], rows: list[list[str]]) -> str:
    """Return where the first value is that is not a number, and the value."""
    for number, row in enumerate(rows, 2):
        for name, value in zip(header, row, strict=True):
            try:
                float(value)
            except ValueError:
                return f"line {number}: the {name} {value[:50]!r}"
    raise AssertionError("all are numbers")
