"""A whole MolGAN run: the training loop with its consumers, which record, evaluate, keep and draw what it does."""

import time
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ddpg.checkpoint import Checkpoints, all_checkpoints, find_checkpoint, named_as_resume
from ddpg.errors import RequestError, RunStopped
from ddpg.files import Lock, check_plot_folder, new_file
from ddpg.molgan.agent import Metrics, MolGAN
from ddpg.molgan.config import MolGANConfig
from ddpg.molgan.dataset import Dataset
from ddpg.molgan.evaluation import SHARES, data_scores, evaluate_generator, generate
from ddpg.molgan.molecules import to_molecules, to_smiles
from ddpg.molgan.pictures import draw_curves, draw_molecules
from ddpg.molgan.restore import MOLECULES, dataset_of, describe, load, named_variables, saved_config, snapshot_of
from ddpg.molgan.rewards import Reward
from ddpg.molgan.training import Epoch, train
from ddpg.records import Records, check_records, refuse_existing
from ddpg.signals import StopRequest
from ddpg.snapshot import all_finite, damage_named, natural

COUNTED = (*SHARES, *(f"molgan_{name}" for name in SHARES), "objective")
FIGURES = (*COUNTED, *(f"likeliest_{name}" for name in COUNTED))
COLUMNS = {
    "epochs": ("epoch", "steps", "rl_weight", "reward", *Metrics._fields, "seconds"),
    "evaluations": ("steps", *FIGURES, "score"),
}
EVALUATION_SEED = 1
DRAWN_FROM, DRAWN = 400, 24


class Run:
    """One run and its folder; `start` or `resume` makes it, `go` carries it through.

    Args:
        folder: The run folder.
        plot_folder: Where the pictures go.
        lock: Keeps other runs out of the folder.
        agent, dataset: What learns, and what from.
        records, checkpoints: What writes it down.
        last: Where the run stands.
        seconds: Wall-clock time that earlier sittings took.
        best: The best score of the run's evaluations so far.
    """

    def __init__(
        self,
        folder: Path,
        plot_folder: Path,
        lock: Lock,
        agent: MolGAN,
        dataset: Dataset,
        records: Records,
        checkpoints: Checkpoints,
        last: Epoch = Epoch(),
        seconds: float = 0.0,
        best: float | None = None,
    ) -> None:
        self.folder, self.lock, self.agent, self.dataset = folder, lock, agent, dataset
        self.config, self.records, self.checkpoints = agent.config, records, checkpoints
        self.molecules = dataset.digest
        self.known, self.reward = set(dataset.smiles), Reward(agent.config.objectives, dataset.smiles)
        self.last, self.best = last, best
        self.pictures = [plot_folder / f"molgan-{folder.resolve().name}{end}.png" for end in ("", "-molecules")]
        self.began = time.perf_counter() - seconds
        self.stop = StopRequest()

    def go(self, show_progress: bool = True) -> None:
        """Train to the end, or to the end of the epoch in which the user stops it.

        Raises:
            RunStopped: A loss is not finite, or the disk failed; the last whole checkpoint stands.
        """
        with ExitStack() as stack:
            for thing in (self.lock, self.records):
                stack.enter_context(closing(thing))
            bar = tqdm(total=self.config.epochs, initial=self.last.epoch, unit="epoch", disable=not show_progress)
            stack.enter_context(closing(bar))
            stack.enter_context(self.stop)
            bar.set_description("compiling the update")
            try:
                self._consume(bar)
            except RunStopped as error:
                raise RunStopped(f"{error}; the last sound checkpoint is in {self.folder}") from None
            except OSError as error:
                reason = f"cannot write {error.filename or self.folder}: {error.strerror}"
                raise RunStopped(f"{reason}; the last whole checkpoint in {self.folder} stands") from None

    def _consume(self, bar: tqdm) -> None:
        """Train, and do what is due at the end of each epoch."""
        if self.best is None:
            self._evaluate()  # the untrained generator is point 0 of the curve
            self._save()
        for epoch in train(self.agent, self.dataset, self.last):
            self.last = epoch
            self._record()
            if epoch.epoch % self.config.evaluate_every == 0:
                figures = self._evaluate()
                shown = ("likeliest_valid", "unique", "novel", "objective")
                bar.set_postfix_str(" ".join(f"{name} {figures[name]:.2f}" for name in shown))
                self._save()
            bar.set_description(f"epoch {epoch.epoch}", refresh=False)
            bar.update()
            if self.stop.number:
                break
        self._save()
        if not self.stop.number and self.last.epoch % self.config.evaluate_every:
            self._evaluate(final=True)
        self._draw()

    def _record(self) -> None:
        last = self.last
        row = {"epoch": last.epoch, "steps": last.rounds, "rl_weight": last.rl_weight, "reward": last.reward}
        assert last.metrics is not None
        self.records.add("epochs", row | last.metrics._asdict() | {"seconds": round(self.seconds, 3)})

    def _evaluate(self, final: bool = False) -> dict[str, Any]:
        """Measure the generator, and keep it if it is the best so far.

        A final evaluation, which falls between the regular ones, is cut off again when the run is made longer.
        """
        count, rewards = self.config.evaluation_samples, {"objective": self.reward}
        figures = evaluate_generator(self.agent, count, EVALUATION_SEED, self.known, rewards)
        score = self.config.score(figures)
        self.records.add("evaluations", {"steps": self.last.rounds} | figures | {"score": score})
        if self.best is None or (score > self.best and not final):
            self.best = score
            self.checkpoints.save_best(snapshot_of(self.agent, self._loop()))
        return figures

    def _save(self) -> None:
        """Write a checkpoint, unless the networks have broken: those must not replace sound ones."""
        if not all_finite(named_variables(self.agent)):
            raise RunStopped(f"epoch {self.last.epoch}: the networks became NaN or infinite")
        self.checkpoints.save(snapshot_of(self.agent, self._loop()))

    def _draw(self) -> None:
        """Draw the run's curves, and a few different molecules of the best generator so far."""
        objective, (curves, grid) = " × ".join(self.config.objectives), self.pictures
        kept = all_checkpoints(self.checkpoints.folder, "best")
        best = load(kept[-1])[0] if kept else self.agent
        data = data_scores(self.dataset.smiles, {"objective": self.reward})["objective"]
        draw_curves(self.folder, objective, data, best.rounds if kept else None, curves)
        generated = to_molecules(generate(best, DRAWN_FROM, EVALUATION_SEED)[0])
        shown = list({to_smiles(molecule): molecule for molecule in generated if molecule}.values())[:DRAWN]
        if shown:
            draw_molecules(shown, self.reward(shown)[:, 0], objective, grid)

    @property
    def seconds(self) -> float:
        """Wall-clock time of the run so far, earlier sittings included."""
        return time.perf_counter() - self.began

    def _loop(self) -> dict[str, Any]:
        """Return what the loop must know to go on, JSON-ready."""
        return {
            "epoch": asdict(replace(self.last, metrics=None)),
            "seconds": self.seconds,
            "best": self.best,
            "molecules": self.molecules,
            "positions": self.records.positions(),
        }


