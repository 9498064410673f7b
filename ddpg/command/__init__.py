"""What all commands share: flags, errors in one line, exit codes, signals, the start of TensorFlow."""
