"""A trained policy: evaluated, in the task's own units, and as a file that runs without this package."""
