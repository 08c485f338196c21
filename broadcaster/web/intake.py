"""How many devices one address may register: a registration proves nothing, and each is kept."""

import threading
from collections import OrderedDict

from broadcaster.neighbourhood import neighbourhood

PER_SECOND = 0.5
"""Registrations that one address may make in the long run. A carrier has thousands of phones behind one
address, and a storm has them register in one evening:"""
BURST = 1_000
"""so many it may have saved up."""
MOST_ADDRESSES = 10_000


class Intake:
    """Registrations by address, in one process. Thread-safe; times are seconds."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._left)

    def enter(self, address: str, at: float) -> float:
        """Counts one; where there were too many, counts nothing and answers the seconds to wait."""
        near = neighbourhood(address)
        with self._lock:
            left, since = self._left.pop(near, (float(BURST), at))
            left = min(BURST, left + max(0.0, at - since) * PER_SECOND)
            admitted = left >= 1
            self._left[near] = (left - admitted, at)
            if len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
        return 0.0 if admitted else (1 - left) / PER_SECOND
