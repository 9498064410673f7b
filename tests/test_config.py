"""`Config` is the one home of every setting; wrong values are refused by name."""

import json
from dataclasses import replace

import pytest

import evaluate
import train
from ddpg.command_line import Parser, add_flags, config_from
from ddpg.config import PRESETS, Config
from ddpg.errors import RequestError
from ddpg.settings import inside


def parsed(*flags: str) -> Config:
    parser = Parser(prog="train.py", allow_abbrev=False)
    add_flags(parser)
    return config_from(parser.parse_args(flags))


def test_the_defaults_are_the_settings_printed_in_the_second_post():
    blog = PRESETS["blog"]
    assert blog == Config()
    assert (blog.gamma, blog.tau, blog.batch_size, blog.buffer_size) == (0.99, 0.005, 64, 1_000_000)
    assert (blog.noise, blog.noise_scale, blog.episodes, blog.env) == ("gaussian", 0.1, 250, "Pendulum-v1")
    # Some documentation pages swap these two.
    assert (blog.actor_learning_rate, blog.critic_learning_rate) == (1e-4, 1e-3)
    assert blog.hidden_units == (400, 300)
    assert (blog.train_frequency, blog.gradient_steps) == (1, 1)


def test_the_papers_preset_holds_the_papers_settings_and_a_flag_wins():
    paper = parsed("--preset", "paper", "--tau", "0.01")
    assert paper == replace(PRESETS["paper"], tau=0.01)
    assert PRESETS["paper"].tau == 0.001
    assert (paper.actor_learning_rate, paper.critic_learning_rate, paper.critic_weight_decay) == (1e-4, 1e-3, 0.01)
    assert (paper.noise, paper.noise_scale, paper.batch_size, paper.buffer_size) == ("ou", 0.2, 64, 1_000_000)
    assert (paper.batch_normalization, paper.initialization, paper.action_layer) == (True, "fan_in", 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tau", 0.0),
        ("tau", 1.5),
        ("tau", float("nan")),
        ("gamma", 1.5),
        ("gamma", -0.1),
        ("batch_size", 0),
        ("batch_size", 2_000_000),
        ("batch_size", 1.5),
        ("batch_size", True),
        ("noise_scale", -1.0),
        ("noise_scale", float("inf")),
        ("actor_learning_rate", 0.0),
        ("noise", "pink"),
        ("hidden_units", (400,)),
        ("hidden_units", (400, 0)),
        ("hidden_units", 400),
        ("action_bound", 0.0),
        ("seed", -1),
        ("steps", 0),
        ("env_kwargs", [1]),
        ("jit_compile", 1),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_setting(name, value):
    with pytest.raises(RequestError) as caught:
        Config(**{name: value})
    assert caught.value.setting == name
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "interval", "expected"),
    [(0, "(0, 1]", False), (1, "(0, 1]", True), (0, "[0, 1]", True), (float("inf"), "[1, inf)", False)],
)
def test_intervals_read_as_mathematicians_write_them(number, interval, expected):
    assert inside(number, interval) is expected


def test_every_field_has_a_flag_and_a_flag_wins_over_the_preset():
    config = parsed("--gamma", "0.9", "--steps", "500", "--hidden-units", "20", "10", "--no-jit-compile")
    assert config == Config(gamma=0.9, steps=500, hidden_units=(20, 10), jit_compile=False)
    assert parsed("--env-kwargs", '{"g": 9.81}').env_kwargs == {"g": 9.81}


@pytest.mark.parametrize(
    "flags", [("--env-kwargs", "{g: 1}"), ("--env-kwargs", "[1]"), ("--steps", "1", "--episodes", "1")]
)
def test_malformed_flags_get_one_line_and_exit_code_2(flags, capsys):
    with pytest.raises(SystemExit) as caught:
        parsed(*flags)
    error = capsys.readouterr().err
    assert caught.value.code == 2
    assert error.count("\n") == 1
    assert flags[-2] in error


def test_settings_survive_json():
    config = Config(env_kwargs={"g": 9.81}, steps=10, hidden_units=(3, 2))
    assert Config.from_json(json.loads(json.dumps(config.as_json()))) == config


def test_settings_of_another_version_are_refused():
    with pytest.raises(RequestError, match="unknown setting 'momentum'"):
        Config.from_json({"momentum": 0.9})


@pytest.mark.parametrize(("script", "flag"), [(train, "--gam"), (train, "--episode"), (evaluate, "--episode")])
def test_the_parsers_guess_no_abbreviations(script, flag):
    required = [] if script is train else ["--checkpoint", "run"]
    with pytest.raises(SystemExit):
        script.parse([*required, flag, "1"])
