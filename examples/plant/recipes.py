"""The recipes of docs/plant.md as tasks: each with its recipe and, under the name ending in Plain, without it.

They are registered when this module is imported: `python train.py --env recipes:Delay-v0`.
"""

from collections import deque

import corrected
import gymnasium
import heater
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import FrameStackObservation, TransformObservation, TransformReward


class WithQueue(gymnasium.Wrapper):
    """The actions that are still under way, the newest first, are part of the state."""

    def __init__(self, task, steps):
        super().__init__(task)
        self.queue = deque(maxlen=steps)
        box, space = task.action_space, task.observation_space
        low, high = (
            np.concatenate([bound, *[end] * steps]) for bound, end in ((space.low, box.low), (space.high, box.high))
        )
        self.observation_space = spaces.Box(low, high, dtype=np.float32)

    def reset(self, **kwargs):
        state, info = self.env.reset(**kwargs)
        self.queue.extend([np.zeros(self.action_space.shape, np.float32)] * self.queue.maxlen)
        return self.state(state), info

    def step(self, action):
        self.queue.appendleft(action)
        state, *rest = self.env.step(action)
        return self.state(state), *rest

    def state(self, state):
        return np.concatenate([state, *self.queue]).astype(np.float32)


class ChangePenalty(gymnasium.Wrapper):
    """The reward is less by `weight` times the squared change of the action, which is part of the state."""

    def __init__(self, task, weight):
        super().__init__(WithQueue(task, 1))
        self.weight = weight

    def step(self, action):
        change = np.sum((action - self.env.queue[0]) ** 2)
        state, reward, *rest = self.env.step(action)
        return state, float(reward - self.weight * change), *rest


class Shares(gymnasium.ActionWrapper):
    """Actions in [-1, 1] become shares that are positive and sum to one."""

    def __init__(self, task):
        super().__init__(task)
        self.action_space = spaces.Box(-1, 1, task.action_space.shape, np.float32)

    def action(self, action):
        weights = np.exp(3 * action)  # a share can be e^6, about 400, times another one
        return weights / weights.sum()


class TimeLeft(gymnasium.Wrapper):
    """The share of the time that is left is part of the state, and the end of the time is the end of the task."""

    def __init__(self, task, steps):
        super().__init__(task)
        self.steps, space = steps, task.observation_space
        self.observation_space = spaces.Box(np.float32([*space.low, 0]), np.float32([*space.high, 1]))

    def reset(self, **kwargs):
        self.left = self.steps
        state, info = self.env.reset(**kwargs)
        return np.append(state, 1).astype(np.float32), info

    def step(self, action):
        self.left -= 1
        state, reward, terminated, truncated, info = self.env.step(action)
        state = np.append(state, self.left / self.steps).astype(np.float32)
        return state, reward, terminated or self.left == 0, truncated, info


class Repeat(gymnasium.Wrapper):
    """Each action is taken `times` times; the reward is the sum."""

    def __init__(self, task, times):
        super().__init__(task)
        self.times = times

    def step(self, action):
        total = 0.0
        for _ in range(self.times):
            state, reward, terminated, truncated, info = self.env.step(action)
            total += reward
            if terminated or truncated:
                break
        return state, total, terminated, truncated, info


# The small tasks on which the recipes were measured.


class Late(gymnasium.ActionWrapper):
    """A task whose actions act some steps late."""

    def __init__(self, task, steps):
        super().__init__(task)
        self.queue = deque(maxlen=steps + 1)

    def reset(self, **kwargs):
        self.queue.extend([np.zeros(self.action_space.shape, np.float32)] * self.queue.maxlen)
        return self.env.reset(**kwargs)

    def action(self, action):
        self.queue.appendleft(action)
        return self.queue[-1]


class Mix(gymnasium.Env):
    """Mix three ingredients as the state says; what does not sum to one is scaled until it does."""

    observation_space = spaces.Box(0, 1, (3,), np.float32)
    action_space = spaces.Box(0, 1, (3,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.wanted = self.np_random.dirichlet(np.ones(3)).astype(np.float32)
        return self.wanted.copy(), {}

    def step(self, action):
        shares = action / max(1e-3, action.sum())
        return self.wanted.copy(), -float(np.abs(shares - self.wanted).sum()), True, False, {}


class Harvest(gymnasium.Env):
    """Ten steps: a high action costs a little in each of them, and pays in the last one."""

    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Box(0, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.clock += 1
        reward = float(action[0]) * (1.0 if self.clock == 10 else -0.3)
        return np.zeros(1, np.float32), reward, False, self.clock == 10, {}


def pendulum(dt=0.05):
    """Return Pendulum-v1 without its time limit, with steps of `dt` seconds."""
    task = gymnasium.make("Pendulum-v1").unwrapped
    task.dt = dt
    return task


def without_speed():
    """Return Pendulum-v1 with the position alone as its state."""
    task = pendulum()
    return TransformObservation(task, lambda state: state[:2], spaces.Box(-1, 1, (2,), np.float32))


TASKS = {
    "History": (lambda: FrameStackObservation(without_speed(), 3), 200),
    "HistoryPlain": (without_speed, 200),
    "Delay": (lambda: WithQueue(Late(pendulum(), 3), 3), 200),
    "DelayPlain": (lambda: Late(pendulum(), 3), 200),
    "ChangePenalty": (lambda: ChangePenalty(pendulum(), 0.5), 200),
    "ChangePenaltyPlain": (pendulum, 200),
    "Shares": (lambda: Shares(Mix()), 1),
    "SharesPlain": (Mix, 1),
    "Residual": (corrected.heater_with_pi, 100),
    "ResidualPlain": (heater.Heater, 100),
    "TimeLeft": (lambda: TimeLeft(Harvest(), 10), 10),
    "TimeLeftPlain": (Harvest, 10),
    "RewardScale": (lambda: TransformReward(TransformReward(pendulum(), lambda r: 1000 * r), lambda r: r / 1000), 200),
    "RewardScalePlain": (lambda: TransformReward(pendulum(), lambda reward: 1000 * reward), 200),
    "Repeat": (lambda: Repeat(pendulum(0.01), 5), 200),
    "RepeatPlain": (lambda: pendulum(0.01), 1000),
}
for name, (task, steps) in TASKS.items():
    gymnasium.register(f"{name}-v0", task, max_episode_steps=steps)
