"""What measures the published numbers."""
