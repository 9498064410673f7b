"""Tiny tasks whose right answers are known, registered with Gymnasium when this module is imported."""

import time

import gymnasium
import numpy as np
from gymnasium import spaces


class Task(gymnasium.Env):
    """A task of constant state whose step can be replaced piece by piece."""

    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock = 0
        return np.ones(1, np.float32), {}

    def step(self, action):
        self.clock += 1
        return np.ones(1, np.float32), 1.0, False, False, {}


class Matching(Task):
    """One-step episodes: the reward is -(action - state)², so the best policy is the identity."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-0.8, 0.8, 1).astype(np.float32)
        return self.state, {}

    def step(self, action):
        return self.state, -float(np.sum((action - self.state) ** 2)), True, False, {}


class Breaking(Task):
    """Returns `value` as the state or the reward at step 25 of the second episode (episodes of 40)."""

    def __init__(self, broken="reward", value=float("nan")):
        self.broken, self.value, self.episodes = broken, value, 0

    def reset(self, *, seed=None, options=None):
        self.episodes += 1
        return super().reset(seed=seed)

    def step(self, action):
        state, reward, terminated, _, info = super().step(action)
        if self.episodes == 2 and self.clock == 25:
            state, reward = (np.full(1, self.value), reward) if self.broken == "state" else (state, self.value)
        return state, reward, terminated, self.clock == 40, info


class Echo(Task):
    """Keeps the action it was given, in its own units: shape (2, 2), bounds that differ per dimension."""

    action_space = spaces.Box(np.array([[-2, 0], [5, -1]], np.float32), np.array([[2, 10], [6, 3]], np.float32))

    def step(self, action):
        self.action = action
        return super().step(action)


class Reusing(Task):
    """Returns the same array each time, counting in place."""

    observation_space = spaces.Box(0, 100, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = np.zeros(1, np.float32)
        return self.state, {}

    def step(self, action):
        self.state += 1
        return self.state, 1.0, False, False, {}


class Unseeded(Task):
    """Starts anywhere, whatever its seed."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.random.default_rng().uniform(-1, 1, 1).astype(np.float32), {}


class Sleeping(Task):
    """Episodes of four steps; in the second one, a step takes a minute."""

    episodes = 0

    def reset(self, *, seed=None, options=None):
        self.episodes += 1
        return super().reset(seed=seed)

    def step(self, action):
        state, reward, terminated, _, info = super().step(action)
        if (self.episodes, self.clock) == (2, 2):
            time.sleep(60)
        return state, reward, terminated, self.clock == 4, info


class Bounds(Task):
    """A task with the action bounds that it is given."""

    def __init__(self, low, high):
        self.action_space = spaces.Box(np.array(low, np.float32), np.array(high, np.float32))


class States(Task):
    """A task with the states that it is given: `kind` names a space."""

    KINDS = {  # noqa: RUF012
        "image": spaces.Box(0, 255, (4, 5, 3), np.uint8),
        "double": spaces.Box(-np.inf, np.inf, (2, 2), np.float64),
        "dict": spaces.Dict(a=spaces.Box(-1, 1, (2,), np.float32), b=spaces.Discrete(3)),
        "tuple": spaces.Tuple((spaces.Box(-1, 1, (2,), np.float64), spaces.Box(0, 9, (3,), np.int32))),
        "sequence": spaces.Sequence(spaces.Box(-1, 1, (2,), np.float32)),
    }

    def __init__(self, kind):
        self.observation_space = self.KINDS[kind]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 1.0, False, False, {}


# Gymnasium's checker would warn of what these tasks do on purpose.
for name, task in {
    "Endless": Task,
    "Unlimited": Task,
    "Matching": Matching,
    "Breaking": Breaking,
    "Echo": Echo,
    "Bounds": Bounds,
    "Reusing": Reusing,
    "States": States,
    "Sleeping": Sleeping,
    "Unseeded": Unseeded,
}.items():
    limit = 10 if name == "Endless" else None
    gymnasium.register(f"{name}-v0", task, max_episode_steps=limit, disable_env_checker=True)
