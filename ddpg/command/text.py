"""Numbers as people read them."""


def number(value: float) -> str:
    """Return a return or a score with four significant digits, or one decimal if it is large: "-0.05412", "-147.4"."""
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.4g}"
