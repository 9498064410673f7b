"""Long runs: memory, soak, a thousand runs."""
