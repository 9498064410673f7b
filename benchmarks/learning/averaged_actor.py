"""The actor that learns beside its average, along the same runs: what `--evaluation-tau` is good for.

    python -m benchmarks.learning.averaged_actor sweeps/hopper sweeps/walker    # some minutes per task

The runs need `--evaluation-tau` below 1 and a checkpoint for each evaluation (`--checkpoint-every` as
`--evaluate-every`, and `--keep-checkpoints` large enough). The average's returns are those that the run has logged.
The actor's own are measured here, over the same starts. Both are means of single evaluations.

It writes results/average, and prints each run's mean over its last ten evaluations.
"""

from pathlib import Path

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for
from benchmarks.common.runs import LAST
from ddpg.command.tensorflow import import_tensorflow
from ddpg.compare.compare import compare
from ddpg.compare.curves import Curve, read_run, run_folders, write_curves
from ddpg.compare.plotting import draw_comparison


class LearningActor:
    """The actor that learns, of an agent that evaluates its average; it acts with NumPy."""

    def __init__(self, agent) -> None:
        from ddpg.fast import numpy_policy

        self.normalized, self.policy = agent.normalized, numpy_policy(agent.actor)

    def act(self, state: np.ndarray, explore: bool = True) -> np.ndarray:
        """Return μ(s), `(action_size,)`."""
        return self.policy(self.normalized(state))


def main() -> None:
    """Evaluate the actors of all runs, write the curves and draw them."""
    parser = parser_for(__doc__)
    parser.add_argument("sweeps", type=Path, nargs="+", help="folders with runs")
    add_output_flag(parser)
    arguments = parser.parse_args()
    import_tensorflow()
    curves = [curve for sweep in arguments.sweeps for run in run_folders(sweep) for curve in both_curves(run)]
    path = arguments.out / "average" / "curves.csv"
    write_curves(curves, path)
    draw_comparison(compare(curves, LAST), curves, path.with_name("picture.png"))
    for curve in curves:
        print(f"{curve.task}, seed {curve.seed}, {curve.setting}: {curve.scores[-LAST:].mean():.1f}")


def both_curves(run: Path) -> tuple[Curve, Curve]:
    """Return the curves of a run's actor and of its average, at the evaluations that have a checkpoint."""
    from ddpg.evaluation import evaluate
    from ddpg.run.agent_state import load_for_acting
    from ddpg.seeding import integer_seed
    from ddpg.task.environments import open_environment

    logged = read_run(run)
    checkpoints = [run / "checkpoints" / f"step-{int(steps):09d}" for steps in logged.steps]
    kept = [k for k, checkpoint in enumerate(checkpoints) if checkpoint.is_dir()]
    scores = []
    for k in kept:
        agent = load_for_acting(checkpoints[k])
        config = agent.config
        seed = integer_seed(config.seed, "evaluation")
        with open_environment(config) as environment:
            scores.append(evaluate(LearningActor(agent), environment, config.evaluation_episodes, seed).mean)
    average = logged._replace(setting="its average", steps=logged.steps[kept], scores=logged.scores[kept])
    return average._replace(setting="the actor", scores=np.array(scores)), average


if __name__ == "__main__":
    main()
