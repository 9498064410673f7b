"""MolGAN's training loop, as a generator of epochs: recording, evaluation and checkpoints are its consumers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ddpg.errors import RunStopped
from ddpg.molgan.agent import Metrics, MolGAN
from ddpg.molgan.dataset import Dataset
from ddpg.molgan.molecules import Graphs, to_molecules
from ddpg.molgan.rewards import Reward


@dataclass(frozen=True)
class Epoch:
    """Where a run stands at the end of an epoch."""

    epoch: int = 0  # counted from 1; 0 is the run before its first
    rounds: int = 0  # of learning so far
    rl_weight: float = 0.0  # 1 - λ in this epoch
    reward: float = 0.0  # mean external reward of the generated graphs that were learned from
    metrics: Metrics | None = None  # means over the epoch


def train(agent: MolGAN, dataset: Dataset, last: Epoch = Epoch()) -> Iterator[Epoch]:
    """Train an agent, and yield an `Epoch` at the end of each pass of the discriminator over the data.

    The reward network learns from the start, before the generator listens to it.

    The order of the data in epoch k depends on `(seed, k)` alone, and all other random numbers on the round, so a run
    goes on from the end of an epoch as if it had never stopped.

    Raises:
        RunStopped: A loss is NaN or infinite.
    """
    config, graphs = agent.config, dataset.graphs
    reward = Reward(config.objectives, dataset.smiles)
    real_rewards = RealRewards(config.objectives, dataset)
    in_a_round = config.critic_steps * config.batch_size
    rounds_in_an_epoch = max(1, len(dataset.smiles) // in_a_round)
    while last.epoch < config.epochs:
        number = last.epoch + 1
        rl_weight = config.rl_weight_in(number)
        order = np.random.default_rng((config.seed, number)).permutation(len(dataset.smiles))
        sums, rewards = np.zeros(len(Metrics._fields)), 0.0
        for k in range(rounds_in_an_epoch):
            index = np.resize(order[k * in_a_round : (k + 1) * in_a_round], (config.critic_steps, config.batch_size))
            fake_reward = reward(to_molecules(agent.generate()))
            real_reward = real_rewards[index[-1]]
            metrics = agent.update(graphs.atoms[index], graphs.bonds[index], real_reward, fake_reward, rl_weight)
            sums += metrics
            rewards += float(fake_reward.mean())
        if not np.isfinite(sums).all():
            losses = ", ".join(f"{name} {value:.3g}" for name, value in zip(Metrics._fields, sums, strict=True))
            raise RunStopped(f"epoch {number}: a loss is NaN or infinite ({losses}); try a smaller --learning-rate")
        means = Metrics(*(sums / rounds_in_an_epoch).tolist())
        last = Epoch(number, agent.rounds, rl_weight, rewards / rounds_in_an_epoch, means)
        yield last


class RealRewards:
    """The rewards of the data, worked out when they are first asked for: it takes RDKit minutes for all of QM9.

    Uniqueness is left out, for a molecule's score must not depend on which others were asked for with it.
    """

    def __init__(self, objectives: Sequence[str], dataset: Dataset) -> None:
        self.reward = Reward([name for name in objectives if name != "uniqueness"], dataset.smiles)
        self.graphs = dataset.graphs
        self.known = np.full((len(dataset.smiles), 1), np.nan, np.float32)

    def __getitem__(self, index: np.ndarray) -> np.ndarray:
        """Return the rewards `(B, 1)` of the molecules at these places."""
        new = index[np.isnan(self.known[index, 0])]
        self.known[new] = self.reward(to_molecules(Graphs(self.graphs.atoms[new], self.graphs.bonds[new])))
        return self.known[index]
