"""CSV files, read in one place: what is no table of numbers is refused in one line that names the file."""

import csv
from pathlib import Path

import numpy as np

from ddpg.errors import RequestError, one_line


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names of its columns.

    Raises:
        RequestError: It cannot be read, has no header, or a row with another number of values.
    """
    header, rows = read_table(path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of a CSV file of numbers, each `(rows,)` float64.

    Raises:
        RequestError: As `read_rows`, or a value is not a number.
    """
    header, rows = read_table(path)
    try:
        values = np.array(rows, np.float64).reshape(-1, len(header))
    except ValueError as error:
        raise RequestError(f"{path}: {error}") from None
    return dict(zip(header, values.T, strict=True))


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the header of a CSV file, and its rows, all of the same length."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = csv.reader(file, strict=True)
    except (OSError, ValueError, csv.Error) as error:
        raise RequestError(f"cannot read {path} ({getattr(error, 'strerror', None) or one_line(error)})") from None
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise RequestError(f"{path}, line {number}: expected {len(header)} values between commas, got {len(row)}")
    return header, rows
