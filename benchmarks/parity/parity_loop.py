"""Does the whole loop do the same as Stable-Baselines3's? Both train on real tasks, with the same draws, in float64.

    python -m benchmarks.parity.parity_loop    # about three minutes; needs requirements-benchmark.txt

Same starting weights, starts of episodes and indices of the minibatches; no exploration noise. Both store float32, so
that rounding can differ in the last bit of a stored number; from there on a chaotic task parts them slowly. It writes
results/parity_loop: after each of some numbers of steps, the largest difference of all states and actions so far.
"""

import gymnasium
import keras
import numpy as np
import tensorflow as tf

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.parity.weights import weights_of
from ddpg import DDPG, Batch, Config, Metrics, make_environment, state_and_action_size, train
from ddpg.seeding import integer_seed, rng

TASKS = ("Pendulum-v1", "MountainCarContinuous-v0", "InvertedPendulum-v5", "HalfCheetah-v5")
SHOWN = (64, 100, 200, 500, 1_000)


class SeededEpisodes(gymnasium.Wrapper):
    """Resets the k-th episode as this project does, whatever seed is asked for."""

    def __init__(self, environment: gymnasium.Env, seed: int) -> None:
        super().__init__(environment)
        self.run_seed, self.number = seed, 0

    def reset(self, *, seed=None, options=None):
        """Begin the next episode."""
        self.number += 1
        return self.env.reset(seed=integer_seed(self.run_seed, "episodes", self.number), options=options)


class InFloat64(DDPG):
    """Updates in float64, from the float32 rows of the replay buffer."""

    def train_step(self, batch: Batch) -> Metrics:
        """Make one update."""
        metrics = super().train_step(Batch(*(tf.cast(part, tf.float64) for part in batch)))
        return Metrics(*(tf.cast(value, tf.float32) for value in metrics))


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--steps", type=int, default=1_000, help="environment steps (default: 1000)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    keras.config.set_floatx("float64")
    rows = []
    for task in arguments.tasks:
        config = Config(env=task, steps=arguments.steps, noise_sigma=0.0, buffer_size=10_000)
        agent = InFloat64(*state_and_action_size(make_environment(task)), config)
        start = weights_of(agent)
        for _ in train(agent, make_environment(task)):
            pass
        ours = agent.replay_buffer.split(agent.replay_buffer.rows[: arguments.steps])
        states, actions = sb3_loop(config, start)
        for steps in (count for count in SHOWN if count <= arguments.steps):
            apart = max(
                np.abs(ours.state[:steps] - states[:steps]).max(), np.abs(ours.action[:steps] - actions[:steps]).max()
            )
            rows.append({"task": task, "steps": steps, "difference": float(apart)})
            print(f"{task:26} {steps:6} steps  {apart:.1e}", flush=True)
    write_csv(arguments.out / "parity_loop" / "table.csv", rows)


def sb3_loop(config: Config, start: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Train Stable-Baselines3's agent, and return the states and actions of its replay buffer."""
    from benchmarks.parity import parity_sb3

    task = SeededEpisodes(make_environment(config.env), config.seed)
    model = parity_sb3.make_model(task, buffer_size=config.buffer_size, learning_starts=0, train_freq=1)
    parity_sb3.set_weights(model, start)
    buffer, draws, update = model.replay_buffer, rng(config.seed, "replay"), model.train
    assert buffer is not None

    def sample(batch_size, env=None):
        index = draws.choice(buffer.size(), batch_size, replace=False, shuffle=False)
        parts = buffer._get_samples(index)
        return parts._replace(**{name: part.double() for name, part in parts._asdict().items() if part is not None})

    def train_when_full(gradient_steps, batch_size):
        if buffer.size() >= config.batch_size:
            parity_sb3.set_adam(model, model._n_updates + 1)
            update(gradient_steps=1, batch_size=config.batch_size)

    buffer.sample, model.train = sample, train_when_full
    model.learn(config.steps, log_interval=None)
    return buffer.observations[: config.steps, 0], buffer.actions[: config.steps, 0]


if __name__ == "__main__":
    main()
