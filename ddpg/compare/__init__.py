"""What runs say together: learning curves, honest statistics, tables and pictures."""
