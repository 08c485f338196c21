"""How Hypothesis searches: the same each time for the gate, at random where faults are looked for.

A release waits for the whole suite, so it must not hang on the luck of a draw: the examples follow from the
test alone, and no time is measured. `make fuzz` draws others each time, and more of them.
"""

import os

from hypothesis import HealthCheck, settings

ALL_THAT_IS_SLOW = (HealthCheck.too_slow,)
"""What a busy machine may be, and no fault. A test with a list of its own has to name it too."""


def load() -> None:
    """The profile that HYPOTHESIS_PROFILE names: `gate` unless it says `search`."""
    settings.register_profile(
        "gate", derandomize=True, deadline=None, print_blob=True, suppress_health_check=ALL_THAT_IS_SLOW
    )
    settings.register_profile(
        "search", max_examples=1000, deadline=None, print_blob=True, suppress_health_check=ALL_THAT_IS_SLOW
    )
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
