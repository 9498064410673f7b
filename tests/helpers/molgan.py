"""Small MolGAN agents, graphs and runs for tests."""

from pathlib import Path

import numpy as np
from rdkit import Chem

from ddpg.molgan import training_run
from ddpg.molgan.__main__ import main
from ddpg.molgan.agent import Metrics, MolGAN, one_hot
from ddpg.molgan.agent_state import load, open_checkpoint, variable_owners
from ddpg.molgan.chemistry.dataset import Dataset, as_dataset
from ddpg.molgan.chemistry.molecules import ATOMS
from ddpg.molgan.config import MolGANConfig
from ddpg.storage.checkpoint_format import named_variables
from ddpg.storage.checkpoints import find_checkpoint
from tests.helpers.runs import csv_rows

SMALL = {"batch_size": 4, "discriminator_steps": 2, "latent_size": 3, "evaluation_samples": 20, "jit_compile": False}
FLAGS = (  # the same, and a short schedule
    *("--batch-size", "4", "--discriminator-steps", "2", "--latent-size", "3", "--evaluation-samples", "20"),
    *("--no-jit-compile", "--rl-start", "0", "--rl-full", "1", "--evaluate-every", "2"),
)
SMILES = (
    *("C", "CC", "CCC", "CCO", "CCN", "C=C", "C#N", "CC=O", "CC(C)C", "C1CC1", "CCF", "OCCO", "NCCO", "CC(=O)O"),
    *("c1ccccc1", "C1CCCCC1", "CC#N", "COC", "CNC", "C1CO1"),
)
NONE, SINGLE, DOUBLE, TRIPLE = range(4)


def small_agent(**settings) -> MolGAN:
    """Return an agent with small minibatches, whose updates are not compiled with XLA."""
    return MolGAN(MolGANConfig(**SMALL | settings))


def random_graphs(config: MolGANConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return random real graphs for one update: `(discriminator_steps, N, 9)` and `(discriminator_steps, N, 9, 9)`."""
    rng = np.random.default_rng(0)
    shape = (config.discriminator_steps, config.batch_size, 9)
    bonds = np.triu(rng.integers(4, size=(*shape, 9)), 1)
    return rng.integers(5, size=shape).astype(np.uint8), (bonds + bonds.swapaxes(2, 3)).astype(np.uint8)


def soft_real_graphs(config: MolGANConfig) -> list:
    """Return the last minibatch of `random_graphs` as the networks see it."""
    atoms, bonds = random_graphs(config)
    return one_hot(atoms[-1], bonds[-1])


def trained_agent(updates: int = 1, rl_weight: float = 0.5, reward: float = 0.3, **settings) -> MolGAN:
    """Return an agent after some updates, which are not traced: tracing takes longer than training."""
    agent = small_agent(**settings)
    rewards = np.full((agent.config.batch_size, 1), reward, np.float32)
    for _ in range(updates):
        graphs = random_graphs(agent.config)
        agent.train_step(*graphs, rewards, rewards, np.float32(rl_weight), agent.update_seed)
        agent.updates += 1
    return agent


def numbers(network) -> np.ndarray:
    """Return all variables of a network as one vector."""
    return np.concatenate([variable.numpy().ravel() for variable in network.variables])


def dataset_of(*smiles: str) -> Dataset:
    """Return a dataset of these molecules, or of 20 small ones."""
    return as_dataset(Chem.MolFromSmiles(each) for each in smiles or SMILES)


def graph_of(symbols: str, *bonds: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return a graph by hand: one letter per atom, padded to nine, and (atom, atom, bond order)."""
    atoms = np.array([ATOMS.index(symbol) for symbol in symbols.ljust(9, "*")], np.uint8)
    matrix = np.zeros((9, 9), np.uint8)
    for i, j, order in bonds:
        matrix[i, j] = matrix[j, i] = order
    return atoms, matrix


def train(run_dir: Path, epochs: int, *flags: str, code: int = 0) -> Path:
    """Train a small new run by the command line, check its exit code, and return its folder."""
    data = run_dir.parent / "data.smi"
    data.write_text("\n".join(SMILES))
    paths = ["--data", data, "--run-dir", run_dir, "--plot-dir", run_dir.parent / "plots"]
    words = ["train", *FLAGS, *paths, "--epochs", epochs, "--no-progress", *flags]
    assert main([str(word) for word in words]) == code
    return run_dir


def resume(path: Path, *flags: str, code: int = 0) -> None:
    """Resume a run, given as its folder or a checkpoint, by the command line, and check its exit code."""
    run_dir = path.parent.parent if path.parent.name == "checkpoints" else path
    words = ["train", "--resume", path, "--plot-dir", run_dir.parent / "plots", "--no-progress", *flags]
    assert main([str(word) for word in words]) == code


def stub_updates(monkeypatch, then=lambda agent: None) -> None:
    """Let every update only count, return the metrics 1 to 5, and call `then` with the agent; let plots be small."""

    def update(self, *arguments):
        self.updates += 1
        then(self)
        return Metrics(1.0, 2.0, 3.0, 4.0, 5.0)

    monkeypatch.setattr(MolGAN, "update", update)
    monkeypatch.setattr(training_run, "SAMPLED_FOR_PLOT", 20)


def read_back(path: Path):
    """Return the agent of a checkpoint, or of a run's newest one, and what its `run.json` holds."""
    saved = open_checkpoint(find_checkpoint(path))
    return load(saved), saved.description


def assert_same_run(one: Path, other: Path) -> None:
    """Compare two runs bit for bit: logs, networks, optimizers and settings."""
    for name in ("epochs", "evaluations"):
        assert csv_rows(one / f"{name}.csv") == csv_rows(other / f"{name}.csv")
    (agent, description), (again, description_again) = read_back(one), read_back(other)
    for each in (description, description_again):
        each["run"].update(seconds=0, csv_sizes={}, csv_ends={})  # the digits of the seconds change the sizes
    assert description == description_again
    variables, variables_again = (named_variables(variable_owners(each)) for each in (agent, again))
    for name, variable in variables.items():
        np.testing.assert_array_equal(variable, variables_again[name], err_msg=name)
