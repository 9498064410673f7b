"""MolGAN's settings: the schedule of the objective, the score of a generator, and what is refused."""

import dataclasses

import numpy as np
import pytest

from ddpg.errors import RequestError
from ddpg.molgan.config import MolGANConfig
from ddpg.settings.setting import from_json


def test_the_objective_fades_in_late_and_linearly():
    config = MolGANConfig(rl_weight=0.8, epochs=30, rl_start=10, rl_full=20)
    assert [config.rl_weight_in(epoch) for epoch in (1, 10, 21, 30)] == [0, 0, 0.8, 0.8]
    steps = np.diff([config.rl_weight_in(epoch) for epoch in range(10, 22)])
    np.testing.assert_allclose(steps, 0.8 / 11)
    assert MolGANConfig(rl_weight=0.8, rl_start=0, rl_full=0).rl_weight_in(1) == 0.8


@pytest.mark.parametrize(("epochs", "start", "full"), [(10, 10, 20), (15, 10, 20), (20, 10, 20), (30, 20, 10)])
def test_an_objective_that_never_gets_its_full_weight_is_refused(epochs, start, full):
    with pytest.raises(RequestError, match=f"--rl-start {start}, --rl-full {full} and --epochs {epochs}") as caught:
        MolGANConfig(rl_weight=0.8, epochs=epochs, rl_start=start, rl_full=full)
    assert caught.value.setting == "rl_full"
    MolGANConfig(rl_weight=0.0, epochs=10)  # without an objective, its schedule does not matter


@pytest.mark.parametrize(
    ("settings", "setting", "reason"),
    [
        ({"objective": "beauty"}, "objective", "'beauty' is not one of validity, "),
        ({"objective": "solubility,"}, "objective", "'' is not one of"),
        ({"objective": "solubility,novelty,solubility"}, "objective", "'solubility' appears twice"),
        ({"evaluate_every": 301}, "evaluate_every", "only the untrained generator .* use at most 300"),
        ({"batch_size": 1}, "batch_size", "outside"),
        ({"seed": 2**31}, "seed", "outside"),
        ({"imitation": "copying"}, "imitation", "not one of wgan, features"),
        ({"threads": 0}, "threads", "outside"),
        ({"learning_rate": float("nan")}, "learning_rate", "outside"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings, setting, reason):
    with pytest.raises(RequestError, match=reason) as caught:
        MolGANConfig(**settings)
    assert caught.value.setting == setting


def test_objectives_may_be_separated_by_commas_and_spaces():
    assert MolGANConfig(objective="solubility, novelty").objectives == ("solubility", "novelty")


def test_settings_survive_the_way_to_json_and_back():
    config = MolGANConfig(objective="novelty", ratio=True, threads=2)
    assert from_json(MolGANConfig, config.as_json()) == config


def test_settings_that_say_which_run_it_is_or_when_it_is_measured_have_no_place_in_the_name_of_the_settings():
    fields = dataclasses.fields(MolGANConfig)
    assert fields[0].metadata["group"]
    assert {field.name for field in fields if not field.metadata["names_settings"]} == {
        *("seed", "evaluate_every", "evaluation_samples", "keep_checkpoints", "jit_compile", "threads"),
    }


def test_the_best_generator_is_not_one_that_makes_a_single_good_molecule():
    """Mode collapse: by the objective alone, the best generator would always be the last one, which repeats itself."""
    config = MolGANConfig(rl_weight=0.8, min_unique=0.4)
    varied = {"likeliest_valid": 0.9, "objective": 0.55, "unique": 0.4}
    collapsed = {"likeliest_valid": 1.0, "objective": 0.7, "unique": 0.1}
    assert config.score(varied) > config.score(collapsed)
    assert config.score(varied | {"unique": 0.9}) == config.score(varied)  # more than enough earns nothing
    assert config.score(varied) == 0.9 * 0.55


def test_without_an_objective_the_best_generator_needs_the_fewest_repairs():
    """Sampled graphs are valid by construction, even those of an untrained generator."""
    config = MolGANConfig(rl_weight=0.0)
    untrained = {"valid": 1.0, "likeliest_valid": 0.0, "objective": 0.3, "unique": 0.99}
    trained = {"valid": 1.0, "likeliest_valid": 0.8, "objective": 0.2, "unique": 0.7}
    assert config.score(trained) == 0.8 > config.score(untrained)
