"""Draw the picture of a study again from its CSV file: `python -m benchmarks.draw results/ablation`."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.common.molgan_plot import draw_tradeoff
from benchmarks.common.output import parser_for
from benchmarks.common.pictures import (
    draw_episode,
    draw_estimates,
    draw_optimum,
    draw_starts,
    draw_success,
    draw_variants,
)
from benchmarks.common.speed_pictures import draw_scaling, draw_simulators, draw_speeds, draw_times
from ddpg.storage.csv_files import read_rows

DRAWN_BY_COLUMN = {
    "generator": draw_tradeoff,
    "seconds": draw_times,
    "contender": draw_speeds,
    "quantity": draw_scaling,
    "simulators": draw_simulators,
    "variant": draw_variants,
    "optimal_value": draw_optimum,
    "estimate": draw_estimates,
    "success_rate": draw_success,
    "goal_x": draw_episode,
    "start": draw_starts,
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_for(__doc__)
    parser.add_argument(
        "study", type=Path, metavar="STUDY", help="a study, such as results/ablation, or a CSV file in it"
    )
    parser.add_argument("--out", type=Path, metavar="PICTURE.png", help="the picture (default: STUDY/picture.png)")
    arguments = parser.parse_args(argv)
    own = [arguments.study] if arguments.study.is_file() else []
    for table in own or (arguments.study / f"{name}.csv" for name in ("curves", "curve", "grid", "table")):
        rows = read_rows(table) if table.is_file() else []
        for column, draw in DRAWN_BY_COLUMN.items():
            if rows and column in rows[0] and not (column == "variant" and "mean" not in rows[0]):
                return draw(table, arguments.out or table.with_name("picture.png"))
    parser.error(f"{arguments.study} has no CSV file that is drawn here; try python -m ddpg.sweep compare")


if __name__ == "__main__":
    main()
