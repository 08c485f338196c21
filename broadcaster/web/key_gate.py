"""How often strangers may have a key looked for, so that guesses do not cost a read of the database each.

Keys that were good lately are always looked for, so who shares an address with a guesser is not shut out.
"""

import threading
from collections import OrderedDict

from broadcaster.neighbourhood import neighbourhood

PER_SECOND = 4.0
"""Looks for unknown keys that one address has, as many as the edge takes in all;"""
BURST = 20
"""beyond those it has saved up: a street of new screens behind one router."""
IN_ALL_PER_SECOND = 100.0
IN_ALL_BURST = 400
MOST_ADDRESSES = 10_000
MOST_KEYS = 20_000


class KeyGate:
    """Tokens by address and for all together. Thread-safe; times are seconds that only go up."""

    def __init__(self) -> None:
        self._good: OrderedDict[str, None] = OrderedDict()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._all = (float(IN_ALL_BURST), 0.0)
        self._lock = threading.Lock()

    def admits(self, address: str, key_id: str, at: float) -> bool:
        """Whether the key may be looked for: it was good lately, or its address has a token for it."""
        with self._lock:
            if key_id in self._good:
                return True
            near = neighbourhood(address)
            here = _filled(self._left.pop(near, (float(BURST), at)), PER_SECOND, BURST, at)
            everywhere = _filled(self._all, IN_ALL_PER_SECOND, IN_ALL_BURST, at)
            admitted = here >= 1 and everywhere >= 1
            self._left[near] = (here - admitted, at)
            self._all = (everywhere - admitted, at)
            if len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
            return admitted

    def found(self, address: str, key_id: str) -> None:
        """The key was good: its token is given back, and it needs none for now."""
        with self._lock:
            fresh = key_id not in self._good
            self._good[key_id] = None
            self._good.move_to_end(key_id)
            if len(self._good) > MOST_KEYS:
                self._good.popitem(last=False)
            near = neighbourhood(address)
            if fresh and near in self._left:
                left, since = self._left[near]
                self._left[near] = (min(left + 1, BURST), since)
                self._all = (min(self._all[0] + 1, IN_ALL_BURST), self._all[1])

    def lost(self, key_id: str) -> None:
        """The key lives no more."""
        with self._lock:
            self._good.pop(key_id, None)


def _filled(bucket: tuple[float, float], rate: float, most: float, at: float) -> float:
    left, since = bucket
    return min(most, left + max(0.0, at - since) * rate)
