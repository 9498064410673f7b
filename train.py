"""Train DDPG on a Gymnasium task: `python train.py --env Pendulum-v1`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for python -I and PYTHONSAFEPATH

from ddpg.run.train import main

if __name__ == "__main__":
    sys.exit(main())
