"""The simulator in the place of the plant: `python drive.py ./loop` sends readings to a program at 10 Hz, and obeys it.

A second number after the program is the gain of the heater, and a third one how many times faster than real time.
"""

import subprocess
import sys
import time

import numpy as np
from heater import MIDDLE, SCALE, STEP, Heater


def drive(program, gain=1.0, speed=1.0, seed=0):
    """Run one episode; return its return and the commands."""
    plant, total, commands = Heater(gain), 0.0, []
    state, _ = plant.reset(seed=seed, options={"cold": True})  # as the loop is when it starts
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as loop:
        start = time.monotonic()
        for step in range(100):
            time.sleep(max(0.0, start + step * STEP / speed - time.monotonic()))
            set_point = SCALE * float(state[1]) + MIDDLE
            loop.stdin.write(f"{set_point:.9g} {set_point - SCALE * float(state[0]):.9g}\n")
            commands.append(float(loop.stdout.readline()))
            state, reward, *_ = plant.step(np.array([commands[-1]]))
            total += reward
        loop.stdin.close()
    return total, commands


if __name__ == "__main__":
    program, *numbers = sys.argv[1:]
    total, commands = drive(program, *map(float, numbers))
    print(f"return {total:.2f}, the last command {commands[-1]:.2f}")
