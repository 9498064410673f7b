"""A stirred-tank heater as a Gymnasium task: the command acts three steps late, has limits, and the sensor is noisy.

Water flows through a small tank. The action is the heater's command, from 0 to 1 of its power, ten times a second. At
some moment the temperature of the inflow changes, which no sensor sees.
"""

from collections import deque

import gymnasium
import numpy as np
from gymnasium import spaces

STEP = 0.1  # seconds between two commands: 10 Hz
DELAY = 3  # steps until a command reaches the water
VOLUME, FLOW = 0.2, 0.1  # liters, liters per second
POWER, HEAT = 20.0, 4.19  # kW at full command; kJ to warm a liter by one degree
NOISE = 0.1  # degrees, the standard deviation of the sensor
SMOOTHING = 0.2  # of the surprise: the weight of the newest step
COLD, MIDDLE, SCALE = 15.0, 35.0, 10.0  # degrees: the inflow; states are (temperature - MIDDLE) / SCALE


def warming(temperature, inflow, power):
    """Return the degrees per second by which the water warms."""
    return (inflow - temperature) * FLOW / VOLUME + power / (HEAT * VOLUME)


class Heater(gymnasium.Env):
    """Bring the water to its set point, and hold it there: for ten seconds, from cold or from another set point.

    The state is the error and the set point, in units of 10 degrees; the error up to one degree, now and a step before;
    the three commands that are still under way, the newest first; and the surprise: how much faster the water warms
    than the data sheet says, smoothed, in units of 10 degrees per second.

    Args:
        gain: What the heater really gives of its power; two numbers are the range from which each episode draws it.
        rate_penalty: λ in the reward -|error| / 10 - λ (change of the command)².
    """

    observation_space = spaces.Box(-np.inf, np.inf, (8,), np.float32)
    action_space = spaces.Box(0.0, 1.0, (1,), np.float32)

    def __init__(self, gain=1.0, rate_penalty=0.5):
        self.gains = gain if isinstance(gain, (list, tuple)) else (gain, gain)
        self.rate_penalty = rate_penalty

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        draw = self.np_random.uniform
        self.gain, self.set_point = draw(*self.gains), draw(25, 45)
        self.inflow, self.next_inflow, self.disturbed_at = COLD, COLD + draw(-3, 3), int(self.np_random.integers(100))
        cold = (options or {}).get("cold", self.np_random.random() < 0.5)
        self.temperature = COLD if cold else draw(25, 45)
        at_rest = (self.temperature - COLD) * HEAT * FLOW / (POWER * self.gain)
        self.under_way = deque([at_rest] * DELAY, DELAY)  # the newest command first
        self.clock, self.small, self.surprise = 0, 0.0, 0.0
        self.measured = self.sensor()
        return self.state(), {}

    def step(self, action):
        command = float(action[0])
        change, acting = command - self.under_way[0], self.under_way.pop()
        self.under_way.appendleft(command)
        if self.clock == self.disturbed_at:
            self.inflow = self.next_inflow
        self.temperature += STEP * warming(self.temperature, self.inflow, self.gain * POWER * acting)
        before, self.measured = self.measured, self.sensor()
        faster = (self.measured - before) / STEP - warming(before, COLD, POWER * acting)
        self.surprise += SMOOTHING * (faster - self.surprise)
        self.clock += 1
        error = abs(self.set_point - self.temperature)
        reward = -error / SCALE - self.rate_penalty * change**2
        return self.state(), reward, False, False, {"error": error, "change": abs(change)}

    def sensor(self):
        """Return the temperature with the sensor's noise; nothing else is seen of it."""
        return self.temperature + self.np_random.normal(0, NOISE)

    def state(self):
        """Return what the controller sees."""
        error = self.set_point - self.measured
        before, self.small = self.small, min(max(error, -1.0), 1.0)
        scaled = [error / SCALE, (self.set_point - MIDDLE) / SCALE, self.small, before]
        return np.array([*scaled, *self.under_way, self.surprise / SCALE], np.float32)


gymnasium.register("Heater-v0", Heater, max_episode_steps=100)
