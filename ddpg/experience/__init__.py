"""Transitions from elsewhere than one simulator."""
