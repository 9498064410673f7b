"""How much memory a run takes beyond importing TensorFlow: resident memory, its peak and its growth.

    python -m benchmarks.endurance.memory --env Pendulum-v1    # one or two minutes; Linux

Further flags are passed to `train.py`.
"""

import json
import subprocess
import sys
import tempfile

from benchmarks.common.output import ROOT, parser_for

MIB = 2**20

# Runs in its own process, which is what is measured.
MEASURE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ddpg.command.tensorflow import import_tensorflow

def resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

import_tensorflow()
imported = resident("VmHWM")
from ddpg.run import train
from ddpg.run.progress import Progress

by_step = {}
Progress.show = lambda self, episode: by_step.update({episode.steps: resident("VmRSS")})
assert train.main(sys.argv[2:]) == 0
print(json.dumps({"imported": imported, "peak": resident("VmHWM"), "by_step": by_step}))
"""


def measure(env: str, steps: int, *flags: str) -> dict:
    """Train in a fresh process; return bytes: after the import, at the peak, and at the end of each episode."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--run-dir", f"{folder}/run", "--plot-dir", folder, "--no-progress"]
        command = [sys.executable, "-c", MEASURE, str(ROOT), "--env", env, "--steps", str(steps), *where, *flags]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        measured = json.loads(done.stdout.splitlines()[-1])
        measured["by_step"] = {int(step): size for step, size in measured["by_step"].items()}
        return measured


def growth(by_step: dict[int, int], start: int, stop: int) -> int:
    """Return by how many bytes resident memory grew between two numbers of steps."""
    first, last = (min(step for step in by_step if step >= steps) for steps in (start, stop))
    return by_step[last] - by_step[first]


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--env", default="Pendulum-v1", help="Gymnasium id (default: Pendulum-v1)")
    parser.add_argument("--steps", type=int, default=20_000, help="environment steps (default: 20000)")
    arguments, train_flags = parser.parse_known_args()
    measured = measure(arguments.env, arguments.steps, *train_flags)
    print(f"importing TensorFlow      {measured['imported'] / MIB:7.0f} MiB")
    print(f"peak of the run           {measured['peak'] / MIB:7.0f} MiB")
    print(f"difference                {(measured['peak'] - measured['imported']) / MIB:7.0f} MiB, with the buffer")
    grown = growth(measured["by_step"], arguments.steps // 4, arguments.steps)
    print(f"growth, steps {arguments.steps // 4} to {arguments.steps}: {grown / MIB:.1f} MiB")


if __name__ == "__main__":
    main()
