"""How long until something happens: until `--help` answers, the imports are done, and a run takes its first step.

    python benchmarks/startup.py        # about a minute

Each is timed from the start of its own process; they take turns for several rounds. It writes results/startup.csv.
"""

import json
import subprocess
import sys
import tempfile
import time

import numpy as np
from output import ROOT, add_output_flag, parser_for, write_csv

IMPORTS = "import tensorflow, keras"
# A run as `train.py` makes it, until its first transition is stored. It also measures how long it compiled.
FIRST_STEP = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from ddpg.run.command_line import import_tensorflow
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


def seconds_of(*command: str) -> float:
    """Run a command of Python and return its seconds."""
    start = time.time()
    subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, check=True)
    return time.time() - start


def first_step(env: str) -> tuple[float, float]:
    """Return the seconds until a run's first environment step, and how many of them were compilation."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--run-dir", f"{folder}/run", "--plot-dir", folder, "--no-progress"]
        start = time.time()
        command = [sys.executable, "-c", FIRST_STEP, str(ROOT), "--env", env, *where]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(done.stderr)
    answer = json.loads(done.stdout)
    return answer["at"] - start, answer["compiling"]


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--env", default="Pendulum-v1", help="Gymnasium id (default: Pendulum-v1)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed (default: 5)")
    add_output_flag(parser)
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
    write_csv(arguments.out.results / "startup.csv", rows)


if __name__ == "__main__":
    main()
