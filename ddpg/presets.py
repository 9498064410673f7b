"""Named settings: the two sources, and what has worked on small tasks and on MuJoCo's."""

from ddpg.config import Config

PRESETS: dict[str, Config] = {
    "blog": Config(),
    "paper": Config(
        tau=0.001,
        batch_normalization=True,
        kernel_initializer="fan_in",
        action_layer=2,
        critic_weight_decay=0.01,
        noise="ou",
        noise_sigma=0.2,
    ),
    # for small tasks and short runs: what returned most on Pendulum-v1 in 20,000 steps
    "classic": Config(
        learning_starts=5_000, gradient_steps=8, actor_learning_rate=1e-3, noise_sigma=0.3, evaluation_tau=2e-4
    ),
    # PFRL's settings for the MuJoCo tasks, and normalized observations
    "mujoco": Config(learning_starts=10_000, batch_size=100, actor_learning_rate=1e-3, normalize_observations=True),
    # the settings of the paper on hindsight for its robots, without its penalty on actions and limits of targets
    "goals": Config(
        gamma=0.98,
        tau=0.05,
        batch_size=256,
        hindsight_goals=4,
        train_frequency=0,  # after each episode
        gradient_steps=40,
        hidden_units=(256, 256),
        actor_learning_rate=1e-3,
        normalize_observations=True,
        noise_sigma=0.2,
        random_actions=0.3,
    ),
}
