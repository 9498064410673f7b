"""The heater with its PI controller in the loop: the action corrects the controller's command."""

import gymnasium
import numpy as np
from gymnasium import spaces
from heater import Heater
from pi import PI


class Corrected(gymnasium.Wrapper):
    """The action, in [-1, 1], adds up to `share` of the range of the actions to a controller's action.

    What the controller wants is part of the state.
    """

    def __init__(self, task, controller, share):
        super().__init__(task)
        box, space = task.action_space, task.observation_space
        self.new_controller, self.reach = controller, share * (box.high - box.low)
        self.action_space = spaces.Box(-1, 1, box.shape, np.float32)
        self.observation_space = spaces.Box(np.append(space.low, box.low), np.append(space.high, box.high))

    def reset(self, **kwargs):
        self.controller = self.new_controller()
        state, info = self.env.reset(**kwargs)
        return self.state(state), info

    def step(self, action):
        box = self.env.action_space
        state, *rest = self.env.step(np.clip(self.wanted + self.reach * action, box.low, box.high))
        return self.state(state), *rest

    def state(self, state):
        self.wanted = self.controller(state)
        return np.append(state, self.wanted).astype(np.float32)


def alone(state):
    """The controller that corrects nothing: the PI controller alone."""
    return np.zeros(1)


def heater_with_pi(gain=1.0, rate_penalty=0.5):
    """Make the heater with a correction of at most 0.3 of its power."""
    return Corrected(Heater(gain, rate_penalty), PI, 0.3)


gymnasium.register("Corrected-v0", heater_with_pi, max_episode_steps=100)
