"""How refused attempts are told: each of the first, then one for many, so that no loop grows the log.

Whoever tries in vain in a loop, a program with the wrong key say, would append an event each time, and none
can ever be taken out again.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadcaster.rules import Rule

EACH = 16
"""Attempts of one account, at one command, against one rule, that have an event each."""
WINDOW = timedelta(hours=1)
"""From the first of them on; then it begins anew."""
MOST = 10_000
"""Of these that are remembered; beyond, the one that was silent longest is forgotten, and told of first."""

Tried = tuple[str, str, Rule]
"""Account, command, rule."""


@dataclass
class _Run:
    since: datetime
    told: int = 0
    untold: int = 0


class RefusalCount:
    """What one process refused lately. Thread-safe.

    After EACH, an event stands for as many as were told before it: of a million attempts some thirty are
    events, and never more than half of them wait to be told.
    """

    def __init__(self) -> None:
        self._runs: OrderedDict[Tried, _Run] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many of them are remembered."""
        return len(self._runs)

    def count(self, account: str, command: str, rule: Rule, at: datetime) -> int:
        """How many attempts an event of this one stands for, itself included; 0 where it has none."""
        with self._lock:
            run = self._runs.setdefault((account, command, rule), _Run(at))
            self._runs.move_to_end((account, command, rule))
            if len(self._runs) > MOST:
                self._runs.popitem(last=False)
            if abs(at - run.since) >= WINDOW:
                run.since, run.told = at, 0
            run.untold += 1
            if run.told >= EACH and run.untold < run.told:
                return 0
            times, run.untold = run.untold, 0
            run.told += times
            return times
