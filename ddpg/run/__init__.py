"""What stands around the training loop: run folders, checkpoints, logs, plots and the command line."""
