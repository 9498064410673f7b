"""Figures as files: one style for all pictures, and an image viewer never sees half of one."""

from pathlib import Path

from matplotlib.figure import Figure

from ddpg.storage.files import refuse_foreign, replaced

# Okabe and Ito's colors, which color-blind readers can tell apart.
EPISODE, AVERAGE, EVALUATION = "#999999", "#0072b2", "#d55e00"
LONG_NAME = 60  # characters; longer names in a legend stand one below the other
MARK = {"Software": "ddpg-reference"}  # in the PNG, so that this program knows its own pictures


def finish(figure: Figure, plot_path: Path) -> None:
    """Add the grid and the legend, below the axes where it hides nothing, and save the figure."""
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    names = [name for axes in figure.axes for name in axes.get_legend_handles_labels()[1]]
    columns = 1 if any(len(name) > LONG_NAME for name in names) else 3
    legend = figure.legend(loc="outside lower center", ncols=columns, fontsize="small")
    for text in (*legend.get_texts(), *(axes.title for axes in figure.axes)):
        text.set_parse_math(False)  # names of tasks and settings may have dollar signs
    save(figure, plot_path)


def save(figure: Figure, plot_path: Path, **options) -> None:
    """Write a figure atomically; the options are those of `savefig`."""
    plot_path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(plot_path) as partial:
        figure.savefig(partial, format="png", metadata=MARK, **options)


def check_picture(plot_path: Path, setting: str | None) -> None:
    """Refuse to draw over a file that is no picture of this program; `setting` is the option that names it."""
    mark = b"Software\0" + MARK["Software"].encode()  # as PNG writes it, before the pixels
    refuse_foreign(plot_path, lambda start: mark in start, "a picture", setting)
