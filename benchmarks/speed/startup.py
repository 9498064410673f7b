"""How long until something happens: until `--help` answers, a run takes its first step, and ends its first episode.

    python -m benchmarks.speed.startup    # two minutes

Each is timed from the start of its own process; they take turns for several rounds. It writes results/startup.
"""

import json
import subprocess
import sys
import tempfile
import time

import numpy as np

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv

IMPORTS = "import tensorflow, keras"
# A run as `train.py` makes it, until its first transition is stored. It also measures how long it compiled.
FIRST_STEP = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from ddpg.command.tensorflow import import_tensorflow
import_tensorflow()
from ddpg import agent, fast
from ddpg.run import train

compile_function, compiling = fast.compile_function, []

def timed(*arguments):
    start = time.time()
    function = compile_function(*arguments)
    compiling.append(time.time() - start)
    return function

def first_step(*arguments):
    print(json.dumps({"at": time.time(), "compiling": sum(compiling)}), flush=True)
    sys.exit()

fast.compile_function, agent.DDPG.remember = timed, first_step
train.main(sys.argv[2:])
"""


# A run as `train.py` makes it, until its first episode is logged.
FIRST_EPISODE = """
import sys, time
sys.path.insert(0, sys.argv[1])
from ddpg.command.tensorflow import import_tensorflow
import_tensorflow()
from ddpg.run import train, training_run

def first_episode(*arguments):
    print(time.time(), flush=True)
    sys.exit()

training_run.TrainingRun._log = first_episode
train.main(sys.argv[2:])
"""


def seconds_of(*command: str) -> float:
    """Run a command of Python and return its seconds."""
    start = time.time()
    subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, check=True)
    return time.time() - start


def start_run(script: str, env: str) -> tuple[float, str]:
    """Start a run by a script that ends it; return when it was started, and what the script printed."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--run-dir", f"{folder}/run", "--plot-dir", folder, "--no-progress"]
        start = time.time()
        command = [sys.executable, "-c", script, str(ROOT), "--env", env, *where]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(done.stderr)
    return start, done.stdout


def first_step(env: str) -> tuple[float, float]:
    """Return the seconds until a run's first environment step, and how many of them were compilation."""
    start, printed = start_run(FIRST_STEP, env)
    answer = json.loads(printed)
    return answer["at"] - start, answer["compiling"]


def first_episode(env: str) -> float:
    """Return the seconds until a run's first episode is over."""
    start, printed = start_run(FIRST_EPISODE, env)
    return float(printed) - start


def one_round(number: int, env: str) -> dict[str, float]:
    """Time everything once."""
    to_step, compiling = first_step(env)
    row = {
        "round": number,
        "help": seconds_of("train.py", "--help"),
        "imports": seconds_of("-c", IMPORTS),
        "compilation": compiling,
        "first_step": to_step,
        "first_episode": first_episode(env),
    }
    return {name: round(value, 3) for name, value in row.items()}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--env", default="Pendulum-v1", help="Gymnasium id (default: Pendulum-v1)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed (default: 5)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    rows = [one_round(number, arguments.env) for number in range(arguments.rounds)]
    for name in list(rows[0])[1:]:
        print(f"{name:20} {np.median([row[name] for row in rows]):6.2f} s")
    ratio = np.median([row["first_step"] / (row["imports"] + row["compilation"]) for row in rows])
    print(f"the first step comes after {ratio:.2f} times imports and compilation")
    write_csv(arguments.out / "startup" / "table.csv", rows)


if __name__ == "__main__":
    main()
