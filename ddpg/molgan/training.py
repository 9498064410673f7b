"""MolGAN's training loop, as a generator of epochs: logging, evaluation, checkpoints and tests are its consumers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ddpg.equations import MeanMetrics
from ddpg.errors import RunStopped
from ddpg.molgan.agent import Metrics, MolGAN
from ddpg.molgan.chemistry.dataset import Dataset
from ddpg.molgan.chemistry.molecules import Graphs, to_molecules
from ddpg.molgan.chemistry.rewards import Reward
from ddpg.seeding import rng


@dataclass(frozen=True)
class Epoch:
    """The state of a run at the end of an epoch."""

    number: int = 0  # counted from 1; 0 is the run before its first epoch
    updates: int = 0  # of the run so far
    rl_weight: float = 0.0  # 1 - λ in this epoch
    reward: float = 0.0  # mean reward of the generated graphs of this epoch, as RDKit scores them
    metrics: Metrics | None = None  # means over the epoch's updates


def train(
    agent: MolGAN, dataset: Dataset, resume_from: Epoch = Epoch(), before_update: Callable[[], None] = lambda: None
) -> Iterator[Epoch]:
    """Train an agent, and yield an `Epoch` at the end of each pass of the discriminator over the data.

    The reward network learns from the start, before the generator follows it.

    The order of the data in epoch k depends on `(seed, k)` alone, and all other random numbers on the seed and the
    number of updates. So a run that is resumed at the end of an epoch continues as if it had not been interrupted.

    Args:
        agent: The agent.
        dataset: The real molecules; if they are fewer than an update takes, they are repeated.
        resume_from: The last epoch of an interrupted run.
        before_update: Called before each update; it may raise, to leave an epoch.

    Raises:
        RunStopped: A metric is NaN or infinite.
    """
    config, graphs, last = agent.config, dataset.graphs, resume_from
    reward = Reward(config.objectives, dataset.smiles)
    real_rewards = RealRewards(config.objectives, dataset)
    shape = config.discriminator_steps, config.batch_size
    size = config.discriminator_steps * config.batch_size  # real graphs per update
    updates = max(1, len(dataset.smiles) // size)
    while last.number < config.epochs:
        number, rewards, metrics = last.number + 1, 0.0, MeanMetrics(Metrics)
        rl_weight = config.rl_weight_in(number)
        order = rng(config.seed, "episodes", number).permutation(len(dataset.smiles))
        for k in range(updates):
            before_update()
            index = np.resize(order[k * size : (k + 1) * size], shape)
            fake_reward = reward(to_molecules(agent.generate()))
            real_reward = real_rewards[index[-1]]
            metrics.add(agent.update(graphs.atoms[index], graphs.bonds[index], real_reward, fake_reward, rl_weight))
            rewards += float(fake_reward.mean())
        last = Epoch(number, agent.updates, rl_weight, rewards / updates, metrics.mean())
        require_finite(last)
        yield last


def require_finite(epoch: Epoch) -> None:
    """Raise `RunStopped` if one of an epoch's metrics is NaN or infinite."""
    assert epoch.metrics is not None
    if not np.isfinite(epoch.metrics).all():
        values = ", ".join(f"{name} {value:.3g}" for name, value in epoch.metrics._asdict().items())
        raise RunStopped(f"epoch {epoch.number}: a loss is NaN or infinite ({values}); try a smaller --learning-rate")


class RealRewards:
    """The rewards of the data, each computed when it is first needed: RDKit would take minutes for all of QM9.

    Uniqueness is not part of them: a molecule's reward must not depend on the others in its minibatch.

    Args:
        objectives: Names from `config.OBJECTIVES`.
        dataset: The data.
    """

    def __init__(self, objectives: Sequence[str], dataset: Dataset) -> None:
        self.reward = Reward([name for name in objectives if name != "uniqueness"], dataset.smiles)
        self.graphs = dataset.graphs
        self.rewards = np.full((len(dataset.smiles), 1), np.nan, np.float32)

    def __getitem__(self, index: np.ndarray) -> np.ndarray:
        """Return the rewards `(N, 1)` of the molecules with these indices `(N,)`."""
        new = index[np.isnan(self.rewards[index, 0])]
        self.rewards[new] = self.reward(to_molecules(Graphs(self.graphs.atoms[new], self.graphs.bonds[new])))
        return self.rewards[index]
