"""Evaluate a trained policy over noise-free episodes: `python evaluate.py --checkpoint DIR`."""

import sys

from ddpg.policy.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
