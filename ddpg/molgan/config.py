"""Every setting of MolGAN in one frozen dataclass. "Paper" is De Cao and Kipf, arXiv 1805.11973."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from ddpg.errors import RequestError
from ddpg.settings.setting import check_values, setting

OBJECTIVES = ("validity", "druglikeness", "solubility", "synthesisability", "uniqueness", "novelty", "diversity")


@dataclass(frozen=True)
class MolGANConfig:
    """All that a MolGAN run depends on, besides its data: the same settings and data give the same bits.

    Raises:
        RequestError: A value is outside its interval, or two values contradict each other.
    """

    seed: int = setting(
        0,
        "root of every random stream",
        "[0, 2147483647]",
        group="the objective and the length of the run",
        identifies=True,
        cannot_vary="use --seeds",
    )
    objective: str = setting("solubility", "what is rewarded; names separated by commas are multiplied")
    rl_weight: float = setting(0.9, "1 - λ, the weight of the objective in the generator's loss (0: none)", "[0, 1]")
    epochs: int = setting(300, "passes of the discriminator over the data", "[1, inf)")
    rl_start: int = setting(90, "epochs before the objective fades in (30 % of --epochs)", "[0, inf)")
    rl_full: int = setting(240, "epochs after which it has its full weight (80 % of --epochs)", "[0, inf)")

    batch_size: int = setting(128, "graphs in a minibatch", "[2, inf)", group="the algorithm")
    discriminator_steps: int = setting(5, "discriminator steps per generator step (paper: 5)", "[1, 999]")
    learning_rate: float = setting(3e-4, "Adam's step size for generator and discriminator (paper: 1e-3)", "(0, inf)")
    reward_learning_rate: float = setting(1e-3, "Adam's step size for the reward network (paper: 1e-3)", "(0, inf)")
    adam_beta_1: float = setting(0.5, "Adam's decay of the mean gradient (Gulrajani et al.: 0)", "[0, 1)")
    adam_beta_2: float = setting(0.9, "Adam's decay of the squared gradient (Gulrajani et al.: 0.9)", "[0, 1)")
    sampling_noise: float = setting(1.5, "scale of the Gumbel noise in sampling; 0 takes the likeliest", "[0, inf)")
    penalty_weight: float = setting(10.0, "weight of the gradient penalty (paper: 10)", "[0, inf)")
    imitation: str = setting("wgan", "loss that keeps graphs like the data", None, ("wgan", "features"))
    ratio: bool = setting(False, "scale L_RL by |L_WGAN / L_RL| (first post, equation 7)")
    evaluation_tau: float = setting(0.01, "τ of the averaged generator that is evaluated; 1: no average", "(0, 1]")
    temperature: float = setting(1.0, "temperature of the softmax over atoms and bonds", "(0, inf)")
    latent_size: int = setting(32, "numbers in z (paper: 32)", "[1, inf)")

    min_unique: float = setting(
        0.5,
        "share of unique molecules below which a generator's score is lowered",
        "(0, 1]",
        group="evaluation and checkpoints",
    )
    evaluate_every: int = setting(
        10, "epochs between two evaluations, each with a checkpoint", "[1, inf)", learns=False
    )
    evaluation_samples: int = setting(1_600, "graphs per evaluation", "[1, inf)", learns=False)
    keep_checkpoints: int = setting(2, "newest checkpoints to keep, besides the best one", "[1, inf)", learns=False)

    jit_compile: bool = setting(True, "compile the update with XLA", group="the machine", learns=False)
    threads: int | None = setting(
        None,
        "TensorFlow intra-op threads; none: one per core",
        "[1, 1000]",
        learns=False,
        cannot_vary="it changes no result; use --threads",
    )

    def __post_init__(self) -> None:
        check_values(self)
        for name in self.objectives:
            if name not in OBJECTIVES:
                raise RequestError(f"{name!r} is not one of {', '.join(OBJECTIVES)}", "objective")
            if self.objectives.count(name) > 1:
                raise RequestError(f"{name!r} appears twice", "objective")
        if self.evaluate_every > self.epochs:
            raise RequestError(
                f"{self.evaluate_every} is more than the run's {self.epochs} epochs: only the untrained generator "
                f"could be kept as the best; use at most {self.epochs}",
                "evaluate_every",
            )
        if self.rl_weight and not self.rl_start <= self.rl_full < self.epochs:
            raise RequestError(
                f"the objective must fade in within the run: --rl-start {self.rl_start}, --rl-full {self.rl_full} and "
                f"--epochs {self.epochs} must increase in this order (only the first two may be equal)",
                "rl_full",
            )

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names whose product is the reward."""
        return tuple(name.strip() for name in self.objective.split(","))

    def rl_weight_in(self, epoch: int) -> float:
        """Return 1 - λ in an epoch: 0 until `rl_start`, then linearly more until it is `rl_weight` after `rl_full`."""
        if epoch > self.rl_full:
            return self.rl_weight
        return self.rl_weight * max(0.0, (epoch - self.rl_start) / (self.rl_full + 1 - self.rl_start))

    def score(self, results: dict[str, float]) -> float:
        """Return the score by which the best generator is kept: valid × objective, lowered if too few are unique.

        The share of valid graphs is that of the likeliest graphs: sampled graphs are valid by construction (unless they
        are empty), so their validity says nothing about the generator.

        Args:
            results: From `evaluation.evaluate_generator`.
        """
        objective = results["objective"] if self.rl_weight else 1.0
        return results["likeliest_valid"] * objective * min(1.0, results["unique"] / self.min_unique)

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values, for `config.json`."""
        return dataclasses.asdict(self)


def with_schedule(given: dict[str, Any]) -> dict[str, Any]:
    """Return settings whose schedule fits the epochs: the objective fades in from 30 % to 80 % of them by default."""
    epochs, every = given.get("epochs", MolGANConfig().epochs), MolGANConfig().evaluate_every
    schedule = {"rl_start": epochs * 3 // 10, "rl_full": epochs * 8 // 10, "evaluate_every": min(every, epochs)}
    return schedule | given
