"""MolGAN's training loop: what an epoch hands to the agent, and what it reports."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg.errors import RunStopped
from ddpg.molgan.agent import Metrics
from ddpg.molgan.chemistry.molecules import Graphs, to_molecules, to_smiles
from ddpg.molgan.chemistry.rewards import Reward
from ddpg.molgan.training import Epoch, RealRewards, train
from tests.helpers.molgan import SMILES, dataset_of, small_agent

SCHEDULE = {"epochs": 2, "rl_start": 0, "rl_full": 1, "evaluate_every": 1}


def watched_agent(monkeypatch, answers=None, **settings):
    """Return an agent whose updates only count, and the list of the arguments of each."""
    agent, calls = small_agent(**SCHEDULE | settings), []

    def update(*arguments):
        calls.append(arguments)
        agent.updates += 1
        return Metrics(*next(answers)) if answers else Metrics(0.0, 0.0, 0.0, 0.0, 0.0)

    monkeypatch.setattr(agent, "update", update)
    return agent, calls


def valid_graphs(monkeypatch, agent) -> list[Graphs]:
    """Let an agent generate other valid graphs each time (a new one makes none), and return the list of them."""
    graphs, generated = dataset_of().graphs, []

    def generate():
        index = 4 * len(generated) + np.arange(4)
        generated.append(Graphs(graphs.atoms[index], graphs.bonds[index]))
        return generated[-1]

    monkeypatch.setattr(agent, "generate", generate)
    return generated


def to_smiles_list(atoms, bonds) -> list[str]:
    return [to_smiles(molecule) for molecule in to_molecules(Graphs(atoms, bonds))]


def test_every_reward_belongs_to_the_graph_that_is_handed_over_with_it(monkeypatch):
    agent, calls = watched_agent(monkeypatch, objective="solubility")
    reward = Reward(["solubility"])
    generated = valid_graphs(monkeypatch, agent)
    for _ in train(agent, dataset_of()):
        pass
    assert len(calls) == len(generated) == 4
    for (atoms, bonds, real_reward, fake_reward, _), graphs in zip(calls, generated, strict=True):
        np.testing.assert_array_equal(real_reward, reward(to_molecules(Graphs(atoms[-1], bonds[-1]))))
        np.testing.assert_array_equal(fake_reward, reward(to_molecules(graphs)))


def test_an_epoch_shows_each_molecule_at_most_once_and_each_epoch_in_another_order(monkeypatch):
    agent, calls = watched_agent(monkeypatch)
    dataset = dataset_of(*SMILES[:16])  # two updates of two minibatches of four
    for _ in train(agent, dataset):
        pass
    updates = [to_smiles_list(atoms.reshape(8, 9), bonds.reshape(8, 9, 9)) for atoms, bonds, *_ in calls]
    first, second = updates[0] + updates[1], updates[2] + updates[3]
    assert len(set(first)) == 16 and set(first) == set(second) and first != second


def test_a_dataset_smaller_than_an_update_is_repeated(monkeypatch):
    agent, calls = watched_agent(monkeypatch)
    assert [epoch.updates for epoch in train(agent, dataset_of("C", "CC", "CCO"))] == [1, 2]
    assert calls[0][0].shape == (2, 4, 9)


def test_an_epoch_reports_the_means_over_its_updates(monkeypatch):
    answers = ((n, 2 * n, 3 * n, 4 * n, 5 * n) for n in (1.0, 2.0, 3.0, 4.0))
    agent, calls = watched_agent(monkeypatch, answers=answers)
    valid_graphs(monkeypatch, agent)
    first, second = train(agent, dataset_of())  # 20 // (2 · 4) updates each
    assert first.metrics == Metrics(1.5, 3.0, 4.5, 6.0, 7.5) and second.metrics == Metrics(3.5, 7.0, 10.5, 14.0, 17.5)
    assert (first.number, first.updates, second.number, second.updates) == (1, 2, 2, 4)
    assert (first.rl_weight, second.rl_weight) == (0.45, 0.9) == (calls[0][4], calls[3][4])
    for epoch, rewards in ((first, calls[:2]), (second, calls[2:])):
        assert epoch.reward == pytest.approx(np.mean([fake_reward for *_, fake_reward, _ in rewards])) != 0


@pytest.mark.slow
def test_a_resumed_run_continues_with_the_next_epoch_of_the_same_run(monkeypatch):
    whole, calls = watched_agent(monkeypatch)
    for _ in train(whole, dataset_of()):
        pass
    resumed, later_calls = watched_agent(monkeypatch)
    resumed.updates = 2
    (last,) = train(resumed, dataset_of(), Epoch(number=1, updates=2))
    assert (last.number, last.updates) == (2, 4)
    for call, later in zip(calls[2:], later_calls, strict=True):
        for one, other in zip(call, later, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run_and_is_named(monkeypatch, value):
    answers = iter([(0.0,) * 5, (0.0, 0.0, value, 0.0, 0.0)])
    agent, _ = watched_agent(monkeypatch, answers=answers)
    with pytest.raises(RunStopped, match=f"epoch 1: .*reward_loss {value}.*--learning-rate"):
        list(train(agent, dataset_of()))


def test_the_reward_of_a_real_molecule_does_not_depend_on_the_others_in_its_minibatch():
    """With uniqueness it would: two equal molecules would share it, and a resumed run would be another run."""
    dataset = dataset_of("CC", "CC", "CCO")
    single = [float(RealRewards(["solubility", "uniqueness"], dataset)[np.array([k])][0, 0]) for k in range(3)]
    together = RealRewards(["solubility", "uniqueness"], dataset)[np.arange(3)]
    np.testing.assert_array_equal(together[:, 0], np.float32(single))


def test_each_real_molecule_is_scored_once():
    """RDKit takes minutes for all of QM9."""
    rewards, scored = RealRewards(["solubility"], dataset_of("CC", "CCO", "CCN")), []
    score = rewards.reward
    rewards.reward = lambda molecules: scored.extend(molecules) or score(molecules)
    first, again = (rewards[np.array([0, 2])] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(scored) == 2
