"""The settings of a sweep: what `--vary` means, and what each combination is called."""

import re
from dataclasses import replace

import pytest

from ddpg import Config, RequestError
from ddpg.molgan.config import MolGANConfig
from ddpg.sweep.grid import combinations, parse_value, parse_vary, seeded, text_of


def test_values_have_the_types_of_their_settings():
    texts = ["tau=0.01,1", "batch-size=32", "hidden_units=400x300,64x64", "batch_normalization=true,false"]
    texts += ["noise=ou", "action_bound=none,2"]
    assert parse_vary(texts, Config) == {
        "tau": (0.01, 1.0),
        "batch_size": (32,),
        "hidden_units": ((400, 300), (64, 64)),
        "batch_normalization": (True, False),
        "noise": ("ou",),
        "action_bound": (None, 2.0),
    }
    assert parse_vary(["rl-weight=0,0.5"], MolGANConfig) == {"rl_weight": (0.0, 0.5)}


def test_a_value_given_twice_is_one_run():
    assert parse_vary(["tau=0.1,0.10"], Config) == {"tau": (0.1,)}


@pytest.mark.parametrize("value", [None, True, 0.005, 64, (400, 300), "ou"])
def test_the_text_of_a_value_is_read_back(value):
    names = {bool: "jit_compile", float: "tau", int: "batch_size", tuple: "hidden_units", str: "noise"}
    field = Config.__dataclass_fields__[names.get(type(value), "steps")]
    assert parse_value(text_of(value), field, Config, "vary") == value


@pytest.mark.parametrize(("text", "message"), [
    ("tua=1", "vary: there is no setting 'tua'; choose from env, env_kwargs"),
    ("seed=1,2", "vary: seed cannot vary; use --seeds"),
    ("env=A,B", "vary: env cannot vary; use --env A,B"),
    ("tau", "vary: expected NAME=V1,V2,..., got 'tau'"),
    ("tau=", "vary: expected NAME=V1,V2,..., got 'tau='"),
    ("tau=a", "vary: tau: expected a number, got 'a'"),
    ("batch_size=1.5", "vary: batch_size: expected a whole number, got '1.5'"),
    ("jit_compile=1", "vary: jit_compile: expected true or false, got '1'"),
    ("hidden_units=400", "vary: hidden_units: expected two whole numbers such as 400x300, got '400'"),
    ("hidden_units=400xx", "vary: hidden_units: expected two whole numbers such as 400x300, got '400xx'"),
])  # fmt: skip
def test_a_setting_that_cannot_vary_is_refused(text, message):
    with pytest.raises(RequestError, match=f"^{re.escape(message)}"):
        parse_vary([text], Config)


def test_a_setting_given_twice_is_refused():
    with pytest.raises(RequestError, match="vary: tau appears twice"):
        parse_vary(["tau=0.1", "tau=0.2"], Config)


def make(chosen: dict) -> Config:
    return replace(Config(), **chosen)


def test_every_combination_has_a_name_of_what_varies():
    choices = {"env": ["A/B-v0"], "tau": (0.1, 0.2), "batch_size": (32, 64), "gamma": (0.5,)}
    made = dict(combinations(choices, make))
    assert list(made) == [f"A_B-v0,tau={tau},batch_size={size}" for tau in (0.1, 0.2) for size in (32, 64)]
    assert made["A_B-v0,tau=0.2,batch_size=32"] == make({"env": "A/B-v0", "tau": 0.2, "batch_size": 32, "gamma": 0.5})


def test_a_combination_that_is_not_allowed_is_named():
    with pytest.raises(
        RequestError, match=re.escape("tau: 3.0 is outside (0, 1]; the default is 0.005 (in X,tau=3.0)")
    ):
        list(combinations({"env": ["X"], "tau": (0.1, 3.0)}, make))


def test_a_sweep_of_one_combination_has_a_folder_of_one_name_and_its_seeds_follow_one_another(tmp_path):
    ((name, config),) = combinations({"tau": (0.1,)}, make)
    assert (name, config.tau) == ("runs", 0.1)
    found = [(folder.name, each.seed, each.tau) for folder, each in seeded(tmp_path, replace(config, seed=3), 2)]
    assert found == [("seed3", 3, 0.1), ("seed4", 4, 0.1)]


def test_a_setting_that_is_not_allowed_at_all_is_not_blamed_on_a_combination():
    with pytest.raises(RequestError, match=r"^tau: 3\.0 is outside \(0, 1\]; the default is 0\.005$"):
        list(combinations({"env": ["X"], "tau": (3.0,)}, make))
