"""A MolGAN training run: the training loop plus logging, evaluation, checkpoints and plots."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from tqdm import tqdm

from ddpg.command.signals import Stopped
from ddpg.molgan.agent import Metrics, MolGAN
from ddpg.molgan.agent_state import load, open_checkpoint, snapshot_of
from ddpg.molgan.chemistry.dataset import Dataset
from ddpg.molgan.chemistry.molecules import to_molecules, to_smiles
from ddpg.molgan.chemistry.rewards import Reward
from ddpg.molgan.evaluation import SHARES, data_scores, evaluate_generator, generate
from ddpg.molgan.plotting import draw_curves, draw_molecules
from ddpg.molgan.training import Epoch, train
from ddpg.storage.checkpoint_format import Snapshot
from ddpg.storage.checkpoints import all_checkpoints
from ddpg.storage.files import short_name
from ddpg.storage.run_folder import RunFolder, run_errors

RESULTS = (*SHARES, *(f"molgan_{name}" for name in SHARES), "objective")
COLUMNS = {  # the steps are updates
    "epochs": ("epoch", "steps", "rl_weight", "reward", *Metrics._fields, "seconds"),
    "evaluations": ("steps", *RESULTS, *(f"likeliest_{name}" for name in RESULTS), "score"),
}
EVALUATION_SEED = 1  # every evaluation uses the same z, so its curve shows the generator and not the luck of the draw
SAMPLED_FOR_PLOT, PLOTTED_MOLECULES = 400, 24


class TrainingRun:
    """One run; `ddpg.molgan.start` makes it, `train` carries it out.

    Args:
        agent: The agent.
        dataset: The real molecules.
        folder: The run folder.
        plot_dir: Where to draw the plots.
        epoch: The last epoch, for a resumed run.
        notes: What the user should know before the run starts.

    Attributes:
        plot_paths: The curves and the molecules.
        results: Those of the last evaluation; empty before the first.
    """

    def __init__(
        self,
        agent: MolGAN,
        dataset: Dataset,
        folder: RunFolder,
        plot_dir: Path,
        epoch: Epoch = Epoch(),
        notes: Sequence[str] = (),
    ) -> None:
        self.agent, self.config = agent, agent.config
        self.dataset, self.folder = dataset, folder
        self.plot_paths = [
            plot_dir / short_name(f"molgan-{folder.path.resolve().name}", f"{end}.png") for end in ("", "-molecules")
        ]
        self.epoch, self.notes = epoch, notes
        self.results: dict[str, float] = {}
        self._point: Snapshot | None = None  # the end of the last epoch
        self._reward = Reward(self.config.objectives, dataset.smiles)
        self._data_smiles, self._digest = set(dataset.smiles), dataset.digest

    def train(self, show_progress: bool = True) -> None:
        """Train to the end, or until the user stops the run, which is saved as of the end of its last epoch.

        Raises:
            RunStopped: A loss is not finite, or the disk failed; the last checkpoint is intact.
        """
        with ExitStack() as stack:
            stack.enter_context(self.folder)
            bar = tqdm(total=self.config.epochs, initial=self.epoch.number, unit="epoch", disable=not show_progress)
            stack.enter_context(closing(bar))
            stack.enter_context(run_errors(self.folder.path))  # an epoch that failed halfway cannot be saved
            bar.set_description("compiling the update")
            try:
                self._train_loop(bar)
            except Stopped:
                if self._point:
                    self.folder.save(self._point)

    def _train_loop(self, bar: tqdm) -> None:
        """Train, and at the end of each epoch log, evaluate and save what is due.

        Raises:
            Stopped: The user stopped the run in the middle of an epoch.
        """
        if self.folder.best is None:
            self._evaluate()  # the untrained generator is point 0 of the curve
            self._save()  # from here on there is always a checkpoint to resume from
        for epoch in train(self.agent, self.dataset, self.epoch, self.folder.stop.check):
            self.epoch = epoch
            self._log()
            if self._evaluation_is_due():
                self._evaluate()
                self._save()
                shown = ("likeliest_valid", "unique", "novel", "objective")
                bar.set_postfix_str(" ".join(f"{name} {self.results[name]:.2f}" for name in shown))
            bar.set_description(f"epoch {self.epoch.number}", refresh=False)
            bar.update()
            if self.folder.stop.signal_number:
                break
            self._point = self._snapshot()
        self._save()
        if not self.folder.stop.signal_number and not self._evaluation_is_due():
            self._evaluate(final=True)
        with self.folder.by_products("the plot"):
            self._plot()

    def _evaluation_is_due(self) -> bool:
        return self.epoch.number % self.config.evaluate_every == 0

    def _log(self) -> None:
        epoch = self.epoch
        assert epoch.metrics is not None
        row = {"epoch": epoch.number, "steps": epoch.updates, "rl_weight": epoch.rl_weight, "reward": epoch.reward}
        self.folder.log.add("epochs", row | epoch.metrics._asdict() | {"seconds": round(self.folder.seconds, 3)})

    def _evaluate(self, final: bool = False) -> None:
        """Evaluate the generator, and keep it if it is the best so far.

        A final evaluation, outside the schedule, is dropped when the run is extended.
        """
        count, rewards = self.config.evaluation_samples, {"objective": self._reward}
        self.results = evaluate_generator(self.agent, count, EVALUATION_SEED, self._data_smiles, rewards)
        score = self.config.score(self.results)
        self.folder.log.add("evaluations", {"steps": self.epoch.updates} | self.results | {"score": score})
        self.folder.save_if_best(score, self._snapshot, final)

    def _save(self) -> None:
        self._point = self._snapshot()
        self.folder.save(self._point)

    def _snapshot(self) -> Snapshot:
        return snapshot_of(self.agent, self.epoch, self._digest, self.folder.state())

    def _plot(self) -> None:
        """Draw the curves, and a few different molecules of the best generator so far."""
        objective, (curves, grid) = " × ".join(self.config.objectives), self.plot_paths
        saved = all_checkpoints(self.folder.checkpoints.folder, best=True)
        best = load(open_checkpoint(saved[-1])) if saved else self.agent
        data_score = data_scores(self.dataset.smiles, {"objective": self._reward})["objective"]
        draw_curves(self.folder.path, objective, data_score, best.updates if saved else None, curves)
        generated = to_molecules(generate(best, SAMPLED_FOR_PLOT, EVALUATION_SEED)[0])
        different = list({to_smiles(molecule): molecule for molecule in generated if molecule}.values())
        if molecules := different[:PLOTTED_MOLECULES]:
            draw_molecules(molecules, self._reward(molecules)[:, 0], objective, grid)
