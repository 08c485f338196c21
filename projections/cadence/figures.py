"""What bodies did over a period: time obliged and covered, windows, breaches, streaks. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from projections.cadence.body import Body, Item
from projections.cadence.duty import Piece
from projections.cadence.ledger import Ledger
from projections.cadence.rule import DAY, local_day, midnight
from projections.cadence.standing import Breach, breaches, counted

NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive whole days of Hanoi's calendar, as many as the interval; `item` is the first in it."""

    start: datetime
    end: datetime
    item: Item | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over a period. Rates lie between 0 and 1; absent where nothing was owed."""

    items: int
    """That count, issued while something was owed."""
    obliged: timedelta
    overdue: timedelta
    exempt: timedelta
    windows: int
    """That end in the period and lie wholly in one stretch of duty."""
    covered: int
    breaches: int
    longest: timedelta
    """The longest time overdue, as far as it lies in the period."""

    @property
    def time_rate(self) -> float | None:
        """The share of the obliged time that was not overdue."""
        return 1 - self.overdue / self.obliged if self.obliged else None

    @property
    def window_rate(self) -> float | None:
        """The share of the windows that hold an item."""
        return self.covered / self.windows if self.windows else None


@dataclass(frozen=True, slots=True)
class BodyFigures:
    """One body over a period."""

    issuer_id: str
    name: str
    level: int
    parent: str | None
    figures: Figures
    gaps: tuple[Breach, ...]
    """Cut to the period."""
    streak: timedelta
    """How long it has not been overdue at the period's end; nothing where it is, or owes nothing then."""
    rank: int = 0
    """Within its level, from 1; those who did equally well share one."""
    trend: float | None = None
    """The change of the time rate against the period of equal length before."""


def over(
    ledger: Ledger, body: Body, items: Sequence[Item], since: datetime, until: datetime
) -> BodyFigures | None:
    """One body from `since` until just before `until`; None where it had no duty then.

    `items` as standing.breaches.
    """
    cut = [piece for piece in ledger.pieces(body) if _shared(piece, since, until) > NONE]
    if not cut:
        return None
    found = breaches(body, ledger.policies, items, until, ledger.bodies)
    gaps = tuple(replace(one, since=max(one.since, since)) for one in found if one.until > since)
    owed = [piece for piece in cut if piece.exemption is None]
    seen = windows(body, ledger, items, since, until)
    figures = Figures(
        items=sum(_issued(body, piece, items, since, until) for piece in owed),
        obliged=_sum(_shared(piece, since, until) for piece in owed),
        overdue=_sum(gap.length for gap in gaps),
        exempt=_sum(_shared(piece, since, until) for piece in cut if piece.exemption),
        windows=len(seen),
        covered=sum(1 for window in seen if window.item),
        breaches=len(gaps),
        longest=max((gap.length for gap in gaps), default=NONE),
    )
    stay = body.stay(min(until, body.until) - datetime.resolution)
    streak = _streak(cut, found, until)
    return BodyFigures(body.issuer_id, stay.name, stay.level, stay.parent, figures, gaps, streak)


def windows(
    body: Body, ledger: Ledger, items: Sequence[Item], since: datetime, until: datetime
) -> list[Window]:
    """Every window that ends after `since` and no later than `until`."""
    found: list[Window] = []
    for piece in ledger.pieces(body):
        start, end = max(piece.start, since), min(piece.end, until)
        if piece.exemption is not None or start >= end:
            continue
        mine = counted(items, body.issuer_id, piece.policy)
        length = piece.policy.interval_days * DAY
        day = local_day(start) + DAY
        while (close := midnight(day)) <= end:
            open_ = midnight(day - length)
            if open_ >= piece.since:
                first = bisect_left(mine, open_, key=_at)
                held = first < len(mine) and mine[first].at < close
                found.append(Window(open_, close, mine[first] if held else None))
            day += DAY
    return found


def total(figures: Iterable[Figures]) -> Figures:
    """Those of many bodies together."""
    every = list(figures)
    return Figures(
        items=sum(one.items for one in every),
        obliged=_sum(one.obliged for one in every),
        overdue=_sum(one.overdue for one in every),
        exempt=_sum(one.exempt for one in every),
        windows=sum(one.windows for one in every),
        covered=sum(one.covered for one in every),
        breaches=sum(one.breaches for one in every),
        longest=max((one.longest for one in every), default=NONE),
    )


def ranked(bodies: Iterable[BodyFigures], before: Mapping[str, Figures]) -> list[BodyFigures]:
    """By level and rank, with the trend against the figures of the period before."""
    found: list[BodyFigures] = []
    levels: dict[int, list[BodyFigures]] = {}
    for body in bodies:
        levels.setdefault(body.level, []).append(body)
    for _, peers in sorted(levels.items()):
        scores = sorted(map(_score, peers))
        found += [
            replace(
                body,
                rank=1 + bisect_left(scores, _score(body)),
                trend=_trend(body.figures, before.get(body.issuer_id)),
            )
            for body in sorted(peers, key=lambda body: (_score(body), body.issuer_id))
        ]
    return found


def _score(body: BodyFigures) -> tuple[float, float, timedelta]:
    """The best is the smallest; who owed nothing comes last."""
    time_rate, window_rate = body.figures.time_rate, body.figures.window_rate
    return (
        -time_rate if time_rate is not None else 1.0,
        -window_rate if window_rate is not None else 1.0,
        body.figures.longest,
    )


def _trend(now: Figures, before: Figures | None) -> float | None:
    if before is None or before.time_rate is None or now.time_rate is None:
        return None
    return now.time_rate - before.time_rate


def _streak(cut: Sequence[Piece], found: Sequence[Breach], until: datetime) -> timedelta:
    last = cut[-1]
    if last.end < until or last.exemption is not None:
        return NONE
    if found and found[-1].until == until and found[-1].ended_by is None:
        return NONE
    ended = found[-1].until if found else last.since
    return until - max(ended, last.since)


def _issued(body: Body, piece: Piece, items: Sequence[Item], since: datetime, until: datetime) -> int:
    mine = counted(items, body.issuer_id, piece.policy)
    start, end = max(piece.start, since), min(piece.end, until)
    return bisect_left(mine, end, key=_at) - bisect_left(mine, start, key=_at)


def _shared(piece: Piece, since: datetime, until: datetime) -> timedelta:
    return min(piece.end, until) - max(piece.start, since)


def _sum(lengths: Iterable[timedelta]) -> timedelta:
    return sum(lengths, NONE)


def _at(item: Item) -> datetime:
    return item.at
