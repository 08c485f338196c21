"""How long to wait before the next try."""

import random


def backoff(failures: int, *, first: float = 0.05, most: float = 5.0) -> float:
    """Seconds to wait after so many failures in a row (>= 1): doubling up to `most`, half of it chance.

    The chance keeps those that failed together from coming back together.
    """
    whole = min(most, first * 2 ** min(failures - 1, 30))
    return random.uniform(whole / 2, whole)  # noqa: S311 (it spreads retries and guards no secret)
