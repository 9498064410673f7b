"""Tiny tasks whose right answers are known, registered with Gymnasium when this module is imported."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium import spaces

ENDLESS = 5_000  # more steps than any test lets an episode have


class Task(gymnasium.Env):
    """A task of constant state and reward 1 that never ends; other tasks replace parts of it."""

    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock = 0
        return np.ones(1, np.float32), {}

    def step(self, action):
        self.clock += 1
        if self.clock > ENDLESS:  # fail the test instead of hanging it
            raise RuntimeError("this episode should have ended long ago")
        return np.ones(1, np.float32), 1.0, False, False, {}


class Matching(Task):
    """One-step episodes: the reward is -(action - state)², so the best policy is the identity."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-0.8, 0.8, 1).astype(np.float32)
        return self.state, {}

    def step(self, action):
        return self.state, -float(np.sum((action - self.state) ** 2)), True, False, {}


class Scales(Task):
    """One-step episodes with two numbers to see: one near 0.01, to be matched a hundredfold, and one near 100."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.goal, other = self.np_random.uniform(-0.8, 0.8, 2)
        return np.array([0.01 * self.goal, 100 * other], np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), -float((action[0] - self.goal) ** 2), True, False, {}


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
            state, reward = (np.array(self.value, ndmin=1), reward) if self.broken == "state" else (state, self.value)
        return state, reward, terminated, self.clock == 40, info


class Echo(Task):
    """Keeps the action it was given, in its own units: shape (2, 2), bounds that differ per dimension."""

    action_space = spaces.Box(np.array([[-2, 0], [5, -1]], np.float32), np.array([[2, 10], [6, 3]], np.float32))

    def step(self, action):
        self.action = action
        return super().step(action)


class Bounds(Echo):
    """Keeps the action it was given; has the action bounds and type that it is given."""

    def __init__(self, low, high, dtype="float32"):
        dtype = np.dtype(dtype)
        self.action_space = spaces.Box(np.array(low, dtype), np.array(high, dtype), dtype=dtype.type)


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


class Walking(Task):
    """A walk of 2 to 12 steps that depends on the seed and the actions; simulator `slow` sleeps before each step."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)

    def __init__(self, slow=None, seconds=0.01, crashes=False):
        self.slow, self.seconds, self.crashes = slow, seconds, crashes

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.length = int(self.np_random.integers(2, 13))
        self.state = self.np_random.normal(size=2).astype(np.float32)
        return self.state, {}

    def step(self, action):
        self.clock += 1
        if self.crashes:
            os._exit(3)
        if os.environ.get("DDPG_SIMULATOR") == str(self.slow):
            time.sleep(self.seconds)
        self.state += np.float32([action[0], self.np_random.normal()])  # in place: it returns a view of its memory
        over = self.clock == self.length
        return self.state, float(self.state[0]), over and self.length % 2 == 0, over and self.length % 2 == 1, {}


class Misbehaving(Walking):
    """In simulator 1 it does what it is told to, at step 3 of its second episode; in others it walks."""

    def __init__(self, act="raise", **arguments):
        super().__init__(**arguments)
        self.act, self.episodes = act, 0

    def reset(self, *, seed=None, options=None):
        self.episodes += 1
        state, info = super().reset(seed=seed)
        self.length = 6
        return state, info

    def step(self, action):
        state, reward, terminated, truncated, info = super().step(action)
        if os.environ.get("DDPG_SIMULATOR", "1") == "1" and (self.episodes, self.clock) == (2, 3):
            return self.misbehave(state), reward, terminated, truncated, info
        return state, reward, terminated, truncated, info

    def misbehave(self, state):
        if self.act == "raise":
            raise ValueError("the pump is dry", threading.Lock())  # an error that cannot be pickled
        if self.act == "exit":
            os._exit(3)
        if self.act == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.act == "hang":
            while True:
                time.sleep(1)
        if self.act == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        if self.act == "chdir":
            os.chdir("/")
        if self.act == "print":
            print("the pump is running")
        return np.full(2, np.nan) if self.act == "nan" else np.zeros(3) if self.act == "shape" else state


class Inside(Task):
    """What its process is like: whether TensorFlow is loaded, its resident MiB, and its id."""

    observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        status = Path("/proc/self/status").read_text().split("VmRSS:")[1]
        return np.float32(["tensorflow" in sys.modules, int(status.split()[0]) / 1024, os.getpid()]), {}


