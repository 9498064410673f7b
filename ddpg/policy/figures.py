"""What `evaluate.py` prints: the figures of one source, or of two and their difference over the same starts."""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ddpg.command.paths import shown
from ddpg.command.text import number
from ddpg.evaluation import ActingAgent, Evaluation
from ddpg.experience.controllers import Controller
from ddpg.policy.sources import Source


class Measured(NamedTuple):
    """The evaluation of what acted."""

    source: Source
    agent: ActingAgent
    evaluation: Evaluation
    films: tuple[Path, ...] = ()


def as_json(measured: Sequence[Measured]) -> dict[str, Any]:
    """Return the figures that `--json` prints: those of the policy, and beside it those of the controller."""
    first, *others = [figures_of(each) for each in measured]
    for other, each in zip(others, measured[1:], strict=True):
        difference = measured[0].evaluation.minus(each.evaluation)
        first |= {"compared_with": other, "difference": difference_as_json(difference)}
    return first


def figures_of(measured: Measured) -> dict[str, Any]:
    """Return the figures of one source, JSON-ready."""
    source, agent = measured.source, measured.agent
    figures = {source.kind: source.origin} | measured.evaluation.as_json(source.config.env)
    if source.config.env_kwargs:
        figures["env_kwargs"] = source.config.env_kwargs
    if isinstance(agent, Controller):
        figures |= {"actions": agent.actions, "clipped_actions": agent.clipped}
    if measured.films:
        figures["films"] = [str(path) for path in measured.films]
    return figures


def difference_as_json(difference: Evaluation) -> dict[str, Any]:
    """Return the paired difference, JSON-ready; its interval is null for a single episode."""
    mean, half_width = difference.mean, difference.half_width
    low, high = (mean - half_width, mean + half_width) if math.isfinite(half_width) else (None, None)
    better, worse = wins(difference)
    return {"mean": mean, "low": low, "high": high, "better": better, "worse": worse}


def wins(difference: Evaluation) -> tuple[int, int]:
    """Return in how many episodes the first one returned more, and in how many less."""
    return sum(value > 0 for value in difference.returns), sum(value < 0 for value in difference.returns)


def report(measured: Sequence[Measured], arguments: argparse.Namespace) -> Iterator[str]:
    """Yield the lines that are printed without `--json`."""
    config, count = measured[0].source.config, arguments.episodes
    given = f" {json.dumps(config.env_kwargs)}" if config.env_kwargs else ""
    seeds = f"s, seeds from {arguments.seed} on" if count > 1 else f", seed {arguments.seed}"
    task = f"task        {config.env}{given}, {count} noise-free episode{seeds}"
    for each in measured:
        yield f"{each.source.kind:12}{each.source.origin}"
        if each is measured[0]:
            yield task
        yield from lines_of(each)
        if each.films:
            last = f" to {each.films[-1].name}" if len(each.films) > 1 else ""
            yield f"films       {shown(each.films[0], arguments.start)}{last}"
    if arguments.record:
        yield f"record      {shown(arguments.record, arguments.start)}"
    for other in measured[1:]:
        yield from comparison(measured[0], other)


def lines_of(measured: Measured) -> Iterator[str]:
    """Yield the figures of one source."""
    evaluation, agent = measured.evaluation, measured.agent
    yield f"mean        {number(evaluation.mean)}{interval(evaluation)}"
    figures = evaluation.as_json("")
    for name in ("std", "median", "min", "max"):
        yield f"{name:12}{number(figures[name])}"
    if evaluation.success_rate is not None:
        yield f"success     {sum(evaluation.successes)} of {len(evaluation.successes)} episodes"
    if isinstance(agent, Controller) and agent.clipped:
        yield f"clipped     {agent.clipped} of {agent.actions} actions were outside of the task's bounds"


def comparison(first: Measured, second: Measured) -> Iterator[str]:
    """Yield the paired difference of two sources over the same starts, and how often each was better."""
    one, other = first.source.kind, second.source.kind
    difference = first.evaluation.minus(second.evaluation)
    better, worse = wins(difference)
    equal = len(difference.returns) - better - worse
    yield f"difference  {number(difference.mean)}{interval(difference)}, {one} - {other}, over the same starts"
    yield f"better      the {one} in {better}, the {other} in {worse}" + (f", equal in {equal}" if equal else "")


def interval(evaluation: Evaluation) -> str:
    """Return the 95 % confidence interval of a mean, or nothing for a single episode."""
    if len(evaluation.returns) < 2:
        return ""
    return f" ± {number(evaluation.half_width)} (95 % confidence interval)"
