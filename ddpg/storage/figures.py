"""Figures as files: one style for all pictures, and an image viewer never sees half of one."""

from pathlib import Path

from matplotlib.figure import Figure

# Okabe and Ito's colors, which color-blind readers can tell apart.
EPISODE, AVERAGE, EVALUATION = "#999999", "#0072b2", "#d55e00"
LONG_NAME = 60  # characters; longer names in a legend stand one below the other


def finish(figure: Figure, plot_path: Path) -> None:
    """Add the grid and the legend, below the axes where it hides nothing, and save the figure."""
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    names = [name for axes in figure.axes for name in axes.get_legend_handles_labels()[1]]
    columns = 1 if any(len(name) > LONG_NAME for name in names) else 3
    figure.legend(loc="outside lower center", ncols=columns, fontsize="small")
    save(figure, plot_path)


def save(figure: Figure, plot_path: Path) -> None:
    """Write a figure atomically."""
    plot_path.parent.mkdir(parents=True, exist_ok=True)
    partial = plot_path.with_name(f".{plot_path.name}.partial")
    figure.savefig(partial, format="png")
    partial.replace(plot_path)
