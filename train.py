"""Train DDPG on a Gymnasium task: `python train.py --env Pendulum-v1`."""

import sys

from ddpg.run.train import main

if __name__ == "__main__":
    sys.exit(main())
