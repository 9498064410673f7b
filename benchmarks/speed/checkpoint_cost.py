"""What checkpoints cost a run whose replay buffer holds a million HalfCheetah transitions.

    python -m benchmarks.speed.checkpoint_cost    # about four minutes on two cores

Random actions in the real task fill the buffer. Then the agent trains, and a checkpoint is written every 10,000 steps,
as `train.py` does. It writes results/checkpoint_cost/table.csv.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common.output import ROOT, add_output_flag, parser_for, write_csv

if TYPE_CHECKING:
    import gymnasium

    from ddpg import DDPG


def main() -> None:
    arguments = parse()
    from ddpg.command.tensorflow import import_tensorflow

    import_tensorflow()
    from ddpg import DDPG, Config, state_and_action_size
    from ddpg.task.environments import open_environment

    config = Config(
        env="HalfCheetah-v5", buffer_size=arguments.transitions, steps=arguments.every * arguments.checkpoints
    )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with (
        open_environment(config) as environment,
        tempfile.TemporaryDirectory(dir=arguments.folder) as folder,
    ):
        agent = DDPG(*state_and_action_size(environment), config)
        fill(agent, environment, arguments.transitions)
        rows = measure(agent, environment, Path(folder, "checkpoints"), arguments.every)
    write_csv(arguments.out / "checkpoint_cost" / "table.csv", rows)


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = parser_for(__doc__)
    parser.add_argument("--transitions", type=int, default=1_000_000, help="in the buffer, which is then full")
    parser.add_argument("--every", type=int, default=10_000, help="steps between two checkpoints (default: 10000)")
    parser.add_argument("--checkpoints", type=int, default=4, help="how many checkpoints (default: 4)")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs", help="where to write the checkpoints meanwhile")
    add_output_flag(parser)
    return parser.parse_args()


def fill(agent: "DDPG", environment: "gymnasium.Env", transitions: int) -> None:
    """Fill the replay buffer with transitions of random actions."""
    uniform = agent.rngs["warm_up"].uniform
    state, _ = environment.reset(seed=0)
    for _ in range(transitions):
        action = uniform(-1, 1, agent.action_size)
        next_state, reward, terminated, truncated, _ = environment.step(action)
        agent.remember(state, action, float(reward), next_state, terminated)
        state = environment.reset()[0] if terminated or truncated else next_state


def measure(agent: "DDPG", environment: "gymnasium.Env", folder: Path, every: int) -> list[dict[str, Any]]:
    """Train the agent and write checkpoints to a folder; return a row per checkpoint, after the first."""
    from ddpg import Episode, train
    from ddpg.command.tensorflow import paused_garbage_collector
    from ddpg.run.agent_state import snapshot_of
    from ddpg.storage.checkpoints import Checkpoints
    from ddpg.storage.replay_files import ReplayFiles

    checkpoints = Checkpoints(folder, agent.config.keep_checkpoints, ReplayFiles(folder / "replay"))

    def save(episode: Episode) -> float:
        """Write a checkpoint and return the seconds that it took."""
        start = time.perf_counter()
        checkpoints.save(snapshot_of(agent, episode, {}), agent.replay_buffer)
        return time.perf_counter() - start

    buffer_bytes = agent.replay_buffer.rows.nbytes
    print(f"first checkpoint, with the whole buffer of {buffer_bytes / 2**20:.0f} MiB: {save(Episode()):.2f} s")
    rows: list[dict[str, Any]] = []
    saving, start = 0.0, time.perf_counter()
    with paused_garbage_collector():
        for episode in train(agent, environment):
            if episode.steps % every:
                continue
            seconds = save(episode)
            saving += seconds
            share = saving / (time.perf_counter() - start)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / buffer_bytes
            row = {"steps": episode.steps, "seconds": round(seconds, 3), "share": round(share, 5)}
            rows.append(row | {"folder": round(size, 3)})
            print(f"checkpoint in {seconds:.3f} s, {share:.2%} of the time so far, folder {size:.2f} x the buffer")
    return rows


if __name__ == "__main__":
    main()
