"""The picture of what MolGAN's generators produce at each weight of the objective."""

from pathlib import Path

import numpy as np

from ddpg.storage.csv_files import read_rows


def draw_tradeoff(path: Path, plot_path: Path) -> None:
    """Draw the share of valid, unique and novel graphs and their score over λ: dots for seeds, lines for means."""
    from ddpg.storage.figures import EPISODE, EVALUATION, SMALL, new_figure, panels, save

    rows = read_rows(path)
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    on_line = sum(variant.startswith("λ") and "," not in variant for variant in variants)  # these come first, on a line
    figure = new_figure(8)
    measures = {
        "likeliest_valid": "valid before the sampler mends (share)",
        "unique": "unique (share of the valid)",
        "novel": "novel (share of the valid)",
        "objective": "mean solubility (0 to 1)",
    }
    for axes, (column, label) in zip(panels(figure, len(measures), 2), measures.items(), strict=True):
        for which, color, name in (("last", EPISODE, "at the end"), ("best", EVALUATION, "kept")):
            values = [
                [float(r[column]) for r in rows if (r["variant"], r["generator"]) == (v, which)] for v in variants
            ]
            for place, each in enumerate(values):
                axes.plot([place] * len(each), each, ".", color=color, alpha=0.6)
            means = [np.mean(each) for each in values]
            axes.plot(means[:on_line], color=color, marker="o", ms=4, label=name)
            axes.plot(range(on_line, len(means)), means[on_line:], "o", color=color, ms=4)
        if column == "objective":
            axes.axhline(float(rows[0]["data_objective"]), color="#999999", ls=":", label="the data")
        axes.set_xticks(range(len(variants)), variants, rotation=60, fontsize=SMALL)
        axes.set_ylim(-0.03, 1.03)
        axes.set_title(label, fontsize="medium")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=SMALL)
    seeds = sorted({len({row["seed"] for row in rows if row["variant"] == variant}) for variant in variants})
    many = " to ".join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))
    figure.suptitle(
        f"MolGAN for solubility: {int(rows[0]['samples']):,} graphs of each generator; {many} seeds and their means",
        fontsize="medium",
    )
    save(figure, plot_path)
