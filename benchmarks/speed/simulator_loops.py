"""The loops that `simulators.py` compares: each waits in its own process for its turn.

    python -m benchmarks.speed.simulator_loops LOOP TASK MILLISECONDS SIMULATORS TRAIN_FREQUENCY

runs a loop with one update for every TRAIN_FREQUENCY environment steps. It answers each line "SECONDS" on stdin with
the environment steps per second that it makes in about this time.

    one       this project's loop for one simulator
    several   this project's loop for several
    updates   the updates of their rounds, without a simulator
    sb3       Stable-Baselines3 with as many simulators in processes (SubprocVecEnv) and as many updates
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.common.numpy_baseline import HIDDEN_UNITS, use_default_kernel
from benchmarks.common.output import parser_for
from benchmarks.common.slow_task import EPISODE_STEPS, LEARNING_STARTS, SLOW_TASK, config_of, make, until

Loop = Callable[[float], int]  # runs for about so many seconds; returns the environment steps made


def one(task: str, milliseconds: float, simulators: int, train_frequency: int) -> Loop:
    from ddpg.agent import DDPG
    from ddpg.environment import make_environment, state_and_action_size
    from ddpg.training import train

    config = config_of(task, milliseconds, train_frequency)
    environment = make_environment(config)
    episodes = train(DDPG(*state_and_action_size(environment), config), environment)
    return lambda seconds: until(seconds, lambda: next(episodes).length)


def several(task: str, milliseconds: float, simulators: int, train_frequency: int) -> Loop:
    from ddpg.agent import DDPG
    from ddpg.experience.parallel import Rounds
    from ddpg.experience.simulators import Simulators, sizes_of

    config = config_of(task, milliseconds, train_frequency)
    sizes = sizes_of(config)
    rounds = Rounds(DDPG(*sizes, config), Simulators(config, simulators, sizes=sizes))

    def step() -> int:
        rounds.next()
        return simulators

    return lambda seconds: until(seconds, step)


def updates(task: str, milliseconds: float, simulators: int, train_frequency: int) -> Loop:
    from ddpg.agent import DDPG
    from ddpg.experience.simulators import sizes_of
    from ddpg.fast import compile_updates

    config = config_of(task, milliseconds, train_frequency)
    agent = DDPG(*sizes_of(config), config)
    rng = np.random.default_rng(0)
    for _ in range(10_000):
        state = rng.normal(size=agent.state_size)
        agent.remember(state, np.zeros(agent.action_size), 0.0, state, False)
    count = max(1, simulators // train_frequency)
    update = compile_updates(agent.train_step, agent.replay_buffer, config, count)

    def step() -> int:
        update(agent.replay_buffer.sample(config.batch_size, rng, count))
        return count * train_frequency

    return lambda seconds: until(seconds, step)


def sb3(task: str, milliseconds: float, simulators: int, train_frequency: int) -> Loop:
    from functools import partial

    import gymnasium
    import torch
    from stable_baselines3 import DDPG
    from stable_baselines3.common.noise import NormalActionNoise, VectorizedActionNoise
    from stable_baselines3.common.vec_env import SubprocVecEnv

    torch.set_num_threads(1)  # with more it crawls where cores are shared
    maker = partial(make, milliseconds) if task == SLOW_TASK else partial(gymnasium.make, task)
    limited = partial(limit_to, maker)
    environments = SubprocVecEnv([limited] * simulators, start_method="forkserver")
    action_size = environments.action_space.shape[0]
    noise = NormalActionNoise(np.zeros(action_size), np.full(action_size, 0.1))
    rounds = max(1, train_frequency // simulators)  # train_freq counts steps of all simulators together
    model = DDPG(
        "MlpPolicy",
        environments,
        batch_size=64,
        train_freq=rounds,
        gradient_steps=rounds * simulators // train_frequency,
        learning_starts=LEARNING_STARTS,
        action_noise=VectorizedActionNoise(noise, simulators),
        policy_kwargs={"net_arch": list(HIDDEN_UNITS)},
        device="cpu",
    )
    calls = 10 * max(rounds * simulators, 10)

    def step() -> int:
        before = model.num_timesteps
        model.learn(calls, reset_num_timesteps=False, log_interval=None)
        return model.num_timesteps - before

    return lambda seconds: until(seconds, step)


def limit_to(maker: Callable[[], Any]) -> Any:
    """Return a task with the time limit that the other loops have."""
    from gymnasium.wrappers import TimeLimit

    return TimeLimit(maker(), EPISODE_STEPS)


LOOPS = {"one": one, "several": several, "updates": updates, "sb3": sb3}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("loop", choices=LOOPS)
    parser.add_argument("task")
    parser.add_argument("milliseconds", type=float)
    parser.add_argument("simulators", type=int)
    parser.add_argument("train_frequency", type=int)
    arguments = parser.parse_args()
    use_default_kernel()
    loop = LOOPS[arguments.loop](
        arguments.task, arguments.milliseconds, arguments.simulators, arguments.train_frequency
    )
    print("kernel ready", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        steps = loop(float(line))
        print(f"speed {steps / (time.perf_counter() - start):.6f}", flush=True)


if __name__ == "__main__":
    main()
