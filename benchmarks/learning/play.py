"""The page docs/play: trains the runs that it compares, and writes it with their networks and returns.

    python -m benchmarks.learning.play    # some minutes on two cores
    python -m benchmarks.learning.play --page    # only puts docs/play/index.html together again

It writes docs/play and results/play. Each run is 10,000 steps of Pendulum-v1 with small networks, so that all of them
fit into one page. A checkpoint is written at the end of an episode: that of step 500 is at step 600. An interrupted
benchmark continues where it stopped.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv
from benchmarks.common.patches import UNSCALED_ACTIONS, Patch, patched_copy
from ddpg.command.tensorflow import import_tensorflow
from ddpg.storage.checkpoints import all_checkpoints, step_of
from ddpg.storage.csv_files import read_columns

FOLDER = ROOT / "docs" / "play"
FLAGS = ("--hidden-units", "64x48", "--steps", "10000", "--threads", "1")
SCHEDULE = ("--evaluate-every", "500", "--checkpoint-every", "500", "--keep-checkpoints", "50")
STEPS = (0, 500, 1_000, 2_000, 5_000, 10_000)
LINKS = '<nav><a href="../index.md">All pages</a> · <a href="../equations.md">The equations</a></nav>'


class Run(NamedTuple):
    """A run to show: its name, what to say of it, and how it differs from the run as it is."""

    name: str
    about: str
    flags: tuple[str, ...] = ()
    patches: tuple[Patch, ...] = ()
    torque: float = 2.0  # N·m of an action of 1


RUNS = (
    Run("as it is", "The second post's settings, with small networks."),
    Run(
        "no target networks (tau 1)",
        "Equation 5 with τ = 1: the targets are copies of the networks, so the critic chases itself.",
        ("--tau", "1"),
    ),
    Run(
        "no replay buffer",
        "Each minibatch is the last 64 steps: neighbors, and what was learned elsewhere is forgotten.",
        ("--buffer-size", "64"),
    ),
    Run(
        "no noise",
        "Equation 6 with σ = 0: the policy is all that explores. In this run, that was enough.",
        ("--noise-sigma", "0"),
    ),
    Run(
        "unscaled actions",
        "The actor's tanh goes to the task as it is, so half of the torque is out of reach.",
        patches=UNSCALED_ACTIONS,
        torque=1.0,
    ),
)


def main() -> None:
    """Train the runs, or only put the page together."""
    parser = parser_for(__doc__)
    parser.add_argument(
        "--page", action="store_true", help="only put the page together, from the weights that are there"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "play", help="folder of the runs")
    add_output_flag(parser)
    arguments = parser.parse_args()
    import_tensorflow()
    from ddpg.report import play

    FOLDER.mkdir(exist_ok=True)
    if not arguments.page:
        folder = arguments.folder.absolute()
        shown = [trained(run, folder / run.name.replace(" ", "-")) for run in RUNS]
        export(folder / RUNS[0].name.replace(" ", "-"), arguments.out / "play" / "policy.onnx")
        (FOLDER / "weights.js").write_text(play.data_script(shown), encoding="utf-8")
        write_csv(arguments.out / "play" / "table.csv", rows(shown))
    (FOLDER / "index.html").write_text(page(), encoding="utf-8")


def trained(run: Run, run_dir: Path) -> dict[str, Any]:
    """Train a run unless it has been trained, and return it as the page shows it."""
    from ddpg.report.play import networks_of
    from ddpg.run.agent_state import load_for_acting

    if not is_trained(run_dir):
        with tempfile.TemporaryDirectory() as folder:
            code = patched_copy(Path(folder, "code"), run.patches)
            begun = bool(all_checkpoints(run_dir / "checkpoints"))
            flags = ["--resume"] if begun else [*FLAGS, *SCHEDULE, *run.flags, "--run-dir"]
            command = [sys.executable, "train.py", *flags, str(run_dir), "--plot-dir", folder, "--no-progress"]
            subprocess.run(command, cwd=code, check=True)
    found, evaluations = all_checkpoints(run_dir / "checkpoints"), read_columns(run_dir / "evaluations.csv")
    means = dict(zip(evaluations["steps"], evaluations["mean"], strict=True))
    checkpoints = []
    for wanted in STEPS:
        path = next(path for path in found if step_of(path) >= wanted)
        measured = {"steps": step_of(path), "mean": means[step_of(path)]}
        checkpoints.append(measured | networks_of(load_for_acting(path)))
    return {"name": run.name, "about": run.about, "torque": run.torque, "checkpoints": checkpoints}


def is_trained(run_dir: Path) -> bool:
    """Return whether a run has come to its end."""
    found = all_checkpoints(run_dir / "checkpoints")
    return bool(found) and step_of(found[-1]) >= STEPS[-1]


def export(run_dir: Path, out: Path) -> None:
    """Write the last policy of a run as ONNX too, for comparison with the page."""
    from ddpg.export import export_policy

    out.parent.mkdir(parents=True, exist_ok=True)
    export_policy(run_dir, out, overwrite=True)
    shutil.copy(run_dir / "config.json", out.parent)


def rows(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the returns of all runs as a table."""
    return [
        {"run": run["name"], "steps": checkpoint["steps"], "mean": checkpoint["mean"]}
        for run in shown
        for checkpoint in run["checkpoints"]
    ]


def page() -> str:
    """Return the page, which finds its networks in weights.js beside it."""
    from ddpg.report import play

    data = '<script src="weights.js"></script>'
    return "<!DOCTYPE html>\n" + play.document("DDPG alive", [LINKS, play.body(), data, play.scripts()])


if __name__ == "__main__":
    main()
