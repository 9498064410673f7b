"""What a finished run prints: what was trained, how good it became, where the files are, and the next command."""

import shlex
from pathlib import Path

from ddpg.command.command import command_words
from ddpg.command.paths import shown
from ddpg.command.text import number
from ddpg.evaluation import Evaluation
from ddpg.run.diagnosis import first_policy
from ddpg.run.plotting import OPTIMA
from ddpg.run.training_run import TrainingRun

# What is known of a task: the optimum, or else what this package has reached (docs/tasks.md).
YARDSTICKS = {
    "Pendulum-v1": f"the optimum is {OPTIMA['Pendulum-v1']} on average over 1,000 starts",
    "HalfCheetah-v5": "docs/tasks.md has 12,486 after 1,000,000 steps",
    "Hopper-v5": "docs/tasks.md has 2,986 after 1,000,000 steps",
    "InvertedDoublePendulum-v5": "docs/tasks.md has 9,236 after 100,000 steps",
    "InvertedPendulum-v5": "1,000 is the most that an episode can return",
    "LunarLanderContinuous-v3": "docs/tasks.md has 219 after 300,000 steps; 200 counts as solved",
    "MountainCarContinuous-v0": "docs/tasks.md has 93.6 after 300,000 steps; 90 counts as solved",
    "Reacher-v5": "docs/tasks.md has -4.2 after 100,000 steps",
    "Swimmer-v5": "docs/tasks.md has 351 after 1,000,000 steps",
    "Walker2d-v5": "docs/tasks.md has 3,599 after 1,000,000 steps",
}


def print_summary(run: TrainingRun, start: Path) -> None:
    """Print the results of a run.

    Args:
        run: The run, at its end.
        start: The folder that the command was started in: paths are printed as seen from there.
    """
    episode, updates, seconds = run.episode, run.agent.updates, run.folder.seconds
    per_step = (
        f"{(updates - run.config.data_updates) / episode.steps:.2f} per step" if episode.steps else "none per step"
    )
    print(f"trained     {episode.number} episodes, {episode.steps} steps, {updates} updates ({per_step})")
    print(f"took        {seconds:.0f} s with evaluations, {episode.steps / seconds:.0f} steps/s")
    if episode.recent_returns:
        average, count = number(episode.running_average), len(episode.recent_returns)
        print(f"return      {average}, mean of the last {count} noisy episodes")
    if episode.metrics:
        print(f"saturation  {episode.metrics.action_saturation:.2f} of the policy's actions are within 1 % of a bound")
    for line in evaluation_lines(run):
        print(line)
    folder = str(shown(run.folder.path, start))
    if run.is_good_enough():
        limits = {"--stop-at": run.config.stop_at, "--stop-at-success": run.config.stop_at_success}
        lifted = [word for flag, limit in limits.items() if limit is not None for word in (flag, "none")]
        resume = shlex.join([*command_words("ddpg-train", start), "--resume", folder, *lifted])
        print(f"stopped     {run.config.stop_evaluations} evaluations in a row were good enough; to go on: {resume}")
    print(f"run folder  {folder}")
    print(f"curve       {shown(run.plot_path, start)}")
    print("next        " + shlex.join([*command_words("ddpg-evaluate", start), "--checkpoint", folder]))


def evaluation_lines(run: TrainingRun) -> list[str]:
    """Return the lines on the first policy, the best one and the last one, all over the same starts."""
    if run.evaluation is None:
        return []
    last, lines, change, episodes = run.evaluation, [], "", len(run.evaluation.returns)
    label, first = first_policy(run.config)
    for name in ("untrained", "best"):
        if kept := run.kept_evaluation(name):
            step, evaluation = kept
            lines.append(f"{label if name == 'untrained' else name:12}{number(evaluation.mean)}, at step {step}")
            if name == "untrained" and len(evaluation.returns) == episodes and run.episode.steps:
                change = f"; {comparison(last, evaluation)} than {first}"
    lines.append(f"evaluation  {number(last.mean)}, std {number(last.std)}, {episodes} noise-free episodes{change}")
    if run.config.env in YARDSTICKS and not run.config.env_kwargs:
        lines.append(f"known       {YARDSTICKS[run.config.env]}")
    return lines


def comparison(last: Evaluation, first: Evaluation) -> str:
    """Return how much better the last policy is than the first one, with the paired difference's interval."""
    difference = last.minus(first)
    interval = f" ± {number(difference.half_width)}" if len(difference.returns) > 1 else ""
    word = "better" if difference.mean > 0 else "worse"
    return f"{number(abs(difference.mean))}{interval} {word}"
