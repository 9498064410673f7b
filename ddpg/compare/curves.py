"""Learning curves from sweeps, run folders and CSV files, also those of other projects."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ddpg.errors import RequestError
from ddpg.molgan.config import MolGANConfig
from ddpg.presets import PRESETS
from ddpg.settings import closest_preset, text_of
from ddpg.storage.csv_files import read_rows

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
    return without_common_parts(curves)


def without_common_parts(curves: Sequence[Curve]) -> list[Curve]:
    """Shorten the names of settings by what is the same in all of them; the preset stays."""
    if len({curve.setting for curve in curves}) == 1:
        return list(curves)
    parts = [curve.setting.split(", ") for curve in curves]
    common = set.intersection(*(set(names[1:]) for names in parts))
    short = [[names[0], *(name for name in names[1:] if name not in common)] for names in parts]
    return [curve._replace(setting=", ".join(names)) for curve, names in zip(curves, short, strict=True)]


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
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))["config"]
        rows = read_rows(folder / "evaluations.csv")
        score = "mean" if rows and "mean" in rows[0] else "score"
        steps, scores = columns(rows, "steps", score)
        task, presets = (config["env"], PRESETS) if "env" in config else ("MolGAN", {"MolGAN": MolGANConfig()})
        setting, source = label(config, presets), folder.parent.as_posix()
        return Curve(task, setting, int(config["seed"]), steps, scores, read_test(folder), source)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(f"{folder} is not the folder of a run ({error!r})") from None


def read_test(folder: Path) -> float | None:
    """Return the mean return of a run's final policy from `test.json`, if that was measured."""
    try:
        return float(json.loads((folder / "test.json").read_text(encoding="utf-8"))["results"]["mean"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_csv_curves(path: Path) -> list[Curve]:
    """Return the curves of a CSV file with one of the sets of columns in `CSV_COLUMNS`."""
    try:
        rows = read_rows(path)
        names = next((some for some in CSV_COLUMNS if rows and all(name in rows[0] for name in some if name)), None)
        if names is None:
            raise ValueError("expected the columns " + ", or ".join("/".join(filter(None, c)) for c in CSV_COLUMNS))
        task, setting, seed, step, score = names
        groups: dict[tuple[str, str, int | None], list[dict[str, str]]] = {}
        for row in rows:
            source = f"{row['source']} {row[setting]}" if "source" in row else row.get(setting, path.stem)
            key = (row.get(task, path.stem.removeprefix("learning-")), source, int(row[seed]) if seed else None)
            groups.setdefault(key, []).append(row)
        return [Curve(*key, *columns(some, step, score), None, path.stem) for key, some in groups.items()]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise RequestError(f"{path} is not a table of learning curves ({error})") from None


def write_curves(curves: Iterable[Curve], path: Path) -> None:
    """Write every point of some curves to a CSV file, which `read_curves` reads."""
    rows = [
        (curve.task, curve.setting, curve.seed, f"{steps:.0f}", repr(float(score)))
        for curve in curves
        for steps, score in zip(curve.steps, curve.scores, strict=True)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([CSV_COLUMNS[1], *rows])


def columns(rows: Sequence[dict[str, str]], step: str, score: str) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and scores in order of the steps, without those that are not numbers."""
    points = sorted((float(row[step]), float(row[score])) for row in rows if row[score] not in ("", None))
    steps, scores = np.array(points, np.float64).reshape(-1, 2).T
    finite = np.isfinite(scores)
    return steps[finite], scores[finite]


def label(config: dict[str, Any], presets: Mapping[str, Any]) -> str:
    """Return the name of a run's settings: the preset that they are closest to, and how they differ from it.

    Numbers have four digits: "tau=0.01".
    """
    closest, different = closest_preset(config, presets)
    return ", ".join(
        [closest]
        + [
            f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={text_of(value)}"
            for name, value in different.items()
        ]
    )
