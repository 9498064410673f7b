"""Learning curves from sweeps, run folders and CSV files, also those of other projects."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ddpg.command.inputs import UNUSABLE, read_object
from ddpg.command.presets import PRESETS, closest_preset
from ddpg.compare.names import label, told_apart
from ddpg.errors import RequestError
from ddpg.molgan.config import MolGANConfig
from ddpg.storage.csv_files import read_rows
from ddpg.storage.files import refuse_foreign, replaced_file

CSV_COLUMNS = (  # task, setting, seed, steps, score: the columns of the CSV files that can be read
    ("env", "variant", "", "env_step", "return_mean"),  # as published: a mean over seeds, without the seeds
    ("task", "setting", "seed", "steps", "mean"),  # as `write_curves` writes them
    ("task", "variant", "seed", "steps", "mean"),
    ("", "", "seed", "steps", "mean"),
)


class Curve(NamedTuple):
    """The evaluations of one run, or a published mean over runs."""

    task: str
    setting: str
    seed: int | None  # None if it is a mean over seeds that are not given
    steps: np.ndarray  # (points,)
    scores: np.ndarray  # (points,) mean returns; for MolGAN its score
    test: float | None = None  # the mean return of the final policy on other starts, if that was measured
    source: str = ""
    preset: Any = None  # the preset that the setting's name begins with, if it is known
    shared: tuple[str, ...] = ()  # what all settings have in common and their names leave out
    dropped: int = 0  # rows without a number


def read_curves(paths: Sequence[Path]) -> list[Curve]:
    """Return all curves that some paths mean.

    Two runs of the same task, setting and seed come from different versions of something: then the settings are told
    apart by their sources.

    Args:
        paths: Run folders, folders with run folders anywhere below, or CSV files.

    Raises:
        RequestError: A path has no curves.
    """
    curves = [curve for path in paths for curve in read_path(path)]
    keys = [curve[:3] for curve in curves]
    if len(set(keys)) < len(keys):
        curves = [curve._replace(setting=f"{curve.source}: {curve.setting}") for curve in curves]
        keys = [curve[:3] for curve in curves]
    twice = [curve for curve in curves if keys.count(curve[:3]) > 1]
    if twice:
        raise RequestError(f"{twice[0].task}, {twice[0].setting}, seed {twice[0].seed} is there twice; name it once")
    names, shared = told_apart([curve.setting for curve in curves], [curve.preset for curve in curves])
    return [curve._replace(setting=name, shared=tuple(shared)) for curve, name in zip(curves, names, strict=True)]


def read_path(path: Path) -> list[Curve]:
    """Return the curves of one path."""
    if path.is_file():
        return read_csv_curves(path)
    if not path.is_dir():
        raise RequestError(f"there is no folder or file {path}")
    found = [read_run(folder) for folder in run_folders(path)]
    curves = [curve for curve in found if len(curve.steps)]
    if not curves:
        raise RequestError(f"{path} has no run with evaluations: neither evaluations.csv nor folders with one")
    return curves


def run_folders(path: Path) -> Iterable[Path]:
    """Return the run folders in a folder, in order of their names; numbers count as numbers."""
    found = (file.parent for file in path.rglob("evaluations.csv") if (file.parent / "config.json").is_file())
    return sorted(found, key=lambda folder: (folder.parent, len(folder.name), folder.name))


def read_run(folder: Path) -> Curve:
    """Return the curve of a run folder of either system."""
    try:
        config = read_object(folder / "config.json")["config"]
        task, presets = (config["env"], PRESETS) if "env" in config else ("MolGAN", {"MolGAN": MolGANConfig()})
        preset, _ = closest_preset(config, presets)
        setting, seed = label(config, presets), int(config["seed"])
    except UNUSABLE as error:
        raise RequestError(f"{folder} is not the folder of a run ({error!r})") from None
    rows = read_rows(folder / "evaluations.csv", ("steps", "mean" if "env" in config else "score"))
    with located(folder / "evaluations.csv"):
        steps, scores, dropped = columns(rows, "steps", "mean" if "env" in config else "score")
    source, known = folder.parent.as_posix(), presets[preset]
    return Curve(str(task), setting, seed, steps, scores, read_test(folder), source, known, (), dropped)


def read_test(folder: Path) -> float | None:
    """Return the mean return of a run's final policy from `test.json`, if that was measured."""
    try:
        mean = float(read_object(folder / "test.json")["results"]["mean"])
        return mean if np.isfinite(mean) else None
    except UNUSABLE:
        return None


def read_csv_curves(path: Path) -> list[Curve]:
    """Return the curves of a CSV file with one of the sets of columns in `CSV_COLUMNS`."""
    with located(path):
        rows = read_rows(path)
    names = next((some for some in CSV_COLUMNS if rows and all(name in rows[0] for name in some if name)), None)
    if names is None:
        wanted = ", or ".join("/".join(filter(None, some)) for some in CSV_COLUMNS)
        raise RequestError(f"{path} is not a table of learning curves: expected the columns {wanted}")
    task, setting, seed, step, score = names
    groups: dict[tuple[str, str, int | None], list[dict[str, str]]] = {}
    with located(path):
        for row in rows:
            source = f"{row['source']} {row[setting]}" if "source" in row else row.get(setting, path.stem)
            key = (row.get(task, path.stem.removeprefix("learning-")), source, seed_of(row[seed]) if seed else None)
            groups.setdefault(key, []).append(row)
        curves = []
        for key, some in groups.items():
            steps, scores, dropped = columns(some, step, score)
            if not len(steps):
                raise ValueError(f"no number in the column {score} of {', '.join(map(str, key))}")
            curves.append(Curve(*key, steps, scores, None, path.stem, dropped=dropped))
    return curves


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Name the file in an error about its values."""
    try:
        yield
    except ValueError as error:
        raise RequestError(f"{path} is not a table of learning curves ({error})") from None


def seed_of(text: str) -> int | None:
    """Return a seed, which a spreadsheet may have written as "0.0"; None if there is none."""
    if not text.strip():
        return None
    if not float(text).is_integer():
        raise ValueError(f"the seed {text!r} is not a whole number")
    return int(float(text))


def write_curves(curves: Iterable[Curve], path: Path) -> None:
    """Write every point of some curves to a CSV file, which `read_curves` reads."""
    rows = [
        (curve.task, curve.setting, curve.seed, f"{steps:.0f}", repr(float(score)))
        for curve in curves
        for steps, score in zip(curve.steps, curve.scores, strict=True)
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([CSV_COLUMNS[1], *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as file:
        file.write(text.getvalue().encode())


def check_table(path: Path, setting: str) -> None:
    """Refuse to write over a file that is no table of `write_curves`; `setting` is the option that names it."""
    header = ",".join(CSV_COLUMNS[1]).encode()
    refuse_foreign(path, lambda start: start.startswith(header), "a table of curves", setting)


def columns(rows: Sequence[dict[str, str]], step: str, score: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Return steps and scores in order of the steps, and how many rows have no number, which are left out."""
    points = [(float(row[step]), float(row[score])) for row in rows if row[score].strip()]
    finite = sorted(point for point in points if np.isfinite(point).all())
    steps, scores = np.array(finite, np.float64).reshape(-1, 2).T
    return steps, scores, len(rows) - len(finite)
