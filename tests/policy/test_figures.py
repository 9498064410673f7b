"""What `evaluate.py` prints, line by line, of evaluations that are made up."""

import argparse
from pathlib import Path

import pytest

from ddpg import Config, Evaluation
from ddpg.policy.figures import Measured, as_json, report
from ddpg.policy.sources import Source


def measured(returns, kind="checkpoint", config=Config(), films=(), successes=()):
    return Measured(Source(kind, f"my/{kind}", config, None), object(), Evaluation(returns, successes), films)


def lines(*sources, **arguments):
    given = {"episodes": len(sources[0].evaluation.returns), "seed": 3, "record": None, "start": Path("/here")}
    return list(report(sources, argparse.Namespace(**given | arguments)))


def test_the_report_of_one_policy():
    films = tuple(Path(f"/here/films/{k}.mp4") for k in range(3))
    assert lines(measured((1.0, 2.0, 6.0), films=films, successes=(True, False, True)), record=Path("/here/r.npz")) == [
        "checkpoint  my/checkpoint",
        "task        Pendulum-v1, 3 noise-free episodes, seeds from 3 on",
        "mean        3 ± 6.572 (95 % confidence interval)",
        "std         2.16",
        "median      2",
        "min         1",
        "max         6",
        "success     2 of 3 episodes",
        "films       films/0.mp4 to 2.mp4",
        "record      r.npz",
    ]


def test_two_sources_are_told_apart_and_ties_are_neither_ones():
    one, other = measured((1.0, 2.0, 6.0, 0.0)), measured((0.0, 2.0, 3.0, 1.0), "controller")
    assert (
        lines(one, other)[7:8] == ["controller  my/controller"] or lines(one, other)[7] == "controller  my/controller"
    )
    *_, difference, better = lines(one, other)
    assert (
        difference
        == "difference  0.75 ± 2.718 (95 % confidence interval), checkpoint - controller, over the same starts"
    )
    assert better == "better      the checkpoint in 2, the controller in 1, equal in 1"
    assert lines(measured((1.0, 2.0)), measured((0.0, 1.0), "controller"))[-1].endswith("in 2, the controller in 0")
    found = as_json([one, other])
    assert (found["difference"]["better"], found["difference"]["worse"]) == (2, 1)
    assert found["difference"]["low"] == pytest.approx(0.75 - 2.718, abs=1e-3)
    assert found["difference"]["high"] == pytest.approx(0.75 + 2.718, abs=1e-3)
    assert found["compared_with"]["controller"] == "my/controller" and found["checkpoint"] == "my/checkpoint"


def test_of_a_single_episode_there_is_one_film_one_seed_and_no_interval():
    text = lines(measured((1.0,), config=Config(env_kwargs={"g": 2}), films=(Path("/here/0.mp4"),)))
    assert text[1] == 'task        Pendulum-v1 {"g": 2}, 1 noise-free episode, seed 3'
    assert (text[2], text[-1]) == ("mean        1", "films       0.mp4")
