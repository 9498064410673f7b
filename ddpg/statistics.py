"""The one statistic that NumPy does not have."""


def student_t(degrees: int) -> float:
    """Return the 97.5 % point of Student's t (Cornish-Fisher expansion; Abramowitz and Stegun 26.7.5).

    It is within 1 % of the exact value from 3 degrees of freedom on; below that the exact values are given.
    """
    if degrees < 3:
        return {1: 12.706, 2: 4.303}[degrees]
    z = 1.959964
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / degrees ** (k + 1) for k, term in enumerate(terms))
