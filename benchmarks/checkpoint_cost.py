"""What checkpoints cost a run whose replay buffer holds a million HalfCheetah transitions.

    python benchmarks/checkpoint_cost.py        # some four minutes on two cores

The buffer is filled by random actions in the real task; then the agent trains, and every 10,000 steps a checkpoint is
written, as `train.py` does.  It writes benchmarks/results/checkpoint_cost.csv.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from runs import ROOT, write_csv

sys.path.insert(0, str(ROOT))

from ddpg.command_line import import_tensorflow

import_tensorflow()

from ddpg import DDPG, Config, train  # noqa: E402
from ddpg.checkpoint import Checkpoints  # noqa: E402
from ddpg.environment import environment_of, sizes  # noqa: E402
from ddpg.replay_files import ReplayFiles  # noqa: E402
from ddpg.restore import snapshot_of  # noqa: E402
from ddpg.run import quiet_collector  # noqa: E402


def fill(agent: DDPG, environment, transitions: int) -> None:
    """Fill the replay buffer with transitions of random actions."""
    uniform = agent.generators["warm_up"].uniform
    state, _ = environment.reset(seed=0)
    for _ in range(transitions):
        action = uniform(-1, 1, agent.action_size)
        next_state, reward, terminated, truncated, _ = environment.step(action)
        agent.remember(state, action, reward, next_state, terminated)
        state = environment.reset()[0] if terminated or truncated else next_state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transitions", type=int, default=1_000_000, help="in the buffer, which is then full")
    parser.add_argument("--every", type=int, default=10_000, help="steps between two checkpoints")
    parser.add_argument("--checkpoints", type=int, default=4, help="how many")
    arguments = parser.parse_args()

    config = Config(
        env="HalfCheetah-v5", buffer_size=arguments.transitions, steps=arguments.every * arguments.checkpoints
    )
    environment = environment_of(config)
    agent = DDPG(*sizes(environment), config)
    fill(agent, environment, arguments.transitions)
    buffer_bytes = agent.replay_buffer.rows.nbytes
    (ROOT / "runs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "runs") as folder, quiet_collector():
        place = Path(folder, "checkpoints")
        checkpoints = Checkpoints(place, config.keep, ReplayFiles(place / "replay"))
        began = time.perf_counter()
        checkpoints.save(snapshot_of(agent, {}), agent.replay_buffer)
        first = time.perf_counter() - began
        rows, saving, began = [], 0.0, time.perf_counter()
        for episode in train(agent, environment):
            if episode.steps % arguments.every:
                continue
            before = time.perf_counter()
            checkpoints.save(snapshot_of(agent, {}), agent.replay_buffer)
            took = time.perf_counter() - before
            saving += took
            share = saving / (time.perf_counter() - began)
            size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / buffer_bytes
            rows.append(
                {"steps": episode.steps, "seconds": round(took, 3), "share": round(share, 5), "folder": round(size, 3)}
            )
            print(f"checkpoint of {took:.3f} s, {100 * share:.2f} % of the time so far, folder {size:.2f} x the buffer")
    print(f"the first one, with the whole buffer of {buffer_bytes / 2**20:.0f} MiB, took {first:.2f} s")
    write_csv(ROOT / "benchmarks" / "results" / "checkpoint_cost.csv", rows)


if __name__ == "__main__":
    main()
