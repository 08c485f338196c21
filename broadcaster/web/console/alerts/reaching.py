"""How many an alert would reach, roughly: by where people live. The exact audience is counted at issue."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from broadcaster.web.services import Services
from schemas.areas import AreaTree
from schemas.content import Channel

_FRESH = 60.0
"""Seconds. Counting a million takes a moment, and nobody decides by the last hundred."""
_BY_HOME = """
SELECT home_no, count(push_hash), count(msisdn_hash) FROM subscribers GROUP BY home_no
"""


@dataclass(frozen=True)
class Estimate:
    """People registered in the chosen areas, by channel, and how many places those are."""

    leaves: int
    """Communes and wards."""
    push: int
    sms: int
    by_home: bool = True
    """Without those who follow the areas from elsewhere; else it was counted person by person."""

    def of(self, channel: Channel) -> int:
        """On one channel; screens are no people."""
        return {Channel.PUSH: self.push, Channel.SMS: self.sms}.get(channel, 0)


class Census:
    """People by the number of their home area, counted at most once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._sums: dict[str, list[int]] = {}

    def estimate(self, services: Services, tree: AreaTree, codes: Sequence[str]) -> Estimate:
        """Of these areas, as far as the edition has them."""
        spans = tree.spans(code for code in codes if code in tree)
        sums = self._counted(services, len(tree))
        leaves = {area.code for code in codes if code in tree for area in tree.leaves(code)}

        def within(channel: str) -> int:
            counts = sums[channel]
            return sum(counts[span.last + 1] - counts[span.first] for span in spans)

        return Estimate(len(leaves), within("push"), within("sms"))

    def _counted(self, services: Services, size: int) -> dict[str, list[int]]:
        with self._lock:
            if self._until < time.monotonic() or len(self._sums.get("push", ())) != size + 1:
                push, sms = [0] * size, [0] * size
                with services.reading() as conn:
                    for number, pushes, phones in conn.execute(_BY_HOME):
                        if number < size:
                            push[number], sms[number] = pushes, phones
                self._sums = {
                    "push": list(accumulate(push, initial=0)),
                    "sms": list(accumulate(sms, initial=0)),
                }
                self._until = time.monotonic() + _FRESH
            return self._sums
