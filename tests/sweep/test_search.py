"""The space of tuning: how limits and values are typed, and what is refused."""

import re
from dataclasses import replace

import pytest

from ddpg import Config, RequestError
from ddpg.sweep.search import DEFAULT_SEARCH, Choice, Range, check_space, parse_search


def test_limits_and_values_are_read():
    assert parse_search(["tau=0.001..0.1:log", "batch-size=16..64", "hidden_units=64x64,400x300"]) == [
        Range("tau", 0.001, 0.1, log=True),
        Range("batch_size", 16, 64),
        Choice("hidden_units", ((64, 64), (400, 300))),
    ]


def test_the_default_space_is_allowed_and_holds_the_default_settings():
    space = parse_search(DEFAULT_SEARCH)
    check_space(space, Config(steps=1_000))
    assert all(part.parameter(Config()) for part in space)  # so the first trial can be the settings to start from


def test_a_setting_outside_of_the_limits_is_left_to_the_search():
    assert Range("tau", 0.1, 0.5).parameter(Config()) == {}
    assert Choice("batch_size", (1, 2)).parameter(Config()) == {}


@pytest.mark.parametrize(("text", "message"), [
    ("tau", "expected NAME=LOW..HIGH[:log] or NAME=A,B,C, got 'tau'"),
    ("tau=0.1..0.01", "LOW must be less than HIGH"),
    ("tau=0.1..0.1", "LOW must be less than HIGH"),
    ("steps=none..5", "LOW must be less than HIGH"),
    ("noise_sigma=0..1:log", "and more than 0 with :log"),
    ("tau=0.1..0.2:lin", "only numbers have limits"),
    ("noise=a..b", "only numbers have limits"),
    ("hidden_units=1x1..2x2", "only numbers have limits"),
    ("seed=0..5", "seed cannot vary; use --seeds"),
    ("nothing=1,2", "there is no setting 'nothing'"),
])  # fmt: skip
def test_a_space_that_makes_no_sense_is_refused(text, message):
    with pytest.raises(RequestError, match="^search: .*" + re.escape(message)):
        parse_search([text])


def test_limits_that_a_setting_does_not_allow_are_refused_before_anything_is_trained():
    with pytest.raises(RequestError, match=re.escape("search: tau=2.0: 2.0 is outside (0, 1]")):
        check_space(parse_search(["tau=0.5..2"]), Config())
    with pytest.raises(RequestError, match="search: batch_size=64: 64 is more than the replay buffer holds"):
        check_space(parse_search(["batch_size=8,64"]), replace(Config(), batch_size=8, buffer_size=8))


class Trial:
    """Answers with what it was asked."""

    def suggest_int(self, *arguments, **words):
        return "int", *arguments, words

    def suggest_float(self, *arguments, **words):
        return "float", *arguments, words

    def suggest_categorical(self, name, texts):
        self.asked = name, texts
        return texts[-1]


def test_a_trial_is_asked_for_whole_numbers_within_both_limits_or_for_one_of_the_values():
    whole, number, sizes = parse_search(["batch_size=16..64", "tau=0.001..0.1:log", "hidden_units=64x64,400x300"])
    assert whole.suggest(Trial()) == ("int", "batch_size", 16, 64, {"log": False})
    assert number.suggest(Trial()) == ("float", "tau", 0.001, 0.1, {"log": True})
    assert sizes.suggest(trial := Trial()) == (400, 300) and trial.asked == ("hidden_units", ["64x64", "400x300"])


@pytest.mark.parametrize(("value", "inside"), [(0.1, True), (0.5, True), (0.3, True), (0.09, False), (0.6, False)])
def test_both_limits_are_inside(value, inside):
    assert Range("tau", 0.1, 0.5).parameter(Config(tau=value)) == ({"tau": value} if inside else {})
    assert Choice("tau", (0.1, 0.3, 0.5)).parameter(Config(tau=value)) == ({"tau": str(value)} if inside else {})
