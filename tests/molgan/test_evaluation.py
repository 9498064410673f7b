"""Shares and scores of generated graphs."""

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("rdkit", reason="RDKit is not installed (requirements-molgan.txt)")

from ddpg.molgan import evaluation
from ddpg.molgan.chemistry.molecules import Graphs
from ddpg.molgan.chemistry.rewards import Reward
from ddpg.molgan.chemistry.sampling import likeliest
from ddpg.molgan.evaluation import data_scores, evaluate_generator, generate, measure
from tests.helpers.molgan import DOUBLE, SINGLE, graph_of, small_agent, trained_agent


def test_shares_and_scores_of_four_graphs_counted_by_hand():
    acid = graph_of("OC*O", (0, 1, SINGLE), (1, 3, DOUBLE))
    graphs = [graph_of("CO", (0, 1, SINGLE))] * 2 + [acid, graph_of("CO")]  # methanol twice, an acid, two fragments
    results = measure(Graphs(*map(np.stack, zip(*graphs, strict=True))), {"CO"}, {"points": Reward(["validity"])})
    assert results == {
        "valid": 3 / 4,
        "unique": 2 / 3,
        "novel": 1 / 3,
        "molgan_valid": 1.0,
        "molgan_unique": 3 / 4,
        "molgan_novel": 1.0,  # with their padding, none is in the data
        "points": 1.0,
    }


def test_graphs_of_which_none_is_valid_have_shares_and_scores_of_0():
    results = measure(Graphs(*(array[None] for array in graph_of(""))), set(), {"points": Reward(["validity"])})
    assert (results["valid"], results["unique"], results["novel"], results["points"]) == (0.0, 0.0, 0.0, 0.0)


def test_the_same_seed_generates_the_same_graphs(monkeypatch):
    agent = small_agent()
    sampled, unrepaired = generate(agent, 50, seed=3)
    assert sampled.atoms.shape == (50, 9) and unrepaired.bonds.shape == (50, 9, 9)
    again, _ = generate(agent, 50, seed=3)
    other, _ = generate(agent, 50, seed=4)
    np.testing.assert_array_equal(sampled.bonds, again.bonds)
    assert not np.array_equal(sampled.bonds, other.bonds)
    monkeypatch.setattr(evaluation, "CHUNK", 20)
    assert generate(agent, 50, seed=3)[0].atoms.shape == (50, 9)


@pytest.mark.slow
def test_graphs_are_generated_with_the_averaged_weights():
    agent = trained_agent(updates=3, learning_rate=0.3)
    z = np.random.default_rng(0).normal(size=(200, agent.config.latent_size)).astype(np.float32)
    averaged, learning = (
        likeliest(*(part.numpy() for part in network(tf.constant(z))))
        for network in (agent.evaluated_generator, agent.generator)
    )
    np.testing.assert_array_equal(generate(agent, 200, seed=0)[1].bonds, averaged.bonds)
    assert not np.array_equal(learning.bonds, averaged.bonds)


@pytest.mark.slow
def test_what_the_sampler_has_repaired_counts_apart_from_what_the_generator_made():
    agent = small_agent()
    results = evaluate_generator(agent, 100, 0, set(), {"objective": Reward(["solubility"])})
    assert results["valid"] > results["likeliest_valid"]  # an untrained generator makes few valid graphs
    assert results["likeliest_molgan_valid"] >= results["likeliest_valid"]
    assert {name.removeprefix("likeliest_") for name in results} == {
        *("valid", "unique", "novel", "molgan_valid", "molgan_unique", "molgan_novel", "objective")
    }


def test_the_datas_own_scores_are_means_over_the_data(monkeypatch):
    smiles, rewards = ["CCO", "CCN", "CCF"], {"solubility": Reward(["solubility"])}
    single = [data_scores([each], rewards)["solubility"] for each in smiles]
    assert data_scores(smiles, rewards)["solubility"] == pytest.approx(np.mean(single))
    monkeypatch.setattr(evaluation, "MAX_SCORED_DATA", 2)
    assert data_scores(smiles, rewards)["solubility"] == pytest.approx((single[0] + single[2]) / 2)
