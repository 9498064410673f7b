"""Every setting of MolGAN in one frozen dataclass.  "Paper" is De Cao and Kipf, arXiv 1805.11973."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from ddpg.errors import RequestError
from ddpg.settings import check_values, setting

OBJECTIVES = ("validity", "druglikeness", "solubility", "synthesisability", "uniqueness", "novelty", "diversity")


@dataclass(frozen=True)
class MolGANConfig:
    """All that a MolGAN run depends on, beside its data.

    Raises:
        RequestError: A value is outside its interval.
    """

    seed: int = setting(0, "root of every random stream", "[0, 2147483647]")
    objective: str = setting("solubility", "what molecules are rewarded for; several, with commas, are multiplied")
    rl_weight: float = setting(0.9, "1 - λ, the share of the objective in the generator's loss (0: none)", "[0, 1]")
    epochs: int = setting(300, "passes over the data by the discriminator", "[1, inf)")
    rl_start: int = setting(90, "epochs before the objective comes in (30 % of other --epochs)", "[0, inf)")
    rl_full: int = setting(240, "epochs after which it has its whole weight (80 %)", "[0, inf)")

    # The algorithm
    batch_size: int = setting(128, "graphs in a minibatch", "[2, inf)")
    critic_steps: int = setting(5, "steps of the discriminator to one of the generator (paper: 5)", "[1, 999]")
    learning_rate: float = setting(3e-4, "Adam's step size for generator and discriminator (paper: 1e-3)", "(0, inf)")
    reward_learning_rate: float = setting(1e-3, "Adam's step size for the reward network (paper: 1e-3)", "(0, inf)")
    adam_beta_1: float = setting(0.5, "Adam's decay of the mean gradient (Gulrajani et al.: 0)", "[0, 1)")
    adam_beta_2: float = setting(0.9, "Adam's decay of the squared gradient (Gulrajani et al.: 0.9)", "[0, 1)")
    sampling_noise: float = setting(1.5, "scale of the Gumbel noise that atoms and bonds are sampled with", "[0, inf)")
    penalty_weight: float = setting(10.0, "weight of the gradient penalty (paper: 10)", "[0, inf)")
    imitation: str = setting("wgan", "what imitates the data", None, ("wgan", "features"))
    ratio: bool = setting(False, "balance the two losses by their ratio (first post, equation 7)")
    generator_average: float = setting(0.99, "momentum of the average of the generator's weights", "[0, 1)")
    temperature: float = setting(1.0, "of the softmax that makes a graph soft", "(0, inf)")
    latent_size: int = setting(32, "numbers in z (paper: 32)", "[1, inf)")

    # Measuring and keeping
    least_unique: float = setting(0.5, "share of unique molecules below which a generator is marked down", "(0, 1]")
    evaluate_every: int = setting(10, "epochs between two evaluations, each with a checkpoint", "[1, inf)")
    evaluation_samples: int = setting(1_600, "graphs in each of them", "[1, inf)")
    keep: int = setting(2, "newest checkpoints kept in the run folder", "[1, inf)")

    jit_compile: bool = setting(True, "compile the update with XLA")

    def __post_init__(self) -> None:
        check_values(self)
        unknown = set(self.objectives) - set(OBJECTIVES)
        if unknown:
            raise RequestError(f"{sorted(unknown)[0]!r} is not one of {', '.join(OBJECTIVES)}", "objective")
        if self.rl_weight and not self.rl_start <= self.rl_full < self.epochs:
            when = f"the objective comes in after {self.rl_start} epochs and in full after {self.rl_full}"
            raise RequestError(f"{when}, of {self.epochs}; give --rl-start and --rl-full in this order", "epochs")

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names whose product is the reward."""
        return tuple(self.objective.split(","))

    def rl_weight_in(self, epoch: int) -> float:
        """Return 1 - λ in an epoch: nothing at first, then evenly more, then `rl_weight`."""
        if epoch > self.rl_full:
            return self.rl_weight
        return self.rl_weight * max(0.0, (epoch - self.rl_start) / (self.rl_full + 1 - self.rl_start))

    def score(self, figures: dict[str, float]) -> float:
        """Return how good a generator is: valid × objective, marked down in proportion if too few are unique.

        Valid is meant without the sampler's mending, after which all that a generator makes is valid.
        """
        objective = figures["objective"] if self.rl_weight else 1.0
        return figures["likeliest_valid"] * objective * min(1.0, figures["unique"] / self.least_unique)

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values, for `config.json`."""
        return dataclasses.asdict(self)
