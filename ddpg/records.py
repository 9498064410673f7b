"""The run folder: `config.json`, three CSV files, and the same numbers for TensorBoard."""

import csv
import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

from ddpg.errors import RequestError
from ddpg.files import may_write, synchronise, write_json

COLUMNS = {
    "episodes": ("episode", "steps", "length", "return", "running_average", "seconds"),
    "evaluations": ("steps", "mean", "std", "episodes"),
    "updates": ("steps", "updates", "critic_loss", "policy_loss", "value", "target", "saturation"),
}
COUNTERS = ("steps", "episode", "epoch")  # columns that say when, and are no curves of their own
PACKAGES = ("tensorflow", "keras", "numpy", "gymnasium", "rdkit")  # the last one is MolGAN's alone
Columns = dict[str, tuple[str, ...]]


class Settings(Protocol):
    """Settings of a run, whatever it trains."""

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON-ready values."""


class Records:
    """Writes what a run measures into its folder, each row as soon as it is known.

    Args:
        folder: The run folder.
        config: The run's settings, kept in `config.json` with the versions that ran it.
        columns: The CSV files and their columns; each file has one that is called `steps`.

    Raises:
        RequestError: The folder exists already, or cannot be made.
    """

    def __init__(self, folder: Path, config: Settings, columns: Columns = COLUMNS) -> None:
        self.folder, self.columns = folder, columns
        make_run_folder(folder)
        write_config(folder, config)
        for name in columns:
            self._append(name, columns[name])
        self.tensorboard = tf.summary.create_file_writer(str(folder / "tensorboard"))

    @classmethod
    def reopen(cls, folder: Path, config: Settings, positions: dict[str, int], columns: Columns = COLUMNS) -> "Records":
        """Open the records of an interrupted run and cut them back to a checkpoint.

        Args:
            folder: The run folder, which `check_records` has passed.
            config: The run's settings, perhaps with more steps than before.
            positions: What `positions` returned at the checkpoint; later rows belong to a future that is now run again.
            columns: As they were.
        """
        for name in columns:
            os.truncate(folder / f"{name}.csv", positions[name])
        records = cls.__new__(cls)
        records.folder, records.columns = folder, columns
        write_config(folder, config)
        records.tensorboard = tf.summary.create_file_writer(str(folder / "tensorboard"))
        return records

    def positions(self) -> dict[str, int]:
        """Put the CSV files on the disk and return their sizes in bytes, for a checkpoint."""
        paths = {name: self.folder / f"{name}.csv" for name in self.columns}
        for path in paths.values():
            synchronise(path)
        return {name: path.stat().st_size for name, path in paths.items()}

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Append one row to a CSV file and its numbers to TensorBoard.

        Args:
            name: The file, such as "episodes".
            row: A value for each of its columns.
        """
        self._append(name, tuple(row[column] for column in self.columns[name]))
        with self.tensorboard.as_default(step=int(row["steps"])):
            for column in self.columns[name]:
                if column not in COUNTERS:
                    write_scalar(f"{name}/{column}", row[column])

    def close(self) -> None:
        """Flush and close the TensorBoard file."""
        self.tensorboard.close()

    def _append(self, name: str, values: tuple) -> None:
        with (self.folder / f"{name}.csv").open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(values)


def check_records(folder: Path, positions: dict[str, int]) -> None:
    """Refuse to go on with a run whose CSV files end before the checkpoint was made, or cannot be written to."""
    for name, position in positions.items():
        path = folder / f"{name}.csv"
        if not path.is_file() or path.is_symlink() or path.stat().st_size < position:
            raise RequestError(f"{path} is missing, or shorter than the checkpoint says ({position} bytes)", "resume")
        if not may_write(path) or not may_write(folder):
            raise RequestError(f"{path} cannot be written to", "resume")


def refuse_existing(folder: Path) -> None:
    """Refuse a run folder that exists, be it a run's or not."""
    if folder.exists():
        raise RequestError(
            f"{folder} exists already; name another folder, or go on with that run by --resume {folder}", "run_dir"
        )


def make_run_folder(folder: Path) -> None:
    """Make a new run folder."""
    refuse_existing(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise RequestError(f"cannot make {folder}: {error.strerror}", "run_dir") from None


def write_config(folder: Path, config: Settings) -> None:
    """Write every setting and the versions of what runs it."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    write_json(folder / "config.json", {"config": config.as_json(), "versions": versions})


def write_scalar(tag: str, value: float) -> None:
    """Write one TensorBoard scalar; `tf.summary.scalar` would need the tensorboard package just to write."""
    metadata = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
        data_class=1,  # DATA_CLASS_SCALAR in TensorFlow's summary.proto
    )
    tf.summary.write(tag, tf.constant(value, tf.float32), metadata=metadata)
