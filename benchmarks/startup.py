"""How long it takes until something happens: `--help`, the imports alone, and a run's first environment step.

    python benchmarks/startup.py

Each is a process of its own, timed from its start; they take turns for several rounds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time

import numpy as np
from runs import ROOT, write_csv

IMPORTS = "import tensorflow, keras"
# A run as `train.py` makes it, until its first transition is stored; it tells how long it compiled.
FIRST_STEP = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from ddpg.command_line import import_tensorflow
import_tensorflow()
from ddpg import agent
import train

compile, compiling = agent.DDPG._compile, []

def timed(*arguments):
    began = time.time()
    function = compile(*arguments)
    compiling.append(time.time() - began)
    return function

def first_step(*arguments):
    print(json.dumps({"at": time.time(), "compiling": sum(compiling)}), flush=True)
    sys.exit()

agent.DDPG._compile, agent.DDPG.remember = timed, first_step
train.main(sys.argv[2:])
"""


def seconds_of(*command: str) -> float:
    """Run a command and return its seconds."""
    began = time.time()
    subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, check=True)
    return time.time() - began


def first_step(env: str) -> tuple[float, float]:
    """Return the seconds until a run's first environment step, and how many of them were compilation."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--run-dir", f"{folder}/run", "--plot-dir", folder, "--no-progress"]
        began = time.time()
        command = [sys.executable, "-c", FIRST_STEP, str(ROOT), "--env", env, *where]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    told = json.loads(done.stdout)
    return told["at"] - began, told["compiling"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="Pendulum-v1")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows = []
    for number in range(arguments.rounds):
        to_step, compiling = first_step(arguments.env)
        row = {
            "round": number,
            "help": seconds_of("train.py", "--help"),
            "imports": seconds_of("-c", IMPORTS),
            "compilation": compiling,
            "first_step": to_step,
        }
        rows.append({name: round(value, 3) for name, value in row.items()})
    for name in ("help", "imports", "compilation", "first_step"):
        print(f"{name:12} {np.median([row[name] for row in rows]):6.2f} s")
    ratio = np.median([row["first_step"] / (row["imports"] + row["compilation"]) for row in rows])
    print(f"the first step comes after {ratio:.2f} times imports and compilation")
    write_csv(ROOT / "benchmarks" / "results" / "startup.csv", rows)


if __name__ == "__main__":
    main()
