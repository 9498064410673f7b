"""Figures as files: one style for all pictures, and an image viewer never sees half of one.

All pictures have one width, and what needs more panels grows downwards, so that a page 840 pixels wide shows every
letter at 11 pixels or more.
"""

from pathlib import Path
from typing import Any

from ddpg.command.packages import whatever_backend
from ddpg.storage.files import refuse_foreign, replaced

with whatever_backend():
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter, StrMethodFormatter

WIDTH, DPI = 8.4, 150  # inches, dots per inch: 1,260 pixels; SMALL points are 12 pixels of 840
SMALL = 8.5
PANELS = 3  # side by side at most; more begin another row
# Okabe and Ito's colors, which color-blind readers can tell apart.
EPISODE, AVERAGE, EVALUATION = "#999999", "#0072b2", "#d55e00"
LINE_OF_LEGEND = 115  # characters that have room in a line of the legend
MARK = {"Software": "ddpg-reference"}  # in the PNG, so that this program knows its own pictures


def new_figure(height: float) -> Figure:
    """Return an empty figure of a height in inches."""
    return Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")


def panels(figure: Any, count: int, columns: int | None = None, **options) -> list:
    """Return the axes of so many panels in rows; the options are those of `subplots`."""
    columns = columns or min(PANELS, count)
    grid = list(figure.subplots(-(-count // columns), columns, squeeze=False, **options).flat)
    for axes in grid[count:]:
        axes.remove()
    return grid[:count]


def finish(figure: Figure, plot_path: Path) -> None:
    """Add the grid and the legend, below the axes where it hides nothing, and save the figure."""
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    names = [name for axes in figure.axes for name in axes.get_legend_handles_labels()[1]]
    columns = LINE_OF_LEGEND // (max(map(len, names), default=0) + 8)
    legend = figure.legend(loc="outside lower center", ncols=max(1, min(3, columns)), fontsize="small")
    for text in (*legend.get_texts(), *(axes.title for axes in figure.axes)):
        text.set_parse_math(False)  # names of tasks and settings may have dollar signs
    save(figure, plot_path)


def save(figure: Figure, plot_path: Path, **options) -> None:
    """Write a figure atomically, with its thousands separated; the options are those of `savefig`."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    plot_path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(plot_path) as partial:
        figure.savefig(partial, format="png", metadata=MARK, **options)


def check_picture(plot_path: Path, setting: str | None) -> None:
    """Refuse to draw over a file that is no picture of this program; `setting` is the option that names it."""
    mark = b"Software\0" + MARK["Software"].encode()  # as PNG writes it, before the pixels
    refuse_foreign(plot_path, lambda start: mark in start, "a picture", setting)
