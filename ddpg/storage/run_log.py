"""The log of a run: `config.json`, CSV files, and the same numbers for TensorBoard."""

import csv
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

from ddpg.command.packages import versions
from ddpg.command.streams import ByProducts
from ddpg.errors import RequestError
from ddpg.storage.files import fsync_path, is_writable, remove, write_json

COUNTERS = {"steps", "episode", "epoch", "updates", "episodes"}  # columns that say when, and are no curves
COMPARED_BYTES = 4096  # at the end of a CSV file, to see whether it was changed
Columns = dict[str, tuple[str, ...]]


class Settings(Protocol):
    """The settings of a run of any kind."""

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON-ready values."""


class RunLog:
    """Writes what a run measures into its folder, each row as soon as it is known.

    The CSV files are the record. TensorBoard's file is made from the same rows, and made again from the CSV files when
    a run is resumed, so that it shows no row twice.

    Args:
        run_dir: The run folder.
        config: The run's settings, kept in `config.json` with the versions of the packages.
        columns: The CSV files and their columns; each file has a column `steps`.
    """

    def __init__(self, run_dir: Path, config: Settings, columns: Columns) -> None:
        self.run_dir, self.config, self.columns, self.by_products = run_dir, config, columns, ByProducts()
        self.add_to_config()
        self.tensorboard: Any = None
        with self.by_products("TensorBoard's file"):
            self.tensorboard = tf.summary.create_file_writer(str(run_dir / "tensorboard"))

    @classmethod
    def create(cls, run_dir: Path, config: Settings, columns: Columns) -> "RunLog":
        """Create a run folder and begin its log.

        Raises:
            RequestError: The folder exists, or cannot be created.
        """
        refuse_existing(run_dir)
        try:
            run_dir.mkdir(parents=True)
        except OSError as error:
            raise RequestError(f"cannot create {run_dir}: {error.strerror}", "run_dir") from None
        log = cls(run_dir, config, columns)
        for name in columns:
            log._append(name, columns[name])
        return log

    @classmethod
    def reopen(cls, run_dir: Path, config: Settings, columns: Columns, csv_sizes: dict[str, int]) -> "RunLog":
        """Open the log of an interrupted run and cut it back to a checkpoint; `check_log` must have passed.

        Args:
            run_dir: The run folder.
            config: The run's settings, perhaps with more steps than before.
            columns: As in `create`.
            csv_sizes: What `csv_sizes` returned at the checkpoint; later rows are dropped; those steps are repeated.
        """
        for name in columns:
            os.truncate(run_dir / f"{name}.csv", csv_sizes[name])
        for path in (run_dir / "tensorboard").glob("events.out.tfevents.*"):
            remove(path)
        log = cls(run_dir, config, columns)
        for name in columns:
            with (run_dir / f"{name}.csv").open(newline="", encoding="utf-8") as file:
                log._write_to_tensorboard(name, csv.DictReader(file))
        return log

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Append one row to a CSV file and its numbers to TensorBoard.

        Args:
            name: The file, such as "episodes".
            row: A value for each of its columns.
        """
        self._append(name, tuple(row[column] for column in self.columns[name]))
        self._write_to_tensorboard(name, [row])

    def add_to_config(self, **facts: Any) -> None:
        """Write `config.json`: every setting, the versions of the packages, and what else is to be known of the run."""
        content = {"config": self.config.as_json(), "versions": versions(), **facts}
        write_json(self.run_dir / "config.json", content)

    def csv_sizes(self) -> dict[str, int]:
        """Flush the CSV files to the disk and return their sizes in bytes, for a checkpoint."""
        paths = {name: self.run_dir / f"{name}.csv" for name in self.columns}
        for path in paths.values():
            fsync_path(path)
        return {name: path.stat().st_size for name, path in paths.items()}

    def close(self) -> None:
        """Flush and close the TensorBoard file."""
        with self.by_products("TensorBoard's file"):
            if self.tensorboard:
                self.tensorboard.close()

    def _append(self, name: str, values: tuple) -> None:
        with (self.run_dir / f"{name}.csv").open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(values)

    def _write_to_tensorboard(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        if not self.tensorboard:
            return
        curves = [column for column in self.columns[name] if column not in COUNTERS]
        with self.by_products("TensorBoard's file"):
            self._write_curves(name, curves, rows)

    def _write_curves(self, name: str, curves: list[str], rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            with self.tensorboard.as_default(step=int(row["steps"])):
                for column in curves:
                    write_scalar(f"{name}/{column}", float(row[column]))


def end_of(path: Path, size: int) -> str:
    """Return the checksum of the last bytes of a CSV file that had this size: any change before them moves them."""
    with path.open("rb") as file:
        file.seek(max(0, size - COMPARED_BYTES))
        return hashlib.sha256(file.read(min(size, COMPARED_BYTES))).hexdigest()


def check_log(run_dir: Path, columns: Columns, csv_sizes: dict[str, int], csv_ends: dict[str, str]) -> None:
    """Refuse to resume a run whose CSV files are not as at the checkpoint, are read-only, or of other columns."""
    tensorboard = run_dir / "tensorboard"
    if tensorboard.is_symlink() or (tensorboard.exists() and not tensorboard.is_dir()):
        raise RequestError(f"{tensorboard} is not a folder of this run; move it away, it is written again")
    if (config := run_dir / "config.json").is_dir() and not config.is_symlink():
        raise RequestError(f"{config} is a folder; move it away, the file is written again")
    for name, size in csv_sizes.items():
        path = run_dir / f"{name}.csv"
        if not path.is_file() or path.is_symlink() or path.stat().st_size < size:
            raise RequestError(f"{path} is missing or shorter than at the checkpoint ({size} bytes)")
        if not is_writable(path) or not is_writable(run_dir):
            raise RequestError(f"{path} is not writable")
        with path.open("rb") as file:
            line = file.readline(10_000).decode(errors="replace").strip()
        if (header := tuple(line.split(","))) != columns[name]:
            raise RequestError(f"{path} has the columns {', '.join(header)}; expected {', '.join(columns[name])}")
        if size <= len(line) or end_of(path, size) != csv_ends[name]:
            raise RequestError(
                f"{path} was changed since the checkpoint, perhaps by a spreadsheet; put it back, or train again"
            )


def refuse_existing(run_dir: Path) -> None:
    """Refuse a run folder that exists, whatever it holds."""
    if run_dir.exists():
        raise RequestError(f"{run_dir} already exists; choose another folder, or use --resume {run_dir}", "run_dir")


def write_scalar(tag: str, value: float) -> None:
    """Write one TensorBoard scalar; `tf.summary.scalar` would need the tensorboard package."""
    metadata = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
        data_class=1,  # DATA_CLASS_SCALAR in TensorFlow's summary.proto
    )
    tf.summary.write(tag, tf.constant(value, tf.float32), metadata=metadata)