class Starting(Task):
    """Starts a program, whose id is its first state."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.program = subprocess.Popen(["sleep", "600"])
        return np.float32([self.program.pid]), {}


class OwnSpace(spaces.Space):
    """A kind of space that Gymnasium does not know."""


class States(Task):
    """A task with the states that it is given: `kind` names a space."""

    KINDS = {  # noqa: RUF012
        "image": spaces.Box(0, 255, (4, 5, 3), np.uint8),
        "double": spaces.Box(-np.inf, np.inf, (2, 2), np.float64),
        "dict": spaces.Dict(a=spaces.Box(-1, 1, (2,), np.float32), b=spaces.Discrete(3)),
        "tuple": spaces.Tuple((spaces.Box(-1, 1, (2,), np.float64), spaces.Box(0, 9, (3,), np.int32))),
        "sequence": spaces.Sequence(spaces.Box(-1, 1, (2,), np.float32)),
        "graph": spaces.Graph(spaces.Box(-1, 1, (2,), np.float32), None),
        "own": OwnSpace((2,), np.float32),
        "empty": spaces.Box(-1, 1, (0,), np.float32),
    }

    def __init__(self, kind):
        self.observation_space = self.KINDS[kind]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 1.0, False, False, {}


class Answering(gymnasium.Wrapper):
    """Replaces parts of what a task returns from step `at` of its second episode: state, reward, terminated, truncated.

    A part that is an exception is raised. `reset` replaces the first state of the second episode.
    """

    def __init__(self, environment, at=3, **parts):
        super().__init__(environment)
        self.at, self.parts, self.episodes, self.clock = at, parts, 0, 0

    def reset(self, **arguments):
        state, info = self.env.reset(**arguments)
        self.episodes, self.clock = self.episodes + 1, 0
        return (self._part("reset", state) if self.episodes == 2 else state), info

    def step(self, action):
        state, reward, terminated, truncated, info = self.env.step(action)
        self.clock += 1
        if (self.episodes, self.clock) == (2, self.at):
            state, reward = self._part("state", state), self._part("reward", reward)
            terminated, truncated = self._part("terminated", terminated), self._part("truncated", truncated)
        return state, reward, terminated, truncated, info

    def _part(self, name, value):
        value = self.parts.get(name, value)
        if isinstance(value, Exception):
            raise value
        return value


class NoArray:
    """A value that cannot become an array, as a tensor of PyTorch that still has gradients."""

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad")


class Tensors(Task):
    """Returns such a value as one `part` of its answers."""

    def __init__(self, part):
        self.part = part

    def reset(self, *, seed=None, options=None):
        state, info = super().reset(seed=seed)
        return NoArray() if self.part == "state" else state, info

    def step(self, action):
        names = ("state", "reward", "terminated", "truncated", "info")
        return tuple((dict(zip(names, super().step(action), strict=True)) | {self.part: NoArray()}).values())


class Rewardless(Task):
    """Its reward is always 0: there is nothing to learn from."""

    def step(self, action):
        state, _, *rest = super().step(action)
        return state, 0.0, *rest


class Highest(Task):
    """One-step episodes whose reward is the action, so the best policy is the upper bound."""

    def step(self, action):
        return np.ones(1, np.float32), float(action[0]), True, False, {}


class Scoring(Task):
    """Three-step episodes that say in `info`, by the name given, whether the last action was above the start."""

    def __init__(self, name="is_success", only_at_success=False):
        self.name, self.only_at_success = name, only_at_success

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.start = self.np_random.uniform(-1, 1)
        return np.float32([self.start]), {}

    def step(self, action):
        state, reward, *_ = super().step(action)
        success = action[0] > self.start
        info = {} if self.only_at_success and not success else {self.name: np.float64(success)}
        return state, reward, False, self.clock == 3, info


class Unclosable(Task):
    """Raises when it is closed."""

    def close(self):
        raise OSError("the valve is stuck")


class Reaching(Task):
    """A point that moves by its action, a tenth at a time, towards a goal; 0 within 0.15 of it, else -1; 10 steps.

    `function` is how its rewards can be computed: for "many" goals, or for "one" at a time, or one that "fails".
    """

    goals = spaces.Box(-2, 2, (2,), np.float64)
    observation_space = spaces.Dict(observation=spaces.Box(0, 1, (1,)), desired_goal=goals, achieved_goal=goals)
    action_space = spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, function="many"):
        self.function, self.asked = function, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.point, self.goal = np.zeros(2), self.np_random.uniform(-0.5, 0.5, 2)
        return self._state(), {}

    def step(self, action):
        self.clock += 1
        self.point = self.point + 0.1 * action
        return self._state(), -float(self._misses(self.point, self.goal)), False, False, {"clock": self.clock}

    def compute_reward(self, achieved_goal, desired_goal, info):
        self.asked.append((achieved_goal, desired_goal, info))
        if self.function == "fails":
            raise ValueError("no such goal")
        misses = self._misses(achieved_goal, desired_goal)
        return -misses.astype(np.float64) if self.function == "many" else -float(misses)

    def _misses(self, achieved_goal, desired_goal):
        return np.linalg.norm(achieved_goal - desired_goal, axis=-1) > 0.15

    def _state(self):
        return {"observation": np.ones(1, np.float32), "desired_goal": self.goal, "achieved_goal": self.point}


class Arriving(Reaching):
    """The same, but over once the goal is reached."""

    def step(self, action):
        state, reward, *_, info = super().step(action)
        return state, reward, reward == 0, False, info

    def compute_terminated(self, achieved_goal, desired_goal, info):
        return bool(np.linalg.norm(achieved_goal - desired_goal) <= 0.15)


class Reporting(Task):
    """Reports a cost, a name and success in `info`: an even seed succeeds."""

    def reset(self, *, seed=None, options=None):
        self.seed, self.cost = seed, 0
        return super().reset(seed=seed, options=options)

    def step(self, action):
        state, reward, terminated, truncated, _ = super().step(action)
        info = {"cost": self.cost, "name": "tank", "is_success": self.seed % 2 == 0}
        self.cost += 1
        return state, reward, terminated, truncated, info | ({"bonus": 7} if self.cost == 4 else {})


class OldGym(Task):
    """A task with one habit of the old gym; `mistake` names it."""

    def __init__(self, mistake, size=1, dictionary=False):
        states = spaces.Box(-1, 1, (size,), np.float32)
        self.mistake, self.observation_space = mistake, spaces.Dict(a=states, b=states) if dictionary else states
        self.state = self.observation_space.sample()
        if mistake == "import":
            import gym  # noqa: F401
        if mistake == "exit":
            sys.exit(0)
        if mistake == "seed":
            self.reset = self.reset_without_seed

    def reset_without_seed(self):
        return self.state

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.state if self.mistake == "reset" else (self.state, {})

    def step(self, action):
        return (self.state, 1.0, True, {}) if self.mistake == "step" else None if self.mistake == "nothing" else exit(3)


class NoEnv:
    """A class that is no `gymnasium.Env`, as those of the old gym are none."""

    observation_space, action_space = Task.observation_space, Task.action_space


def odd(**parts):
    """Return a task with `Answering`'s parts, which `--env-kwargs` can give as JSON."""
    return Answering(Task(), **parts)


