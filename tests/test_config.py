"""`Config` holds every setting: the posts' and the paper's values, limits, and what is refused."""

import dataclasses
import json
from dataclasses import replace
from typing import Any

import pytest

from ddpg import PRESETS, Config, RequestError
from ddpg.noise import NOISES
from ddpg.settings.setting import check_values, from_json, inside, parse_value, setting, text_of, value_type

FIELDS = {field.name: field for field in dataclasses.fields(Config)}


def test_the_defaults_are_the_settings_printed_in_the_second_post():
    blog = PRESETS["blog"]
    assert blog == Config()
    assert (blog.gamma, blog.tau, blog.batch_size, blog.buffer_size) == (0.99, 0.005, 64, 1_000_000)
    assert (blog.noise, blog.noise_sigma, blog.episodes, blog.env) == ("gaussian", 0.1, 250, "Pendulum-v1")
    # Some documentation pages swap these two.
    assert (blog.actor_learning_rate, blog.critic_learning_rate) == (1e-4, 1e-3)
    assert (blog.hidden_units, blog.batch_normalization, blog.kernel_initializer) == ((400, 300), False, "keras")
    assert (blog.action_layer, blog.critic_weight_decay) == (1, 0)
    assert (blog.train_frequency, blog.gradient_steps, blog.learning_starts) == (1, 1, 0)
    assert (blog.noise_decay_steps, blog.steps, blog.env_kwargs, blog.action_bound) == (None, None, {}, None)


def test_the_papers_preset_holds_the_papers_settings():
    paper = PRESETS["paper"]
    assert (paper.gamma, paper.tau, paper.batch_size, paper.buffer_size) == (0.99, 0.001, 64, 1_000_000)
    assert (paper.actor_learning_rate, paper.critic_learning_rate, paper.critic_weight_decay) == (1e-4, 1e-3, 0.01)
    assert (paper.noise, paper.noise_sigma, paper.hidden_units) == ("ou", 0.2, (400, 300))
    assert (paper.batch_normalization, paper.kernel_initializer, paper.action_layer) == (True, "fan_in", 2)


def test_the_preset_for_small_tasks_makes_much_of_few_steps():
    classic = PRESETS["classic"]
    assert (classic.learning_starts, classic.train_frequency, classic.gradient_steps) == (5_000, 1, 8)
    assert (classic.actor_learning_rate, classic.critic_learning_rate, classic.evaluation_tau) == (1e-3, 1e-3, 2e-4)
    assert (classic.noise, classic.noise_sigma) == ("gaussian", 0.3)


def test_the_preset_for_mujoco_holds_the_settings_of_pfrl_and_normalizes_observations():
    mujoco = PRESETS["mujoco"]
    assert (mujoco.gamma, mujoco.buffer_size, mujoco.learning_starts, mujoco.batch_size) == (0.99, 10**6, 10_000, 100)
    assert (mujoco.actor_learning_rate, mujoco.critic_learning_rate, mujoco.tau) == (1e-3, 1e-3, 0.005)
    assert (mujoco.noise, mujoco.noise_sigma, mujoco.hidden_units) == ("gaussian", 0.1, (400, 300))
    assert mujoco.normalize_observations


def test_the_preset_for_goals_holds_the_settings_of_the_paper_on_hindsight():
    """Andrychowicz et al. (2017), appendix A, with two hidden layers: 40 updates after each episode."""
    goals = PRESETS["goals"]
    assert (goals.hindsight_goals, goals.gamma, goals.tau, goals.batch_size) == (4, 0.98, 0.05, 256)
    assert (goals.train_frequency, goals.gradient_steps, goals.normalize_observations) == (0, 40, True)
    assert (goals.actor_learning_rate, goals.critic_learning_rate, goals.hidden_units) == (1e-3, 1e-3, (256, 256))
    assert (goals.noise, goals.noise_sigma, goals.random_actions) == ("gaussian", 0.2, 0.3)


def test_the_choices_of_noise_are_the_noise_processes_that_exist():
    assert set(FIELDS["noise"].metadata["choices"]) == set(NOISES)


