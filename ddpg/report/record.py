"""What a run folder says: read as it is, also while its run goes on, without locking or changing it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ddpg.agent import DDPG
from ddpg.command.inputs import UNUSABLE, read_object
from ddpg.config import Config
from ddpg.errors import RequestError, one_line
from ddpg.evaluation import Evaluation
from ddpg.run.agent_state import load, open_checkpoint, read_episode
from ddpg.run.training_run import COLUMNS
from ddpg.settings.setting import from_json
from ddpg.storage.checkpoint_format import CorruptFileError, read_json, read_kept
from ddpg.storage.checkpoints import all_checkpoints, find_checkpoint, step_of
from ddpg.storage.csv_files import read_columns
from ddpg.training import Episode

TRIES = 5  # to read the newest checkpoint of a run in progress, which deletes older ones
FILMS = (".mp4", ".gif")
LARGEST_FILM = 20 * 2**20  # bytes: more cannot be sent by mail

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Record:
    """A run folder.

    Args:
        path: The folder.
        config: The settings of the run, as they are now.
        versions: The versions of the packages, by name.
        step: That of the newest checkpoint.
        agent: Its agent, with its replay buffer.
        episode: The last episode before that checkpoint.
        kept: The step and the evaluation of the "untrained" and the "best" policy, as far as there are any.
        good_enough: Whether the run has reached what it was to stop at.
        episodes, evaluations, updates: The columns of the CSV files; there is at least one evaluation.
        test: The results of a final test, as `evaluate.py --json` prints them, or None.
        film: A film in the folder, or None.
    """

    path: Path
    config: Config
    versions: dict[str, str]
    step: int
    agent: DDPG
    episode: Episode
    kept: dict[str, tuple[int, Evaluation]]
    good_enough: bool
    episodes: Columns
    evaluations: Columns
    updates: Columns
    test: dict[str, Any] | None
    film: Path | None

    @property
    def checkpoints(self) -> list[Path]:
        """All checkpoints of steps and the best one, in order of their steps, each step once."""
        folder = self.path / "checkpoints"
        saved = [path for path in all_checkpoints(folder) if not path.name.startswith("data-")]
        found = {step_of(path): path for path in (*all_checkpoints(folder, best=True), *saved)}
        return [found[step] for step in sorted(found)]

    @property
    def last(self) -> Evaluation:
        """The last evaluation; the log has its mean alone, so that it is one return unless it is the first again."""
        means, stds = self.evaluations["mean"], self.evaluations["std"]
        same = (means[0], stds[0]) == (means[-1], stds[-1]) and "untrained" in self.kept
        return self.kept["untrained"][1] if same else Evaluation((float(means[-1]),))

    @property
    def has_updates(self) -> bool:
        """Whether something was learned already."""
        return bool(self.agent.updates and len(self.agent.replay_buffer) and len(self.updates["steps"]))

    @property
    def is_finished(self) -> bool:
        """Whether the run has come to its planned length."""
        if self.config.steps is not None:
            return self.episode.steps >= self.config.steps
        return self.episode.number >= self.config.episodes


def read_record(run_dir: Path) -> Record:
    """Read a run folder.

    Raises:
        RequestError: It is none, or one of its files is damaged.
    """
    for _ in range(TRIES):
        checkpoint = find_checkpoint(run_dir)
        try:
            return read_record_at(checkpoint, run_dir)
        except CorruptFileError:
            if find_checkpoint(run_dir) == checkpoint:
                raise
    raise RequestError(f"{run_dir} deletes its checkpoints before they are read; give its run more --keep-checkpoints")


def read_record_at(checkpoint: Path, run_dir: Path) -> Record:
    """Read a run folder at one of its checkpoints, which a run in progress may delete meanwhile."""
    saved = open_checkpoint(checkpoint)
    if saved.run_dir != run_dir:
        raise RequestError(f"{run_dir} is a checkpoint; give its run folder: {saved.run_dir}")
    config, versions = read_config(run_dir / "config.json")
    state = read_kept(saved)
    good_enough = state.get("good_evaluations", 0) >= config.stop_evaluations
    kept = {
        name: (int(state[name][0]), Evaluation(tuple(map(float, state[name][1]))))
        for name in ("untrained", "best")
        if state.get(name)
    }
    logs = {name: read_log(run_dir, name) for name in COLUMNS}
    agent, _ = load(saved)
    test, film = read_test(run_dir), newest_film(run_dir)
    step, episode = step_of(checkpoint), read_episode(saved)
    return Record(run_dir, config, versions, step, agent, episode, kept, good_enough, **logs, test=test, film=film)


def read_log(run_dir: Path, name: str) -> Columns:
    """Return the columns of one of a run's CSV files."""
    columns = read_columns(run_dir / f"{name}.csv", COLUMNS[name])
    if name == "evaluations" and not len(columns["mean"]):
        raise RequestError(f"{run_dir / name}.csv has no rows; a run evaluates before its first checkpoint")
    return columns


def read_config(path: Path) -> tuple[Config, dict[str, str]]:
    """Return the settings and the versions in a run's `config.json`."""
    try:
        found = read_json(path)
        versions = {str(name): str(version) for name, version in dict(found.get("versions", {})).items()}
        return from_json(Config, found["config"]), versions
    except UNUSABLE as error:
        raise RequestError(f"{path} is not the config.json of a run ({one_line(error)})") from None


def read_test(run_dir: Path) -> dict[str, Any] | None:
    """Return the results in `test.json`, which a sweep writes, or None."""
    try:
        found = read_object(run_dir / "test.json")
        return {str(name): value for name, value in found["results"].items()} or None
    except UNUSABLE:
        return None


def newest_film(run_dir: Path) -> Path | None:
    """Return the newest film in a run folder or below it, of a size that can be sent; links are not followed."""
    found = [
        path
        for path in run_dir.rglob("*")
        if path.suffix in FILMS and path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST_FILM
    ]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)
