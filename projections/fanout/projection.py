"""Freezes the audience of each version of an alert, and keeps the orders that follow from it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import Cursor
from pyroaring import BitMap64

from projections.fanout import plan, topics, waves
from projections.fanout.incidents import INCIDENTS_DDL, Incidents, Relief
from projections.fanout.plan import NOBODY, SLICE_SIZES, Census, Graver, Taken
from projections.fanout.rows import FANOUT_DDL, PageRows, Routes
from projections.fanout.topics import Claim
from projections.projection import Row, Transaction
from schemas.content import Channel, Mode
from schemas.dispatch import Outcome, Receipt
from schemas.events import (
    AlertCancelled,
    AlertExpired,
    AlertIssued,
    AudienceFrozen,
    CanarySent,
    DeadLetterReplayed,
    Event,
    PushRouteChosen,
    ReceiptRecorded,
    Recorded,
)
from schemas.ids import audience_id

RELIEF_LIFE = timedelta(hours=24)
"""After a graver alert stood no more: whom it spared a lesser one is not told any later."""

RELIEF_WORTH = timedelta(minutes=10)
"""Where a graver alert ran out: a lesser one that has less than this left is not worth waking people."""

Frozen = Callable[[Cursor[Row], UUID], AudienceFrozen | None]
"""The audience that the log holds under this id, seen by the cursor's transaction; None: none yet."""