def test_the_first_setting_begins_a_group_of_flags_and_no_two_groups_have_one_title():
    groups = [field.metadata["group"] for field in FIELDS.values() if field.metadata["group"]]
    assert FIELDS["env"].metadata["group"] == groups[0] == "the task"
    assert len(set(groups)) == len(groups)


def test_settings_that_say_which_run_it_is_or_when_it_is_measured_have_no_place_in_the_name_of_the_settings():
    unnamed = {name for name, field in FIELDS.items() if not field.metadata["names_settings"]}
    assert unnamed == {
        *("env", "env_kwargs", "seed", "episodes", "steps", "evaluate_every", "evaluation_episodes"),
        *("checkpoint_every", "keep_checkpoints", "jit_compile", "threads", "env_timeout"),
        *("evaluate_in_training_task", "stop_at", "stop_at_success", "stop_evaluations", "log_info"),
    }


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_every_value_comes_back_from_its_text(config):
    for name, field in FIELDS.items():
        value = getattr(config, name)
        assert parse_value(text_of(value), field, value_type(Config, field)) == value


def test_a_pair_is_written_with_an_x():
    assert text_of(Config().hidden_units) == "400x300"


def test_every_setting_is_explained_and_every_number_has_an_interval():
    for field in FIELDS.values():
        assert field.metadata["help"], field.name
        if value_type(Config, field) in (int, float):
            assert field.metadata["within"], field.name


def test_a_group_of_settings_is_not_shared_between_configs():
    assert Config().env_kwargs is not Config().env_kwargs


