"""Optuna's own pictures of a study."""

import warnings
from pathlib import Path
from typing import Any

from ddpg.storage.figures import save


def draw_study(study: Any, folder: Path) -> list[Path]:
    """Draw Optuna's history of a study, and which settings mattered; return the pictures that were drawn.

    Args:
        study: The study.
        folder: Where to write `history.png` and `importance.png`.
    """
    import matplotlib

    matplotlib.use("Agg")
    import optuna
    from matplotlib import pyplot

    plots, drawn = optuna.visualization.matplotlib, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental features of Optuna
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        for name, draw in (
            ("history", lambda: plots.plot_optimization_history(study, target_name="return")),
            ("importance", lambda: plots.plot_param_importances(study, evaluator=evaluator)),
        ):
            try:
                figure: Any = draw().figure
            except (ValueError, RuntimeError):  # too few trials to say anything
                continue
            drawn.append(folder / f"{name}.png")
            save(figure, drawn[-1], dpi=110, bbox_inches="tight")
            pyplot.close(figure)
    return drawn
