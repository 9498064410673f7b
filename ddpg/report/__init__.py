"""A run told in one HTML file."""