class Fanout:
    """Decides who gets a version, once and for ever, and cuts that into dispatches.

    The decision is an event of its own; every row follows from events alone. So a rebuild asks no
    registry, orders nothing new and ends in the same rows.
    """

    name = "fanout"
    topics = frozenset(
        {
            AlertIssued.TOPIC,
            AlertCancelled.TOPIC,
            AlertExpired.TOPIC,
            AudienceFrozen.TOPIC,
            ReceiptRecorded.TOPIC,
            DeadLetterReplayed.TOPIC,
            CanarySent.TOPIC,
            PushRouteChosen.TOPIC,
        }
    )
    ddl = FANOUT_DDL + INCIDENTS_DDL
    tables: tuple[str, ...] = ("fanout_audiences", "fanout_dispatches", "fanout_incidents", "fanout_route")

    def __init__(
        self,
        census: Census,
        frozen: Frozen,
        slice_sizes: Mapping[Channel, int] = SLICE_SIZES,
        claim: Claim | None = None,
    ) -> None:
        """A channel without a slice size has no audience: screens ask for what they show.

        Without a `claim`, nothing goes by topics.
        """
        self._census, self._frozen, self._sizes, self._claim = census, frozen, slice_sizes, claim

    def weigh(self, event: Event) -> int:
        """An audience weighs as many as its dispatches: push must not wait until all SMS are planned."""
        if not isinstance(event, AudienceFrozen):
            return 1
        return 1 + (len(event.topics) or event.count // event.slice_size)

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Freezes what is not yet frozen, and writes what the page's events order."""
        rows = PageRows()
        routes = Routes(tx.cursor)
        freezing = _Freezing(self._census, self._frozen, self._sizes, tx, self._claim)
        for position, _, event in page:
            match event:
                case PushRouteChosen(route=route):
                    routes.chosen(route)
                case AlertIssued():
                    freezing.issued(event, by_topics=routes.now == "topics")
                case AlertCancelled():
                    freezing.cancelled(event)
                case AlertExpired():
                    freezing.expired(event)
                case AudienceFrozen():
                    rows.audience(position, event)
                    rows.orders(position, plan.slices(event))
                case ReceiptRecorded(receipt=receipt):
                    rows.done(receipt)
                    rows.orders(position, receipt.follow_ups())
                    freezing.ended(receipt)
                case CanarySent():
                    rows.orders(position, plan.probes(event))
                case DeadLetterReplayed(dispatch=order):
                    rows.orders(position, (order,))
                case _:
                    raise AssertionError(f"{event.TOPIC} is not a topic of fanout")
        rows.write(tx.cursor)
        freezing.incidents.write()


class _Freezing:
    """The audiences decided in one page. The next events of the page see them already."""

    def __init__(
        self,
        census: Census,
        frozen: Frozen,
        sizes: Mapping[Channel, int],
        tx: Transaction,
        claim: Claim | None,
    ) -> None:
        self._census, self._logged, self._sizes, self._tx = census, frozen, sizes, tx
        self._claim = claim
        self._decided: dict[UUID, AudienceFrozen] = {}
        self._reach: dict[tuple[UUID, int, Channel], BitMap64 | None] = {}
        """Of versions asked for in this page, all their waves together: an incident asks for each again
        and again."""
        self.incidents = Incidents(tx.cursor)

    def issued(self, event: AlertIssued, *, by_topics: bool) -> None:
        relief = self.incidents.issued(event)
        for channel in event.content.reaches:
            size = self._sizes.get(channel)
            if size is None or self._find(event.originator_id, event.version, channel):
                continue
            taken = Taken(*self._census(event, channel))
            earlier = self._earlier(event.originator_id, event.version, channel)
            audience = plan.issued(event, channel, taken, earlier, size, self._graver(event, channel))
            first = by_topics and earlier is None and topics.wanted(event.content)
            self._decide_parted(audience, first=first)
        self._relieve(relief)

    def _decide_parted(self, audience: AudienceFrozen, *, first: bool) -> None:
        """By the road of the version before, topic for topic. `first`: there is none; by any that fit."""
        parts = [audience]
        if self._claim and audience.channel is Channel.PUSH and audience.mode is Mode.ACTUAL:
            before = topics.names(self._waves_before(audience.alert_id, audience.version, audience.channel))
            if first or before:
                parts = topics.parted(audience, self._claim(audience, None if first else before))
        for part in parts:
            self._decide(part)

    def _graver(self, event: AlertIssued, channel: Channel) -> list[Graver]:
        """The audiences whose members are spared this version, as they are known by now."""
        return [
            Graver(alert, version, who.serialize()) for alert, version, who in self._sparing(event, channel)
        ]

    def _sparing(
        self, event: AlertIssued, channel: Channel, at: datetime | None = None
    ) -> Iterator[tuple[UUID, int, BitMap64]]:
        for each in self.incidents.sparing(event, at):
            if (who := self._reached(each.alert_id, each.version, channel)) is not None:
                yield each.alert_id, each.version, who

    def cancelled(self, event: AlertCancelled) -> None:
        relief = self.incidents.cancelled(event)
        for channel in self._sizes:
            if self._find(event.originator_id, event.version, channel):
                continue
            # Where no version went, there is nothing to withdraw.
            if earlier := self._earlier(event.originator_id, event.version, channel):
                self._decide_parted(plan.cancelled(event, earlier), first=False)
        self._relieve(relief)

    def ended(self, receipt: Receipt) -> None:
        """Where a topic's message was given up, its people get theirs by token."""
        order = receipt.dispatch
        if order.topic is None or Outcome.DEAD not in receipt.counts:
            return
        found = self._waves(order.alert_id, order.version, order.channel)
        if wave := topics.instead(found, order):
            self._decide(wave)

    def expired(self, event: AlertExpired) -> None:
        # Nobody is told of an end, so a push after it comes out of the blue: it must be worth one.
        self._relieve(self.incidents.expired(event), RELIEF_WORTH)

    def _relieve(self, relief: Relief | None, worth: timedelta = timedelta()) -> None:
        """Those whom the alert spared these lesser ones get each of them now, once.

        `worth` is for how long a lesser one must hold yet.
        """
        for issue in relief.lesser if relief else ():
            if relief and self._tx.at < min(issue.expires_at - worth, relief.at + RELIEF_LIFE):
                for channel in issue.content.reaches:
                    self._next_wave(issue, relief, channel)
            # Otherwise it came too late, or an old log is read again, that knew nothing of this.

    def _next_wave(self, issue: AlertIssued, relief: Relief, channel: Channel) -> None:
        found = self._waves(issue.originator_id, issue.version, channel)
        # Nobody was ever spared it: who is not in its audience came later.
        if not found or not found[0].spared or waves.told(found, relief):
            return
        # The version that stood may have had no audience here, where only one before it took the channel.
        versions = (
            self._reached(relief.alert_id, before, channel) for before in range(relief.version, 0, -1)
        )
        theirs = next((who for who in versions if who is not None), None)
        if theirs is None:
            return
        graver = (who for _, _, who in self._sparing(issue, channel, relief.at))
        left = waves.remaining(found, theirs, graver)
        # An incident has many lesser alerts, and most leave nobody to tell: what is issued next waits for
        # this page, so the registry is asked only where somebody is left.
        taken = NOBODY
        if left:
            taken = Taken(*self._census(issue, channel))
            taken = plan.only(taken, left & BitMap64.deserialize(taken.bitmap))
        self._decide(waves.relieved(issue, found, taken, relief))

    def _decide(self, audience: AudienceFrozen) -> None:
        self._decided[audience.originator_id] = audience
        self._reach.pop((audience.alert_id, audience.version, audience.channel), None)
        self._tx.emit([audience])

    def _earlier(self, alert_id: UUID, version: int, channel: Channel) -> AudienceFrozen | None:
        """The latest version's before this one, whole; it holds the audiences of all before itself."""
        return waves.joined(self._waves_before(alert_id, version, channel))

    def _waves_before(self, alert_id: UUID, version: int, channel: Channel) -> list[AudienceFrozen]:
        found = (self._waves(alert_id, before, channel) for before in range(version - 1, 0, -1))
        return next((each for each in found if each), [])

    def _waves(self, alert_id: UUID, version: int, channel: Channel) -> list[AudienceFrozen]:
        found: list[AudienceFrozen] = []
        while audience := self._find(alert_id, version, channel, len(found)):
            found.append(audience)
        return found

    def _reached(self, alert_id: UUID, version: int, channel: Channel) -> BitMap64 | None:
        """Everyone the version is for by now; None where it has no audience."""
        key = (alert_id, version, channel)
        if key not in self._reach:
            found = [waves.members(each) for each in self._waves(*key)]
            self._reach[key] = BitMap64.union(*found) if found else None
        return self._reach[key]

    def _find(self, alert_id: UUID, version: int, channel: Channel, wave: int = 0) -> AudienceFrozen | None:
        # Asked of the log, not of our table: in a rebuild that table is behind the log.
        stream = audience_id(alert_id, version, channel, wave)
        return self._decided.get(stream) or self._logged(self._tx.cursor, stream)
