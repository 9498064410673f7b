"""This project's updates beside those of others."""