def start(config: MolGANConfig, dataset: Dataset, folder: Path, plot_folder: Path) -> Run:
    """Make a new run and its folder; nothing is written unless all of the request can be met."""
    refuse_existing(folder)
    check_plot_folder(plot_folder)
    agent = MolGAN(config)
    records = Records(folder, config, COLUMNS)
    with new_file(folder / MOLECULES) as file:
        file.write("\n".join([*dataset.smiles, ""]).encode())
    checkpoints = Checkpoints(folder / "checkpoints", config.keep)
    return Run(folder, plot_folder, Lock(folder), agent, dataset, records, checkpoints)


def resume(path: Path, epochs: int | None, plot_folder: Path) -> Run:
    """Open an interrupted or finished run.

    Args:
        path: The run folder, for its newest checkpoint, or one of its checkpoints.
        epochs: A larger number of epochs than the run was to have, or None.
        plot_folder: Where the pictures go.

    Raises:
        RequestError: There is no whole checkpoint, or the run is going on elsewhere.
    """
    place = named_as_resume(find_checkpoint, path)
    folder = place.parent.parent
    lock = Lock(folder)
    try:
        description = named_as_resume(describe, place)
        config = saved_config(place, description)
        if epochs is not None:
            if epochs < config.epochs:
                raise RequestError(f"the run was to have {config.epochs} already; give that or more", "epochs")
            config = replace(config, epochs=epochs)
        agent, _ = named_as_resume(load, place, config)
        with damage_named(place / "run.json"):
            saved = description["epoch"]
            last = Epoch(natural(saved["epoch"]), natural(saved["rounds"]))
            best = None if description["best"] is None else float(description["best"])
            positions = {name: natural(description["positions"][name]) for name in COLUMNS}
            seconds = float(description["seconds"])
        dataset = named_as_resume(dataset_of, place, description)
        check_records(folder, positions)
        check_plot_folder(plot_folder)
        checkpoints = Checkpoints(place.parent, config.keep)
        checkpoints.forget_after(place)
        if best is not None and not all_checkpoints(place.parent, "best"):
            best = -1.0  # the best was newer than the checkpoint; the next to be evaluated is the best there is
        records = Records.reopen(folder, config, positions, COLUMNS)
    except BaseException:
        lock.close()
        raise
    return Run(folder, plot_folder, lock, agent, dataset, records, checkpoints, last, seconds, best)
