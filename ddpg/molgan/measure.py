"""A trained generator, loaded and measured: behind `evaluate`, `sample` and sweeps."""

from pathlib import Path

from ddpg.command.packages import require_package
from ddpg.command.tensorflow import import_tensorflow
from ddpg.errors import blame


def require_rdkit() -> None:
    """Raise `RequestError` if RDKit is not installed."""
    require_package("rdkit", "MolGAN needs RDKit")


def load_best(path: Path):
    """Load a checkpoint, or a run folder's best one.

    Returns:
        The checkpoint's folder, the agent and the SMILES of its data.
    """
    require_rdkit()
    import_tensorflow()
    from ddpg.molgan.agent_state import load, open_checkpoint, read_dataset
    from ddpg.storage.checkpoints import all_checkpoints, find_checkpoint

    with blame("checkpoint"):
        # A run that was resumed before its best evaluation has no best checkpoint until the next one.
        checkpoint_dir = find_checkpoint(path, best=bool(all_checkpoints(path / "checkpoints", best=True)))
        saved = open_checkpoint(checkpoint_dir)
        return checkpoint_dir, load(saved), read_dataset(saved).smiles


def measure_checkpoint(path: Path, samples: int, seed: int = 0) -> tuple[Path, dict[str, float]]:
    """Measure a generator.

    Args:
        path: A run folder, for its best checkpoint, or one checkpoint.
        samples: How many graphs to generate.
        seed: Seed of the random numbers.

    Returns:
        The checkpoint's folder, and what `evaluate --json` prints.
    """
    checkpoint_dir, agent, data_smiles = load_best(path)
    from ddpg.molgan.chemistry.rewards import Reward
    from ddpg.molgan.evaluation import OBJECTIVE_SCORES, data_scores, evaluate_generator

    rewards = {name: Reward([name]) for name in OBJECTIVE_SCORES}
    rewards["objective"] = Reward(agent.config.objectives, data_smiles)
    results = evaluate_generator(agent, samples, seed, set(data_smiles), rewards)
    data = data_scores(data_smiles, rewards)
    return checkpoint_dir, {"samples": samples} | results | {f"data_{name}": data[name] for name in data}
