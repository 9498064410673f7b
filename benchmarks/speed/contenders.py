"""The contenders of `speed.py`: each waits in its own process for its turn.

    python -m benchmarks.speed.contenders NAME TASK BATCH_SIZE UPDATES

runs contender NAME (ours, sb3, sbx, post or numpy), which makes UPDATES updates after every UPDATES environment steps.
It first prints which BLAS kernel NumPy uses. Then it answers each line "N" on stdin with the steps per second of the
next N environment steps.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.common.loops import EPISODE_STEPS, LEARNING_STARTS, our_loop, stable_baselines, train_further
from benchmarks.common.numpy_baseline import kernel_in_use, numpy_baseline, use_default_kernel
from benchmarks.common.output import parser_for

Contender = Callable[[int], int]  # runs the given number of environment steps or a few more; returns how many


def ours(task: str, batch_size: int, updates: int) -> Contender:
    """This project's training loop, episode by episode."""
    *_, episodes = our_loop(task, batch_size, updates)
    total = 0

    def run(steps: int) -> int:
        nonlocal total
        start = total
        while total < start + steps:
            total = next(episodes).steps
        return total - start

    return run


def of_library(library: str) -> Callable[[str, int, int], Contender]:
    """Stable-Baselines3 (torch) or SBX (JAX), with the same networks, minibatches and update schedule."""

    def make(task: str, batch_size: int, updates: int) -> Contender:
        import gymnasium

        environment = gymnasium.make(task, max_episode_steps=EPISODE_STEPS)
        schedule = {"train_freq": updates, "gradient_steps": updates, "learning_starts": LEARNING_STARTS}
        model = stable_baselines(library, environment, batch_size=batch_size, **schedule)

        def run(steps: int) -> int:
            before = model.num_timesteps
            train_further(model, steps)
            return model.num_timesteps - before

        return run

    return make


def post(task: str, batch_size: int, updates: int) -> Contender:
    """The second post's step as it describes it: eager tapes, and eager soft updates passed to `set_weights`."""
    import keras
    import tensorflow as tf

    from ddpg.environment import make_environment, state_and_action_size
    from ddpg.networks import ActorNetwork, CriticNetwork
    from ddpg.replay_buffer import ReplayBuffer

    environment = make_environment(task, max_episode_steps=EPISODE_STEPS)
    state_size, action_size = state_and_action_size(environment)
    buffer = ReplayBuffer(1_000_000, state_size, action_size)
    rng = np.random.default_rng(0)
    networks: list[Any] = [ActorNetwork(action_size), CriticNetwork(), ActorNetwork(action_size), CriticNetwork()]
    actor, critic, target_actor, target_critic = networks
    for network in networks:
        inputs = [tf.zeros([1, state_size]), tf.zeros([1, action_size])]
        network(*inputs[: 1 if isinstance(network, ActorNetwork) else 2])
    actor_optimizer, critic_optimizer = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-3)
    state, _ = environment.reset(seed=0)

    def train_step() -> None:
        batch = buffer.split(tf.convert_to_tensor(buffer.sample(batch_size, rng)[0]))
        with tf.GradientTape() as tape:
            target_q = batch.reward + 0.99 * target_critic(batch.next_state, target_actor(batch.next_state))
            loss = tf.reduce_mean((target_q - critic(batch.state, batch.action)) ** 2)
        gradients = tape.gradient(loss, critic.trainable_variables)
        critic_optimizer.apply_gradients(zip(gradients, critic.trainable_variables, strict=True))
        with tf.GradientTape() as tape:
            loss = -target_critic(batch.state, actor(batch.state))
        gradients = tape.gradient(loss, actor.trainable_variables)
        actor_optimizer.apply_gradients(zip(gradients, actor.trainable_variables, strict=True))
        for network, target_network in ((actor, target_actor), (critic, target_critic)):
            pairs = zip(network.weights, target_network.weights, strict=True)
            target_network.set_weights([0.005 * weight + 0.995 * target for weight, target in pairs])

    def run(steps: int) -> int:
        nonlocal state
        for _ in range(steps):
            action = actor(tf.convert_to_tensor([state])) + tf.random.normal([action_size], stddev=0.1)
            action = tf.clip_by_value(action, -1, 1).numpy()[0]
            next_state, reward, terminated, truncated, _ = environment.step(action)
            buffer.add(state, action, float(reward), terminated, next_state)
            if len(buffer) >= batch_size:
                train_step()
            state = environment.reset()[0] if terminated or truncated else next_state
        return steps

    return run


CONTENDERS = {
    "ours": ours,
    "sb3": of_library("stable_baselines3"),
    "sbx": of_library("sbx"),
    "post": post,
    "numpy": numpy_baseline,
}


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = parser_for(__doc__)
    parser.add_argument("name", choices=CONTENDERS, help="the contender")
    parser.add_argument("task", help="Gymnasium id")
    parser.add_argument("batch_size", type=int, help="transitions in a minibatch")
    parser.add_argument("updates", type=int, help="updates after every so many environment steps")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    use_default_kernel()
    run = CONTENDERS[arguments.name](arguments.task, arguments.batch_size, arguments.updates)
    print(f"kernel {kernel_in_use()}", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        steps = run(int(line))
        print(f"speed {steps / (time.perf_counter() - start):.6f}", flush=True)


if __name__ == "__main__":
    main()
