"""MolGAN's pictures: the curves of a run, and some of its molecules."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from rdkit import Chem
from rdkit.Chem import Draw

from ddpg.plotting import AVERAGE, EPISODE, EVALUATION, finish, read_columns, save


def draw_curves(run_folder: Path, objective: str, data_mean: float, kept: int | None, picture: Path) -> None:
    """Draw a run: what shares of its graphs are valid, unique and novel, and what they score.

    Args:
        run_folder: Holds `evaluations.csv`.
        objective: What the run is rewarded for.
        data_mean: What the data score.
        kept: After how many updates the generator was the best so far, or None where none was kept.
        picture: The PNG to write, in one step.
    """
    evaluations = read_columns(run_folder / "evaluations.csv")
    figure = Figure(figsize=(9, 5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for name, colour in (("valid", AVERAGE), ("unique", "#009e73"), ("novel", EPISODE)):
        axes.plot(evaluations["steps"], evaluations[name], color=colour, label=f"{name} (share)")
    label = "valid before the sampler mends"
    axes.plot(evaluations["steps"], evaluations["likeliest_valid"], color=AVERAGE, lw=1, ls="--", label=label)
    axes.plot(evaluations["steps"], evaluations["objective"], color=EVALUATION, lw=2, label=f"mean {objective}")
    axes.axhline(data_mean, color=EVALUATION, lw=1, ls=":", label=f"{objective} of the data")
    if kept is not None:
        axes.axvline(kept, color="#999999", lw=1, ls="--", label="kept as the best")
    axes.set_ylim(0, 1.02)
    axes.set_title(f"MolGAN for {objective}: {run_folder.name}")
    axes.set_xlabel("updates of the generator")
    axes.set_ylabel("share of graphs, or score from 0 to 1")
    finish(figure, picture)


def draw_molecules(molecules: Sequence[Chem.Mol], scores: Iterable[float], objective: str, picture: Path) -> None:
    """Draw a grid of molecules, each with its score below it, into a PNG that appears in one step."""
    legends = [f"{score:.2f}" for score in scores]
    image = Draw.MolsToGridImage(list(molecules), molsPerRow=6, subImgSize=(200, 170), legends=legends)
    figure = Figure(figsize=(9, 0.4 + 9 * image.height / image.width), dpi=130, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(image)
    axes.set_axis_off()
    axes.set_title(f"{len(legends)} different molecules of the kept generator, and their {objective} (0 to 1)")
    save(figure, picture)
