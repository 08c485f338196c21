"""Standings, reports and stories as plain data: the same figures in JSON, in sheets and on paper."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from broadcaster.proof.chain import instant
from projections.cadence.body import NEVER, Exemption, Span
from projections.cadence.duty import Piece
from projections.cadence.figures import BodyFigures, Figures, Window
from projections.cadence.report import Judged, Report, Story
from projections.cadence.standing import Breach, Standing
from projections.cadence.view import BodyCadence

RATE_DIGITS = 6


def fingerprint(told: dict[str, Any]) -> str:
    """Of plain data: 32 hex digits."""
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def body_line(body: BodyCadence) -> dict[str, Any]:
    """One body's standing."""
    return {
        "body": body.issuer_id,
        "name": body.name,
        "level": body.level,
        "state": body.state.value,
        "last_item": None if body.last_item is None else str(body.last_item),
        "last_issued_at": _at(body.last_item_at),
        "due_at": _at(body.due_at),
        "overdue_since": _at(body.overdue_since),
        "exempt_reason": body.exempt_reason,
        "exempt_until": _at(body.exempt_until),
    }


def figures(one: Figures) -> dict[str, Any]:
    """Sums; lengths of time in seconds, rates from 0 to 1."""
    return {
        "items": one.items,
        "obliged_seconds": _seconds(one.obliged),
        "overdue_seconds": _seconds(one.overdue),
        "exempt_seconds": _seconds(one.exempt),
        "time_rate": _rate(one.time_rate),
        "windows": one.windows,
        "windows_covered": one.covered,
        "window_rate": _rate(one.window_rate),
        "breaches": one.breaches,
        "longest_breach_seconds": _seconds(one.longest),
    }


def report(found: Report) -> dict[str, Any]:
    """A period's report, without its seal."""
    return {
        "from": instant(found.since),
        "to": instant(found.until),
        "position": found.position,
        "levels": [
            {
                "level": level,
                "bodies": sum(1 for body in found.bodies if body.level == level),
                **figures(sums),
            }
            for level, sums in found.levels.items()
        ],
        "bodies": [_body(body) for body in found.bodies],
    }


def _body(body: BodyFigures) -> dict[str, Any]:
    return {
        "body": body.issuer_id,
        "name": body.name,
        "level": body.level,
        "parent": body.parent,
        "rank": body.rank,
        **figures(body.figures),
        "streak_seconds": _seconds(body.streak),
        "trend": _rate(body.trend),
        "gaps": [breach(gap) for gap in body.gaps],
    }


def story(told: Story) -> dict[str, Any]:
    """One body, explained."""
    stay = told.body.stay(told.at)
    return {
        "body": told.body.issuer_id,
        "name": stay.name,
        "level": stay.level,
        "at": instant(told.at),
        "standing": None if told.stands is None else standing(told.stands),
        "terms": [_piece(piece) for piece in told.pieces],
        "exemptions": [_exemption(one) for one in told.exemptions],
        "items": [_judged(one) for one in told.sent],
        "breaches": [breach(one) for one in told.breaches],
        "windows": [_window(one) for one in told.windows],
    }


def standing(one: Standing) -> dict[str, Any]:
    """Where it stands."""
    return {
        "state": one.state.value,
        "duty_since": instant(one.duty_since),
        "due_at": _at(one.due_at),
        "overdue_since": _at(one.overdue_since),
        "last_item": None if one.last_item is None else str(one.last_item.alert_id),
        "last_issued_at": None if one.last_item is None else instant(one.last_item.at),
    }


def breach(one: Breach) -> dict[str, Any]:
    """A time overdue; without `ended_by` it went on."""
    return {
        "since": instant(one.since),
        "until": instant(one.until),
        "seconds": _seconds(one.length),
        "ended_by": one.ended_by and one.ended_by.value,
        "cure": None if one.cure is None else str(one.cure.alert_id),
    }


def _piece(piece: Piece) -> dict[str, Any]:
    return {
        "from": instant(piece.start),
        "to": None if piece.end == NEVER else instant(piece.end),
        "duty_since": instant(piece.since),
        "exempt": piece.exemption and piece.exemption.reason,
        "reading": piece.policy.reading.value,
        "interval_days": piece.policy.interval_days,
        "counts": [kind.value for kind in piece.policy.counts],
        "parent_counts": piece.policy.parent_counts,
    }


def _exemption(one: Exemption) -> dict[str, Any]:
    span: Span = one.span
    return {
        "id": str(one.id),
        "reason": one.reason,
        "from": instant(span.since),
        "to": None if span.until == NEVER else instant(span.until),
        "recorded_at": instant(one.recorded_at),
    }


def _judged(one: Judged) -> dict[str, Any]:
    return {
        "alert_id": str(one.send.alert_id),
        "version": one.send.version,
        "issued_at": instant(one.send.at),
        "kind": one.send.kind.value,
        "headline": one.send.headline,
        "counts": one.why.value == "counts",
        "why": one.why.value,
    }


def _window(one: Window) -> dict[str, Any]:
    return {
        "from": instant(one.start),
        "to": instant(one.end),
        "item": None if one.item is None else str(one.item.alert_id),
    }


def _at(at: datetime | None) -> str | None:
    return None if at is None else instant(at)


def _seconds(length: timedelta) -> int:
    return round(length.total_seconds())


def _rate(rate: float | None) -> float | None:
    return None if rate is None else round(rate, RATE_DIGITS)
