"""How long a run can be, and what is said about settings that do not fit its length."""

from dataclasses import replace

import pytest

from ddpg.task.environments import most_steps, notes_on, open_environment, time_limit


@pytest.mark.parametrize("change", [{"learning_starts": 41}, {"batch_size": 41}])
def test_a_run_too_short_for_an_update_is_noted_at_its_start(small, change):
    (note,) = notes_on(replace(small, **change), 40)
    assert note.startswith("no update is to be expected: updates start at step 41 (--batch-size, --learning-starts)")
    assert notes_on(replace(small, **change), 41) == []


def test_a_run_too_short_for_its_average_is_noted_at_its_start(small):
    """Its evaluations would be those of the initial weights, as if nothing was learned."""
    config = replace(small, evaluation_tau=0.01, learning_starts=100, train_frequency=10, gradient_steps=5)
    (note,) = notes_on(config, 698)
    assert "an average over 100 updates, and the run makes at most 299; use an --evaluation-tau of 0.01 or more" in note
    assert notes_on(config, 700) == []
    assert notes_on(replace(config, evaluation_tau=1.0), 698) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"steps": 40, "episodes": 7}, 40),
        ({"episodes": 7}, 7 * 200),  # Pendulum's own limit
        ({"episodes": 7, "max_episode_steps": 30}, 7 * 30),
        ({"episodes": 7, "max_episode_steps": 300}, 7 * 200),
    ],
)
def test_a_run_is_at_most_as_long_as_its_steps_or_the_time_limits_of_its_episodes(small, settings, expected):
    config = replace(small, env="Pendulum-v1", **settings)
    with open_environment(config) as environment:
        assert most_steps(config, time_limit(environment)) == expected
