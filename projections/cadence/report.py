"""Reads a period's figures and one body's whole story from the view."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from projections.cadence import sends
from projections.cadence.body import Body, Dated, Exemption
from projections.cadence.duty import Piece, in_force
from projections.cadence.figures import BodyFigures, Figures, Window, over, ranked, total, windows
from projections.cadence.ledger import Ledger
from projections.cadence.sends import Send
from projections.cadence.standing import Breach, Standing, Why, breaches, standing, verdict
from projections.cadence.view import ALL, CadenceBook


@dataclass(frozen=True)
class Report:
    """All bodies from `since` until just before `until`, by what the log held up to `position`."""

    since: datetime
    until: datetime
    position: int
    levels: dict[int, Figures]
    bodies: list[BodyFigures]
    """By level, the best first."""


@dataclass(frozen=True)
class Judged:
    """Something that a body sent out, and why it counts or not."""

    send: Send
    why: Why


@dataclass(frozen=True)
class Story:
    """One body's duty, all that bears on it, up to an instant."""

    body: Body
    at: datetime
    stands: Standing | None
    pieces: list[Piece]
    exemptions: tuple[Exemption, ...]
    sent: list[Judged]
    breaches: list[Breach]
    windows: list[Window]


def report(
    book: CadenceBook,
    conn: Connection[Any],
    since: datetime,
    until: datetime,
    *,
    position: int = ALL,
    levels: Collection[int] | None = None,
    policies: Sequence[Dated] | None = None,
) -> Report:
    """The period's figures; with `policies` as if those had been in force instead."""
    ledger = book.ledger(conn, None if position == ALL else position)
    if policies is not None:
        ledger = ledger.judged_by(policies)
    bodies = [body for body in ledger.bodies.values() if body.since < until]
    before = since - (until - since)
    items = book.items(conn, ledger, bodies, since=before, until=until, known=position)
    found, earlier = list[BodyFigures](), dict[str, Figures]()
    for body in bodies:
        mine = items[body.issuer_id]
        now = over(ledger, body, mine, since, until)
        if now is None or (levels is not None and now.level not in levels):
            continue
        found.append(now)
        past = over(ledger, body, mine, before, since)
        if past is not None:
            earlier[body.issuer_id] = past.figures
    every = ranked(found, earlier)
    seen = sorted({body.level for body in every})
    sums = {level: total(body.figures for body in every if body.level == level) for level in seen}
    return Report(since, until, position, sums, every)


def explain(
    book: CadenceBook, conn: Connection[Any], issuer_id: str, at: datetime, *, known: int | None = None
) -> Story | None:
    """One body's story up to `at`; None where there is no such body."""
    ledger = book.ledger(conn, known)
    body = ledger.bodies.get(issuer_id)
    if body is None:
        return None
    upto = ALL if known is None else known
    items = book.items(conn, ledger, [body], since=None, until=at, known=upto)[issuer_id]
    cut = ledger.pieces(body)
    sent = [
        Judged(send, _why(send, body, cut, ledger, upto))
        for send in sends.every(conn, issuer_id, at)
        if send.position <= upto
    ]
    return Story(
        body,
        at,
        standing(body, ledger.policies, items, at, ledger.bodies),
        [piece for piece in cut if piece.start <= at],
        body.exemptions,
        sent,
        breaches(body, ledger.policies, items, at, ledger.bodies),
        windows(body, ledger, items, body.since, at),
    )


def _why(send: Send, body: Body, cut: Sequence[Piece], ledger: Ledger, known: int) -> Why:
    if not send.first:
        return Why.UPDATE
    piece = next((one for one in cut if one.start <= send.at < one.end), None)
    if piece is None or piece.exemption is not None:
        plain = verdict(send.item(known), body.issuer_id, in_force(ledger.policies, send.at))
        return Why.NO_DUTY if plain is Why.COUNTS else plain
    return verdict(send.item(known), body.issuer_id, piece.policy)
