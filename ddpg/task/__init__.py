"""A task while a run uses it: made, watched, described, shown."""
