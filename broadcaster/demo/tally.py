"""The figures of the demo, from the views, the sandbox and the log; and whether they agree."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from broadcaster import providers
from broadcaster.demo.screens import Panel
from broadcaster.proof import chain
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings
from projections.board import view as board
from projections.feeds import view as feeds
from projections.reach import view as reach
from schemas.content import Channel

DISPATCHED = (Channel.PUSH, Channel.SMS)
FINALS = ("accepted", "gone", "refused", "dead", "expired", "superseded")


@dataclass(frozen=True)
class Progress:
    """How far one channel is."""

    audience: int
    final: int


def doubles(settings: Settings) -> dict[Channel, str]:
    """The double that stands in for each channel's provider."""
    return {Channel.PUSH: "fcm", Channel.SMS: "smsc" if settings.sms_transport == "smpp" else "smtp"}


def progress(house: House) -> dict[Channel, Progress]:
    """How many of the audience have their outcome, by channel."""
    with house.pool.connection() as conn:
        totals = reach.totals_by_channel(conn)
    return {
        channel: Progress(totals[channel].audience, totals[channel].final)
        for channel in DISPATCHED
        if channel in totals
    }


def settled(house: House, alerts: Sequence[str]) -> bool:
    """Whether every alert has its audiences and every recipient an outcome."""
    with house.pool.connection() as conn:
        for alert_id in alerts:
            row = board.one(conn, UUID(alert_id))
            if row is None:
                return False
            wanted = {channel for channel in row.content.reaches if channel in DISPATCHED}
            versions = reach.of_alert(conn, UUID(alert_id))
            frozen = {each.channel for each in versions if each.channel in DISPATCHED}
            if wanted - frozen or any(
                each.totals.in_flight for each in versions if each.channel in DISPATCHED
            ):
                return False
    return True


def served(house: House, panels: Sequence[Panel]) -> int:
    """Screens that have the feed as it is now."""
    with house.pool.connection() as conn:
        now = {(feed.area, feed.profile): feed.etag for feed in feeds.all_feeds(conn) if not feed.drills}
    return sum(now.get((panel.screen.area, panel.screen.profile)) == panel.etag for panel in panels)


def figures(house: House, alerts: Sequence[str], panels: Sequence[Panel], seconds: float) -> dict[str, Any]:
    """The object that `demo --json` prints."""
    with house.pool.connection() as conn:
        totals = reach.totals_by_channel(conn)
        bodies = house.cadence.summary(conn, clock())
        issued = sum(1 for alert in alerts if board.one(conn, UUID(alert)) is not None)
    channels: dict[str, Any] = {}
    sandbox: dict[str, Any] = {}
    for channel, double in doubles(house.settings).items():
        if channel not in totals:
            continue
        total = totals[channel]
        counts = {name: getattr(total, name) for name in FINALS}
        channels[channel.value] = {"audience": total.audience, **counts, "unknown": total.unknown}
        sandbox[channel.value] = sandbox_count(house, double)
    channels["led"] = {"screens": len(panels), "served": served(house, panels)}
    verdict = chain.verify(house.log)
    return {
        "issued": issued,
        "channels": channels,
        "sandbox": sandbox,
        "cadence": {
            "bodies": bodies.bodies,
            "ok": bodies.ok,
            "due_soon": bodies.due_soon,
            "overdue": bodies.overdue,
            "exempt": bodies.exempt,
        },
        "log": {"events": verdict.events, "verified": verdict.sound},
        "seconds": round(seconds, 1),
    }


def sandbox_count(house: House, double: str) -> dict[str, int]:
    """What a double says it received."""
    endpoint = providers.sandbox_endpoint(house.settings, double)
    authority = providers.sandbox_folder(house.settings) / double / "ca.pem"
    trust = ssl.create_default_context(cafile=authority if authority.exists() else None)
    answer = httpx.get(providers.count_url(endpoint), timeout=10, verify=trust)
    answer.raise_for_status()
    stored = answer.json()
    return {name: stored[name] for name in ("received", "unique", "duplicates")}


def disagreements(figures: dict[str, Any], samples: int) -> list[str]:
    """What does not add up; empty where every figure agrees."""
    wrong: list[str] = []
    if figures["issued"] != samples:
        wrong.append(f"{figures['issued']} of {samples} alerts issued")
    for name, double in figures["sandbox"].items():
        channel = figures["channels"][name]
        outcomes = sum(channel[final] for final in FINALS)
        if channel["audience"] != outcomes:
            wrong.append(f"{name}: audience {channel['audience']}, outcomes {outcomes}")
        if channel["accepted"] != double["unique"]:
            wrong.append(f"{name}: {channel['accepted']} accepted, the sandbox has {double['unique']}")
        if double["duplicates"] > channel["unknown"]:
            wrong.append(f"{name}: {double['duplicates']} sent twice, {channel['unknown']} accounted for")
    led = figures["channels"]["led"]
    if led["served"] != led["screens"]:
        wrong.append(f"led: {led['served']} of {led['screens']} screens served")
    cadence_ = figures["cadence"]
    if cadence_["bodies"] != sum(cadence_[name] for name in ("ok", "due_soon", "overdue", "exempt")):
        wrong.append("cadence: the states do not add up to the bodies")
    if not figures["log"]["verified"]:
        wrong.append("log: the chain is broken")
    return wrong
