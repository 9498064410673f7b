"""Start a run, kill it at a random moment, resume it, and so on: `python -m tests.helpers.lives FOLDER KILLS SEED`.

With one more word, "several", the run has several simulators.

Each life is a fork of this process, which has imported TensorFlow but never used it: that saves an import per life.
Most lives are killed while they train, the others while they start.
"""

import os
import random
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from ddpg.command.tensorflow import import_tensorflow

import_tensorflow()
import tests.helpers.tasks  # noqa: E402, F401
from ddpg import Config  # noqa: E402
from ddpg.run import training_run  # noqa: E402
from ddpg.run.start import resume_run, start_run  # noqa: E402
from ddpg.storage.checkpoints import all_checkpoints  # noqa: E402

CONFIG = Config(
    env="Endless-v0", episodes=10**6, evaluate_every=100, evaluation_episodes=1, checkpoint_every=10,
    hidden_units=(8, 8), batch_size=8, buffer_size=300, jit_compile=False,
)  # fmt: skip


SEVERAL = replace(CONFIG, env="Walking-v0", num_envs=3, episodes=250, steps=10**6, checkpoint_every=100)


def live(config: Config, folder: Path) -> None:
    """Train until killed, logging, drawing and saving all the time."""
    training_run.SECONDS_BETWEEN_PLOTS = 0.2
    begun = bool(all_checkpoints(folder / "checkpoints"))
    run = resume_run(folder, folder.parent, {}) if begun else start_run(config, folder, folder.parent)
    (folder / "alive").touch()
    run.train(show_progress=False)


def wait_until_trained(folder: Path, child: int) -> None:
    """Return when the run has logged an episode in this life."""
    rows_before = None
    for _ in range(12_000):  # a minute
        if os.waitpid(child, os.WNOHANG)[0]:
            sys.exit("a life ended by itself")
        if (folder / "alive").exists():
            rows = len((folder / "episodes.csv").read_text().splitlines())
            if rows > (rows_before := rows if rows_before is None else rows_before):
                return
        time.sleep(0.005)


def main(config: Config, folder: Path, kills: int, rng: random.Random) -> None:
    """Live and die as often as asked."""
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            live(config, folder)
            os._exit(1)
        if rng.random() < 0.7:
            wait_until_trained(folder, child)
        time.sleep(rng.uniform(0, 1.5))
        os.kill(child, signal.SIGKILL)
        if os.waitpid(child, 0)[1] != signal.SIGKILL:
            sys.exit("a life ended by itself")
        (folder / "alive").unlink(missing_ok=True)
        if not all_checkpoints(folder / "checkpoints"):  # killed before the first checkpoint
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    config = SEVERAL if "several" in sys.argv else CONFIG
    main(config, Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3])))
