"""Many runs: sweeps over seeds and settings, comparisons with honest statistics, and tuning; engine: Ray."""
