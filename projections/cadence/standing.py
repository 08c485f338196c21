"""How one body stands at an instant, and when it was in breach: the rule on a body's history. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from projections.cadence.body import Body, Dated, Exemption, Item
from projections.cadence.duty import Piece, pieces
from projections.cadence.rule import State, due_at, state
from schemas.cadence import CadencePolicy
from schemas.content import Mode


class Why(StrEnum):
    """Why an item counts or does not."""

    COUNTS = "counts"
    TAKEN_BACK = "taken_back"
    """Cancelled as issued in error."""
    NOT_MEANT = "not_meant"
    """An exercise or a test."""
    KIND = "kind"
    """Not of a kind that the policy counts."""
    PARENT = "parent"
    """Of the body above, and the policy does not count that."""
    NO_DUTY = "no_duty"
    """The body owed nothing when it was issued."""
    UPDATE = "update"
    """The same item, told anew."""


class End(StrEnum):
    """What ended a breach."""

    ITEM = "item"
    EXEMPTED = "exempted"
    TERMS = "terms"
    """Terms changed, under which it is no breach."""
    DUTY_ENDED = "duty_ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a body that owes stands. Instants are UTC.

    While exempt, `due_at` is absent, and `last_item` is the last that would count.
    """

    state: State
    duty_since: datetime
    due_at: datetime | None
    last_item: Item | None
    overdue_since: datetime | None = None
    exemption: Exemption | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """Overdue from `since` until just before `until`; `ended_by` is absent while it goes on."""

    since: datetime
    until: datetime
    ended_by: End | None = None
    cure: Item | None = None

    @property
    def length(self) -> timedelta:
        """How long."""
        return self.until - self.since


def verdict(item: Item, body: str, policy: CadencePolicy) -> Why:
    """Whether the item counts for the body under these terms, and why not."""
    if item.taken_back:
        return Why.TAKEN_BACK
    if item.mode is not Mode.ACTUAL:
        return Why.NOT_MEANT
    if item.kind not in policy.counts:
        return Why.KIND
    if item.issuer_id != body and not policy.parent_counts:
        return Why.PARENT
    return Why.COUNTS


def standing(
    body: Body, policies: Sequence[Dated], items: Sequence[Item], at: datetime, bodies: Mapping[str, Body]
) -> Standing | None:
    """Where the body stands at `at`; None where it owes nothing then and is not exempt.

    `items` in order of time: its own, and those of the body above that name its area. What was
    issued after `at` changes nothing. See duty.pieces for `policies` and `bodies`.
    """
    return stand(body.issuer_id, pieces(body, policies, bodies), items, at)


def stand(body: str, cut: Sequence[Piece], items: Sequence[Item], at: datetime) -> Standing | None:
    """As `standing`, where the body's pieces are at hand."""
    piece = next((each for each in cut if each.start <= at < each.end), None)
    if piece is None:
        return None
    last = _last(counted(items, body, piece.policy), at)
    if piece.exemption is not None:
        return Standing(State.EXEMPT, piece.since, None, last, exemption=piece.exemption)
    due = _due(last, piece)
    now = state(due, at)
    overdue_since = due if now is State.OVERDUE else None
    if now is State.OVERDUE and due <= piece.start:
        # Its terms changed: it is overdue since the change, unless it was so before under the old ones.
        before = _breaches(body, cut, items, piece.start)
        went_on = bool(before) and before[-1].until == piece.start and before[-1].ended_by is End.TERMS
        overdue_since = before[-1].since if went_on else piece.start
    return Standing(now, piece.since, due, last, overdue_since)


def breaches(
    body: Body, policies: Sequence[Dated], items: Sequence[Item], upto: datetime, bodies: Mapping[str, Body]
) -> list[Breach]:
    """Every time it was overdue before `upto`, in order. Arguments as `standing`."""
    return _breaches(body.issuer_id, pieces(body, policies, bodies), items, upto)


def counted(items: Sequence[Item], body: str, policy: CadencePolicy) -> list[Item]:
    """Those that count for the body under these terms."""
    return [item for item in items if verdict(item, body, policy) is Why.COUNTS]


def _due(last: Item | None, piece: Piece) -> datetime:
    policy = piece.policy
    return due_at(last and last.at, piece.since, policy.reading, policy.interval_days)


def _last(items: Sequence[Item], at: datetime) -> Item | None:
    found = bisect_right(items, at, key=_instant)
    return items[found - 1] if found else None


def _instant(item: Item) -> datetime:
    return item.at


def _breaches(body: str, cut: Sequence[Piece], items: Sequence[Item], upto: datetime) -> list[Breach]:
    found: list[Breach] = []
    for piece in cut:
        if piece.start >= upto or piece.exemption is not None:
            continue
        end = min(piece.end, upto)
        for lapse in _lapses(piece, counted(items, body, piece.policy), end):
            if found and found[-1].until == lapse.since and found[-1].cure is None:
                found[-1] = Breach(found[-1].since, lapse.until, lapse.ended_by, lapse.cure)
            else:
                found.append(lapse)
        if found and found[-1].until == end == piece.end and found[-1].cure is None:
            found[-1] = Breach(found[-1].since, end, _ended_by(end, cut))
    # At `upto` itself a breach may end by an item of that very instant; it then went on until it.
    return found


def _lapses(piece: Piece, items: Sequence[Item], end: datetime) -> list[Breach]:
    """The breaches within one piece; `items` are those that count under its terms."""
    policy, found = piece.policy, list[Breach]()
    least = timedelta(days=policy.interval_days)
    first = bisect_right(items, piece.start, key=_instant)
    last, cursor = items[first - 1] if first else None, piece.start
    for item in (*items[first : bisect_right(items, end, key=_instant)], None):
        stop = item.at if item else end
        # No reading is due sooner, and nearly every item comes sooner.
        if last is None or stop - max(last.at, piece.since) > least:
            lapsed = max(_due(last, piece), cursor)
            if lapsed < stop:
                found.append(Breach(lapsed, stop, item and End.ITEM, item))
        if item:
            last, cursor = item, item.at
    return found


def _ended_by(end: datetime, cut: Sequence[Piece]) -> End:
    following = next((piece for piece in cut if piece.start == end), None)
    if following is None:
        return End.DUTY_ENDED
    return End.EXEMPTED if following.exemption else End.TERMS