def refusal(**settings: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        Config(**settings)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("tau", 0.0, "0.0 is outside (0, 1]; the default is 0.005"),
        ("tau", 1.5, "1.5 is outside (0, 1]; the default is 0.005"),
        ("tau", float("nan"), "nan is outside (0, 1]; the default is 0.005"),
        ("gamma", 1.5, "1.5 is outside [0, 1]; the default is 0.99"),
        ("gamma", -0.1, "-0.1 is outside [0, 1]; the default is 0.99"),
        ("gamma", "high", "expected float, got 'high'"),
        ("batch_size", 0, "0 is outside [1, inf); the default is 64"),
        ("batch_size", 1.5, "expected int, got 1.5"),
        ("batch_size", True, "expected int, got True"),
        ("batch_size", None, "expected int, got None"),
        ("noise_sigma", -1.0, "-1.0 is outside [0, inf); the default is 0.1"),
        ("noise_sigma", float("inf"), "inf is outside [0, inf); the default is 0.1"),
        ("actor_learning_rate", 0.0, "0.0 is outside (0, inf); the default is 0.0001"),
        ("critic_weight_decay", -1e-9, "-1e-09 is outside [0, inf); the default is 0.0"),
        ("action_layer", 3, "3 is outside [1, 2]; the default is 1"),
        ("noise", "pink", f"'pink' is not one of {', '.join(FIELDS['noise'].metadata['choices'])}"),
        ("kernel_initializer", "zeros", "'zeros' is not one of keras, fan_in"),
        ("hidden_units", (400,), "expected two whole numbers such as 400x300, got (400,)"),
        ("target_limits", (-50.0,), "expected two numbers such as -50x0, got (-50.0,)"),
        ("target_limits", ("low", 0.0), "expected float, got 'low'"),
        ("target_limits", (0.0, float("inf")), "inf is outside (-inf, inf); the default is None"),
        ("target_limits", (0.0, -50.0), "LOW must be less than HIGH, got 0.0x-50.0"),
        ("hidden_units", 400, "expected two whole numbers such as 400x300, got 400"),
        ("hidden_units", (400, 0), "0 is outside [1, inf); the default is (400, 300)"),
        ("hidden_units", (400, 1.5), "expected int, got 1.5"),
        ("action_bound", 0.0, "0.0 is outside (0, inf); the default is None"),
        ("seed", -1, "-1 is outside [0, inf); the default is 0"),
        ("steps", -1, "-1 is outside [0, inf); the default is None"),
        ("env", None, "expected str, got None"),
        ("env_kwargs", [1], "expected dict, got [1]"),
        ("jit_compile", 1, "expected bool, got 1"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_the_name_of_its_setting(name, value, message):
    error = refusal(**{name: value})
    assert (error.setting, error.message) == (name, message)


def test_a_minibatch_larger_than_the_buffer_is_refused():
    error = refusal(batch_size=65, buffer_size=64)
    assert error.setting == "batch_size"
    assert error.message.startswith("65 is more than the replay buffer holds (64); use a smaller minibatch")
    assert Config(batch_size=64, buffer_size=64).batch_size == 64


def test_learning_rates_that_are_zero_from_the_first_update_on_are_refused():
    error = refusal(learning_starts=100, learning_rate_decay_steps=100)
    assert error.setting == "learning_rate_decay_steps"
    assert str(error).endswith("use more than 100 steps")
    assert Config(learning_starts=100, learning_rate_decay_steps=101).learning_rate_decay_steps == 101


def test_batch_normalization_over_a_single_transition_is_refused():
    error = refusal(batch_size=1, batch_normalization=True)
    assert error.setting == "batch_size"
    assert error.message == (
        "batch normalization over a single transition turns every state into zeros; use at least 2, "
        "or --no-batch-normalization"
    )
    assert Config(batch_size=1).batch_size == 1
    assert Config(batch_size=2, batch_normalization=True).batch_size == 2


def test_hidden_layers_are_normalized_in_one_way_at_a_time():
    error = refusal(batch_normalization=True, layer_normalization="critic")
    assert error.setting == "layer_normalization"
    assert error.message.endswith("not both; use --no-batch-normalization")


@pytest.mark.parametrize("value", [1, 1.0])
def test_a_whole_number_is_a_float(value):
    assert Config(gamma=value, tau=value).gamma == 1


@pytest.mark.parametrize(
    ("number", "interval", "expected"),
    [
        (0, "(0, 1]", False),
        (1, "(0, 1]", True),
        (0, "[0, 1]", True),
        (1, "[0, 1)", False),
        (1e300, "[1, inf)", True),
        (float("inf"), "[1, inf)", False),
        (float("inf"), "[1, inf]", False),
        (float("nan"), "[0, 1]", False),
    ],
)
def test_intervals_are_written_as_in_mathematics(number, interval, expected):
    assert inside(number, interval) is expected


def test_settings_survive_json():
    for config in (
        Config(env_kwargs={"g": 9.81}, steps=10, hidden_units=(3, 2), target_limits=(-50.0, 0.0)),
        *PRESETS.values(),
    ):
        assert Config.from_json(json.loads(json.dumps(config.as_json()))) == config


def test_settings_from_json_are_checked_like_any_other():
    with pytest.raises(RequestError, match="expected two whole numbers"):
        Config.from_json({"hidden_units": [1, 2, 3]})
    with pytest.raises(RequestError, match="outside"):
        Config.from_json({"gamma": 2})
    with pytest.raises(RequestError, match="unknown setting 'momentum'; it may come from another version"):
        Config.from_json({"momentum": 0.9})


def test_a_frozen_config_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().gamma = 0.5  # type: ignore[misc]
    assert replace(Config(), gamma=0.5).gamma == 0.5


def test_any_dataclass_can_have_settings():
    """MolGAN has its own."""

    @dataclasses.dataclass(frozen=True)
    class Oven:
        degrees: float | None = setting(None, "temperature", "[0, 300]")
        fan: bool = setting(False, "hot air")

        def __post_init__(self):
            check_values(self)

    assert from_json(Oven, {"degrees": 180}) == Oven(180.0)
    with pytest.raises(RequestError, match="301 is outside"):
        Oven(301)
    assert [value_type(Oven, field) for field in dataclasses.fields(Oven)] == [float, bool]


@pytest.mark.parametrize("name", ["critic_weight_decay", "noise_sigma", "buffer_size", "steps", "seed"])
def test_a_whole_number_that_no_float_holds_is_refused(name):
    with pytest.raises(RequestError, match=rf"^{name}: 10+\.\.\. is more than any computation holds$"):
        Config(**{name: 10**400})


def test_text_that_no_file_holds_is_refused():
    with pytest.raises(RequestError, match=r"^log_info: '.udc80' is no Unicode text$"):
        Config(log_info="\udc80")
    assert Config(log_info="größe").log_info == "größe"
