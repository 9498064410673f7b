"""Agents without a task, and calls that are timed in turn."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from ddpg import DDPG, ReplayBuffer

T = TypeVar("T")

STATE_SIZE, ACTION_SIZE = 17, 6  # HalfCheetah's


def agent_with(stored: int = 10_000, state_size: int = STATE_SIZE, width: int = 400, **settings: Any) -> "DDPG":
    """Return an agent whose replay buffer holds random transitions; its layers have `width` and 3/4 `width` units."""
    from ddpg import DDPG, Config

    config = Config(env="HalfCheetah-v5", hidden_units=(width, 3 * width // 4), **settings)
    agent = DDPG(state_size, ACTION_SIZE, config)
    fill(agent.replay_buffer, stored)
    agent.remember(*transition(agent), False)
    return agent


def fill(buffer: "ReplayBuffer", stored: int) -> None:
    """Add random transitions; only their sizes matter here."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(1_000, buffer.state_size)).astype(np.float32)
    action = np.zeros(buffer.action_size, np.float32)
    for k in range(stored):
        buffer.add(states[k % 1_000], action, 0.0, False, states[(k + 1) % 1_000])


def transition(agent: "DDPG") -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Return a state, an action, a reward and a next state of the agent's sizes."""
    state = np.ones(agent.state_size, np.float32)
    return state, np.zeros(agent.action_size, np.float32), 0.0, state


def step_of(agent: "DDPG") -> Callable[[], None]:
    """Return an environment step without an environment: act, remember, update."""
    state, action, reward, next_state = transition(agent)

    def step() -> None:
        agent.act(state)
        agent.remember(state, action, reward, next_state, False)
        agent.update()

    return step


def in_turn(
    calls: Mapping[T, Callable], rounds: int, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> Iterator[tuple[T, int, float]]:
    """Time the calls in turn; yield the key, the round and the milliseconds of one call by the clock."""
    for call in calls.values():
        call()  # compiles
    for number in range(rounds):
        for key, call in calls.items():
            count, start = 0, clock()
            while clock() < start + seconds:
                call()
                count += 1
            yield key, number, 1e3 * (clock() - start) / count
