"""Whose time is up, without a timer each, and without a look at all of them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

STEP = 0.25
"""Seconds that one may be late."""
NEVER = 1 << 62


class Timed(Protocol):
    """What has a deadline. To put it off is to set it: it is noticed when the former one has come."""

    deadline: float
    slot: int
    """The step at which it is looked at; NEVER at first."""

    def expired(self) -> None:
        """The deadline has come."""
        ...


class Deadlines:
    """By the step in which each is looked at next; times are seconds that only go up."""

    def __init__(self) -> None:
        self._slots: defaultdict[int, set[Timed]] = defaultdict(set)

    def watch(self, one: Timed) -> None:
        """Has it looked at by its deadline; to be called whenever that may have come nearer."""
        slot = int(one.deadline / STEP) + 1
        if slot < one.slot:
            self.forget(one)
            one.slot = slot
            self._slots[slot].add(one)

    def forget(self, one: Timed) -> None:
        """It is looked at no more."""
        if one.slot != NEVER:
            self._slots[one.slot].discard(one)
            one.slot = NEVER

    def due(self, now: float) -> Iterable[Timed]:
        """Those whose deadline has come; they are watched no more. The others stand at their deadlines."""
        late: list[Timed] = []
        for slot in [slot for slot in self._slots if slot * STEP <= now]:
            for one in self._slots.pop(slot):
                one.slot = NEVER
                if one.deadline <= now:
                    late.append(one)
                else:
                    self.watch(one)
        return late
