"""MolGAN's plots: the curves of a run, and some of its molecules."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import Draw

from ddpg.storage.csv_files import read_columns
from ddpg.storage.figures import AVERAGE, EPISODE, EVALUATION, WIDTH, finish, new_figure, save

GREEN = "#009e73"  # of the same color-blind-safe palette


def draw_curves(run_dir: Path, objective: str, data_score: float, best_step: int | None, plot_path: Path) -> None:
    """Draw the shares of valid, unique and novel graphs, and the mean score, over a run's updates.

    Args:
        run_dir: Holds `evaluations.csv`.
        objective: The name of the score, for the legend.
        data_score: The data's own mean score.
        best_step: The number of updates of the best generator so far, or None.
        plot_path: The PNG to write, atomically.
    """
    evaluations = read_columns(run_dir / "evaluations.csv")
    steps = evaluations["steps"]
    figure = new_figure(5)
    axes = figure.add_subplot()
    for name, color, width in (("valid", AVERAGE, 4), ("unique", GREEN, 1.5), ("novel", EPISODE, 1.5)):
        axes.plot(
            steps, evaluations[name], color=color, lw=width, label=f"{name} (share)"
        )  # valid and novel are often 1
    axes.plot(steps, evaluations["likeliest_valid"], color=AVERAGE, lw=1, ls="--", label="valid before repair (share)")
    axes.plot(steps, evaluations["objective"], color=EVALUATION, lw=2, label=f"mean {objective}")
    axes.axhline(data_score, color=EVALUATION, lw=1, ls=":", label=f"mean {objective} of the data")
    if best_step is not None:
        axes.axvline(best_step, color="black", lw=1, ls=":", label="best generator")
    axes.set_ylim(0, 1.02)
    axes.set_title(f"MolGAN, objective {objective}: {run_dir.name}")
    axes.set_xlabel("updates")
    axes.set_ylabel("share of the graphs, or score (0 to 1)")
    finish(figure, plot_path)


def draw_molecules(molecules: Sequence[Chem.Mol], scores: Iterable[float], objective: str, plot_path: Path) -> None:
    """Draw a grid of molecules, each with its score.

    Args:
        molecules: The molecules.
        scores: The score of each.
        objective: The name of the score, for the title.
        plot_path: The PNG to write, atomically.
    """
    legends = [f"{score:.2f}" for score in scores]
    image = Draw.MolsToGridImage(list(molecules), molsPerRow=6, subImgSize=(200, 170), legends=legends)
    figure = new_figure(0.4 + WIDTH * image.height / image.width)
    axes = figure.add_subplot()
    axes.imshow(image)
    axes.set_axis_off()
    axes.set_title(f"{len(legends)} different molecules of the best generator, with their {objective} (0 to 1)")
    save(figure, plot_path)
