"""Every setting of a run, in one frozen dataclass: its symbol, its unit and where its default comes from.

"Post" is the second blog post (the Keras walk-through), whose printed settings are the defaults; "paper" is Lillicrap
et al., arXiv 1509.02971v6. The flags of `train.py` are made from these fields (`ddpg.command.flags`), and
`docs/development.md` says how to add or rename one.
"""

import copy
import dataclasses
from dataclasses import dataclass
from typing import Any

from ddpg.settings.contradictions import refuse_contradictions
from ddpg.settings.setting import check_values, from_json, setting

IMITATION = 1.0  # TD3+BC has 0.4; measured in docs/logged-data.md


@dataclass(frozen=True)
class Config:
    """All that a run depends on: the same `Config` gives the same numbers, bit for bit, on one machine.

    Raises:
        RequestError: A value is outside its interval, or two values contradict each other.
    """

    env: str = setting(
        "Pendulum-v1",
        "Gymnasium id of the task: Name-v0, or module:Name-v0 to import the module first",
        group="the task",
        identifies=True,
        cannot_vary="use --env A,B",
    )
    env_kwargs: dict[str, Any] = setting(
        dict,
        "arguments for the task's constructor, as a JSON object",
        identifies=True,
        cannot_vary="register one task id for each variant, and use --env A,B",
    )
    action_bound: float | None = setting(None, "replaces each infinite bound of the action space", "(0, inf)")
    seed: int = setting(
        0,
        "root of every random stream: weights, noise, replay, warm-up, resets; report several",
        "[0, inf)",
        identifies=True,
        cannot_vary="use --seeds",
    )

    episodes: int = setting(
        250,
        "episodes to train for (post: 250), unless --steps is given",
        "[1, inf)",
        group="length of the run",
        identifies=True,
    )
    steps: int | None = setting(
        None,
        "environment steps to train for; the episode in progress is completed, unless it may never end",
        "[0, inf)",
        identifies=True,
    )
    max_episode_steps: int = setting(100_000, "step limit per episode (truncation)", "[1, inf)")
    learning_starts: int = setting(
        0, "steps of uniformly random actions before policy and updates start; 10,000 on MuJoCo", "[0, inf)"
    )
    warm_up_controller: str | None = setting(
        None, "module:name that acts in these steps in the place of random actions, with the noise; for a real plant"
    )

    num_envs: int | None = setting(None, "simulators that step while the agent learns; for slow ones", "[1, 1000]")
    env_timeout: float | None = setting(
        None, "seconds that a step or reset of --num-envs may take", "(0, inf)", learns=False, may_change=True
    )
    data: dict[str, str] = setting(
        dict,
        "logged transitions that fill the replay buffer first: .npz, .hdf5 or .csv files, or a Minari folder",
        group="logged data, and a start from another run",
        cannot_vary="use --data alone",
        paths="FILE",
    )
    data_columns: dict[str, Any] = setting(
        dict, "the names of a .csv file's columns, as a JSON object", cannot_vary="give it for all runs"
    )
    data_updates: int = setting(
        0, "updates on what is in the replay buffer, before the first step; then --steps 0 is possible", "[0, inf)"
    )
    imitation: float | None = setting(
        None,
        f"weight of the actor's distance from logged actions; none: {IMITATION} with --data-updates, else 0",
        "[0, inf)",
    )
    imitation_decay_steps: int | None = setting(
        None, "anneal the weight of imitation linearly to zero over N environment steps", "[1, inf)"
    )

    start_from: dict[str, str] = setting(
        dict, "a run whose networks to start with", cannot_vary="use --start-from alone", paths="DIR"
    )
    start_from_best: bool = setting(False, "of that run, take the networks that evaluated best, not the newest")
    start_from_data: bool = setting(False, "take the transitions of that run too; where both tasks are alike")

    gamma: float = setting(
        0.99,
        "γ, the discount factor (post and paper: 0.99); larger where rewards come late: 0.9999 on Swimmer",
        "[0, 1]",
        group="the algorithm",
    )
    tau: float = setting(0.005, "τ, the rate of the soft target updates (post: 0.005; paper: 0.001)", "(0, 1]")
    batch_size: int = setting(64, "N, the transitions in a minibatch (post and paper: 64)", "[1, inf)")
    buffer_size: int = setting(
        1_000_000, "capacity of the replay buffer in transitions (post and paper: 1e6)", "[1, inf)"
    )
    hindsight_goals: int = setting(
        0,
        "K, goals reached later with which each transition is stored again; usual where a Dict has goals: 4",
        "[0, inf)",
    )
    train_frequency: int = setting(
        1,
        "environment steps between two rounds of updates (Algorithm 1: 1), or episode: as many as it had steps, "
        "after it; 50 is faster on MuJoCo",
        "[0, inf)",
        zero="episode",
    )
    gradient_steps: int = setting(
        1, "updates in a round, in one compiled call (Algorithm 1: 1); usually as --train-frequency", "[1, inf)"
    )

    hidden_units: tuple[int, int] = setting(
        (400, 300), "units of the two hidden layers (post and paper)", "[1, inf)", group="the networks"
    )
    actor_learning_rate: float = setting(
        1e-4, "Adam's step size for the actor (post and paper: 1e-4); 1e-3 learns sooner on most tasks", "(0, inf)"
    )
    critic_learning_rate: float = setting(1e-3, "Adam's step size for the critic (post and paper: 1e-3)", "(0, inf)")
    learning_rate_decay_steps: int | None = setting(
        None, "anneal both learning rates linearly to zero, from the first update to step N", "[1, inf)"
    )
    normalize_observations: bool = setting(
        False, "scale states by the mean and deviation of all states seen; for states of different units"
    )
    batch_normalization: bool = setting(False, "normalize the state and the hidden layers (first post and paper)")
    layer_normalization: str = setting(
        "none", "networks whose hidden layers are normalized over their units", None, ("none", "critic", "both")
    )
    kernel_initializer: str = setting(
        "keras", "initial weights: Keras's (post) or the paper's", None, ("keras", "fan_in")
    )
    action_layer: int = setting(1, "critic's hidden layer at which the action enters (post: 1; paper: 2)", "[1, 2]")
    critic_weight_decay: float = setting(0.0, "λ of the L2 penalty on the critic's weights (paper: 0.01)", "[0, inf)")
    action_penalty: float = setting(
        0.0, "λ of the penalty on the policy's mean squared action (HER: 1); for policies stuck at a bound", "[0, inf)"
    )
    target_limits: tuple[float, float] | None = setting(
        None, "clip y to [LOW, HIGH], what returns can be; (HER: -1/(1 - γ) 0, for rewards of -1 and 0)", "(-inf, inf)"
    )

    noise: str = setting(
        "gaussian",
        "noise process added to the action in training; ou pushes in one direction for a while",
        None,
        ("gaussian", "ou"),
        group="exploration, in units of the tanh action (1 is half the width of the task's action range)",
    )
    noise_sigma: float = setting(
        0.1, "σ of the exploration noise (post: 0.1; paper: 0.2); larger where nothing is found", "[0, inf)"
    )
    random_actions: float = setting(
        0.0, "share of uniformly random actions (HER: 0.3); for goals that noise alone does not reach", "[0, 1]"
    )
    noise_decay_steps: int | None = setting(None, "anneal the noise linearly to zero over N steps", "[1, inf)")

    evaluate_every: int = setting(
        5_000,
        "environment steps between two noise-free evaluations",
        "[1, inf)",
        group="evaluation and checkpoints",
        learns=False,
    )
    evaluation_episodes: int = setting(
        10, "episodes per evaluation; 100 where the start decides much", "[1, inf)", learns=False
    )
    evaluation_tau: float = setting(
        1.0, "τ of the averaged actor that is evaluated; 1: no average; 2e-5 where evaluations jump", "(0, 1]"
    )
    evaluate_in_training_task: bool = setting(
        False, "evaluate in the instance that is trained in, for a task of which only one can exist", learns=False
    )
    stop_at: float | None = setting(
        None, "end the run when evaluations reach this mean return", "(-inf, inf)", learns=False, may_change=True
    )
    stop_at_success: float | None = setting(
        None, "end the run when evaluations reach this share of successes", "(0, 1]", learns=False, may_change=True
    )
    stop_evaluations: int = setting(
        3, "evaluations in a row that must reach it", "[1, inf)", learns=False, may_change=True
    )
    log_info: str | None = setting(
        None, "numbers in the task's info to log as means over each episode, such as cost,energy", learns=False
    )
    checkpoint_every: int = setting(10_000, "environment steps between two checkpoints", "[1, inf)", learns=False)
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
        object.__setattr__(self, "env_kwargs", copy.deepcopy(self.env_kwargs))  # the caller may change its own
        refuse_contradictions(self)

    @property
    def first_update_step(self) -> int:
        """The environment step from which on updates are due: a minibatch is stored, and the random steps are over."""
        return max(self.batch_size, self.learning_starts)

    @property
    def averages_actor(self) -> bool:
        """Whether the actor to evaluate is an average of the one that learns, and not the same."""
        return self.evaluation_tau < 1.0

    @property
    def imitation_weight(self) -> float:
        """The weight of imitation: 0 in a run that imitates nothing."""
        default = IMITATION if self.data_updates and self.data else 0.0
        return default if self.imitation is None else self.imitation

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values, for `config.json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, settings: dict[str, Any]) -> "Config":
        """Rebuild a `Config` from `as_json`.

        Raises:
            RequestError: A name is unknown or a value is not allowed.
        """
        return from_json(cls, settings)
