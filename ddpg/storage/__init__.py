"""What lies on the disk: run folders, logs, checkpoints, replay files."""