TASKS = {
    "Endless": Task,  # reward 1, until its time limit of 10 steps
    "Unlimited": Task,
    "Matching": Matching,
    "Scales": Scales,
    "Breaking": Breaking,
    "Echo": Echo,
    "Bounds": Bounds,
    "Reusing": Reusing,
    "States": States,
    "Tensors": Tensors,
    "Sleeping": Sleeping,
    "Unseeded": Unseeded,
    "Rewardless": Rewardless,
    "Highest": Highest,
    "Scoring": Scoring,
    "Unclosable": Unclosable,
    "Walking": Walking,
    "Misbehaving": Misbehaving,
    "Inside": Inside,
    "Starting": Starting,
    "Reporting": Reporting,
    "OldGym": OldGym,
    "NoEnv": NoEnv,
    "Odd": odd,
    "Reaching": Reaching,
    "Arriving": Arriving,
}
LIMITED = ("Endless", "Rewardless", "Unclosable", "Odd", "Reaching", "Arriving")  # to 10 steps
for name, task in TASKS.items():
    limit = 4 if name == "Reporting" else 10 if name in LIMITED else None
    # Gymnasium's checker would warn of what these tasks do on purpose.
    gymnasium.register(f"{name}-v0", task, max_episode_steps=limit, disable_env_checker=True)
