"""How much memory a run takes, beside importing TensorFlow and the replay buffer: resident memory, peak and growth.

python benchmarks/memory.py --env HalfCheetah-v5
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
MIB = 2**20

# Runs in a process of its own: what is measured is that process.
MEASURE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ddpg.command_line import import_tensorflow

def resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

import_tensorflow()
imported = resident("VmHWM")
import train
from ddpg.progress import Progress
from ddpg.environment import make_environment, sizes

seen = {}
Progress.show = lambda self, episode: seen.update({episode.steps: resident("VmRSS")})
assert train.main(sys.argv[2:]) == 0
print(json.dumps({"imported": imported, "peak": resident("VmHWM"), "seen": seen}))
"""


def resident_mib(process: int | str = "self") -> float:
    """Return a process's resident memory in MiB, 0 if it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
    except (OSError, StopIteration):
        return 0.0


def measure(env: str, steps: int, *flags: str) -> dict:
    """Train in a fresh process; return bytes: after the import, at the peak, and at each episode's end."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--run-dir", f"{folder}/run", "--plot-dir", folder, "--no-progress"]
        command = [sys.executable, "-c", MEASURE, str(ROOT), "--env", env, "--steps", str(steps), *where, *flags]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        figures = json.loads(done.stdout.splitlines()[-1])
        figures["seen"] = {int(step): size for step, size in figures["seen"].items()}
        return figures


def growth(seen: dict[int, int], start: int, stop: int) -> int:
    """Return by how many bytes resident memory grew between two numbers of steps."""
    first, last = (min(step for step in seen if step >= moment) for moment in (start, stop))
    return seen[last] - seen[first]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="Pendulum-v1")
    parser.add_argument("--steps", type=int, default=20_000)
    arguments, flags = parser.parse_known_args()
    figures = measure(arguments.env, arguments.steps, *flags)
    print(f"importing TensorFlow      {figures['imported'] / MIB:7.0f} MiB")
    print(f"peak of the run           {figures['peak'] / MIB:7.0f} MiB")
    print(f"difference                {(figures['peak'] - figures['imported']) / MIB:7.0f} MiB, the buffer included")
    grown = growth(figures["seen"], arguments.steps // 4, arguments.steps)
    print(f"growth, steps {arguments.steps // 4} to {arguments.steps}: {grown / MIB:.1f} MiB")


if __name__ == "__main__":
    main()
