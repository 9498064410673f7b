"""Evaluate a trained policy over noise-free episodes: `python evaluate.py --checkpoint DIR`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for python -I and PYTHONSAFEPATH

from ddpg.policy.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
