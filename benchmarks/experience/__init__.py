"""Transitions from elsewhere: goals, logged data, controllers, a start from another run, and the recipes for plants."""
