"""Each sign of failed learning at its limit, in logs that are written by hand."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ddpg import Config, Evaluation, ReplayBuffer
from ddpg.run import diagnosis
from ddpg.run.diagnosis import signs_of_failure

SOUND = {
    "saturation": [0.1] * 12,
    "q": [1.0] * 12,
    "means": [1, 2, 3, 4, 5],
    "returns": [5, 7],
    "lengths": [10, 10],
    "rewards": [1.0, 0.5],
}


def signs(folder, config=Config(gamma=0.5), updates=5, untrained=(1.0,), last=(2.0,), **log):
    log = SOUND | log
    buffer = ReplayBuffer(10, 1, 1)
    for reward in log["rewards"]:
        buffer.add([0.0], [0.0], reward, False, [0.0])
    tables = {
        "episodes": (
            "return,length",
            [f"{value},{length}" for value, length in zip(log["returns"], log["lengths"], strict=False)],
        ),
        "updates": (
            "action_saturation,q_value",
            [f"{s},{q}" for s, q in zip(log["saturation"], log["q"], strict=True)],
        ),
        "evaluations": ("steps,mean", [f"{k},{mean}" for k, mean in enumerate(log["means"])]),
    }
    for name, (header, rows) in tables.items():
        (folder / f"{name}.csv").write_text("\n".join([header, *rows, ""]))
    agent = SimpleNamespace(replay_buffer=buffer, updates=updates, config=config)
    first, newest = (returns and Evaluation(tuple(returns)) for returns in (untrained, last))
    return signs_of_failure(folder, agent, first, newest)


def test_a_sound_run_has_no_sign(tmp_path):
    assert signs(tmp_path) == []


@pytest.mark.parametrize(("saturation", "means", "said"), [
    ([0.0] * 2 + [0.9] * 10, [5, 9, 5, 5, 5], True),  # the last ten episodes and the last three evaluations count
    ([0.0] * 2 + [0.9] * 10, [5, 0, 6, 5, 5], False),
    ([1.0] * 2 + [0.89] * 10, [5, 1, 1, 1, 1], False),
    ([1.0] * 12, [5, 9, 6, 3, 5], True),  # their mean, not the best of them
    ([1.0] * 12, [5], False),
    ([1.0] * 12, [5, 4], True),
])  # fmt: skip
def test_saturated_actions_count_where_the_evaluations_are_no_better(tmp_path, saturation, means, said):
    found = signs(tmp_path, saturation=saturation, means=means)
    assert [line.partition(" of the")[0] for line in found] == ([f"{saturation[-1]:.0%}"] if said else [])


@pytest.mark.parametrize(("q", "rewards", "said"), [
    ([99.0] * 2 + [2.2] * 10, [1.0, 0.5], False),  # at most 1 / (1 - 0.5), and a tenth more
    ([0.0] * 2 + [-2.21] * 10, [1.0, 0.5], True),
    ([0.0] * 2 + [2.21] * 10, [-1.0, 0.5], True),
    ([2.21, -2.21] * 6, [1.0, 0.5], True),  # of either sign
    ([9.0] * 12, [0.0, 0.0], False),
])  # fmt: skip
def test_values_count_against_the_largest_sum_of_rewards(tmp_path, q, rewards, said):
    found = signs(tmp_path, q=q, rewards=rewards)
    assert bool(found) == said
    if said:
        assert found[0].startswith("the critic's values reached 2.21, but rewards of at most 1 can add up to 2 only")


@pytest.mark.parametrize(("untrained", "last", "said"), [
    ((1.0, 3.0), (2.0, 2.0), True), ((1.0, 3.0), (1.0, 3.0), False), ((1.0, 3.0), (2.0, 2.1), False),
    (None, (1.0,), False), ((9.0,), None, False),
])  # fmt: skip
def test_a_last_policy_that_is_no_better_is_said_with_both_means(tmp_path, untrained, last, said):
    found = signs(tmp_path, untrained=untrained, last=last)
    assert [line.partition(";")[0] for line in found] == (
        ["the last policy is not better than the untrained policy (2 against 2)"] if said else []
    )


def test_one_sign_is_enough(tmp_path):
    assert len(signs(tmp_path, q=[9.0] * 12, untrained=(5.0,))) == 1


@pytest.mark.parametrize(("rewards", "returns", "means", "said"), [
    ([0.0, 0.0], [0, 0], [0, 0], "every reward so far was 0,"),
    ([-1.0, -1.0], [-10, -10], [-10, -10], "every reward so far was -1,"),
    ([-1.0, -1.0], [-10, -9], [-10, -10], ""),  # another reward is no longer in the buffer
    ([-1.0, -1.0], [-10, -10], [-10, -9], ""),  # or was met in an evaluation alone
    ([1.0, 1.0], [10, 10], [10, 10], ""),
])  # fmt: skip
def test_rewards_that_never_change_teach_nothing_unless_they_are_a_success(tmp_path, rewards, returns, means, said):
    found = signs(tmp_path, rewards=rewards, returns=returns, means=means, untrained=None)
    assert bool(found) == bool(said) and all(line.startswith(said) for line in found)


def test_an_episode_that_is_shorter_has_the_same_reward_at_each_step(tmp_path):
    """Returns differ then, and there was nothing to learn from all the same."""
    never = {"rewards": [-1.0, -1.0], "means": [-10, -10], "untrained": None}
    (line,) = signs(tmp_path, returns=[-10, -4], lengths=[10, 4], **never)
    assert line.startswith("every reward so far was -1,")
    assert signs(tmp_path, returns=[-10, -10], lengths=[10, 4], **never) == []


def test_what_did_not_happen_is_said_first(tmp_path):
    (line,) = signs(tmp_path, updates=0, q=[9.0] * 12)
    assert line.startswith("no update was made")
    assert signs(tmp_path, returns=[]) == []
    (line,) = signs(tmp_path, returns=[], config=replace(Config(), num_envs=2))
    assert line.startswith("no episode has ended by itself")


@pytest.mark.parametrize(("changes", "name"), [
    ({"start_from": {"a": "1"}}, "the policy that it started with"),
    ({"data": {"a": "1"}, "data_updates": 9}, "the policy from the data"),
])  # fmt: skip
def test_the_first_policy_has_the_name_of_its_origin(tmp_path, changes, name):
    (line,) = signs(tmp_path, config=replace(Config(), **changes), untrained=(5.0,))
    assert line.startswith(f"the last policy is not better than {name} (2 against 5)")


def test_a_runs_last_evaluation_is_compared_with_the_first_one_that_it_keeps(monkeypatch):
    monkeypatch.setattr(diagnosis, "signs_of_failure", lambda *given: given)
    run = SimpleNamespace(folder=SimpleNamespace(path="here"), agent="agent", evaluation="last")
    for kept, first in (({"untrained": (0, "first"), "best": (9, "best")}, "first"), ({}, None)):
        run.kept_evaluation = kept.get
        assert diagnosis.warnings_about(run) == ("here", "agent", first, "last")
