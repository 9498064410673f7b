"""The PI controller of the heater: it sees what the policy sees, and its gains are the best of those tried."""

import numpy as np

STEP, SCALE = 0.1, 10.0  # seconds; the state's error is in units of 10 degrees
KP, KI = 0.08, 0.09  # per degree; per degree and second


class PI:
    """Each episode gets a new one, so its integral begins anew: at the command that it finds."""

    def __init__(self):
        self.integral = None

    def __call__(self, state):
        error, last_command = SCALE * float(state[0]), float(state[4])
        if self.integral is None:
            self.integral = last_command / KI
        command = KP * error + KI * (self.integral + STEP * error)
        if 0.0 < command < 1.0:  # no wind-up while the actuator is at its limit
            self.integral += STEP * error
        return np.clip([command], 0.0, 1.0)
