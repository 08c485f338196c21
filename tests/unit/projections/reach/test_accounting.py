"""Audience = the sum of outcomes, whole and by commune, whatever the provider and the operator do."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from pyroaring import BitMap64

from channels.delivery import Delivery
from projections.fanout import plan
from projections.fanout.order import groups_of
from projections.fanout.plan import Taken
from projections.projection import Row
from projections.reach import letters_view, view
from projections.reach.projection import Reach
from schemas.content import Channel
from schemas.dispatch import Dispatch, Outcome
from schemas.events import AudienceFrozen, DeadLetterReplayed, DeadLetterWrittenOff, ReceiptRecorded
from tests.following import AT as NOW
from tests.following import Alert
from tests.unit.channels.test_delivery import PaperDesk, ScriptedGateway
from tests.unit.projections.story import Story, fold, opened, rebuild

AREAS = ("00001", "00004", "00049")
ENDS = [Outcome.ACCEPTED, Outcome.GONE, Outcome.REFUSED, Outcome.DEFERRED]


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Reach()) as conn:
        yield conn


def audience(homes: dict[int, str], size: int) -> AudienceFrozen:
    found = {area: BitMap64(n for n, home in homes.items() if home == area) for area in AREAS}
    found = {area: ids for area, ids in found.items() if ids}
    taken = Taken(
        BitMap64(homes).serialize(),
        {area: len(ids) for area, ids in found.items()},
        len(homes),
        {area: ids.serialize() for area, ids in found.items()},
    )
    return plan.issued(Alert().issued(), Channel.PUSH, taken, None, size)


class Life:
    """Carries out an audience's orders and all that follows, with a provider that answers by chance."""

    def __init__(self, frozen: AudienceFrozen, seed: int) -> None:
        self.chance = random.Random(seed)
        self.story = Story()
        self.home = dict(enumerate(g.area for g in groups_of(frozen) for _ in g.ids))
        self.last: dict[int, Outcome] = {}
        self.written_off = 0
        self.ordered: set[UUID] = set()
        fields = frozen.model_dump(exclude={"originator_id", "originator_version", "by"})
        self.story.tell(AudienceFrozen, frozen.originator_id, **fields)
        orders = list(plan.slices(frozen))
        with asyncio.Runner() as self.runner:
            while orders:
                orders += self.carry_out(orders.pop(self.chance.randrange(len(orders))))

    def carry_out(self, order: Dispatch) -> list[Dispatch]:
        answers = {rank: self.chance.choice(ENDS) for rank in order.ranks}
        desk = PaperDesk(superseded=self.chance.random() < 0.1)
        desk.erased = frozenset(rank for rank in order.ranks if self.chance.random() < 0.1)
        gateway = ScriptedGateway(answers, fault="BAD" if self.chance.random() < 0.1 else None)
        gateway.waits = {rank: self.chance.choice([0.0, 5.0, 60.0, 600.0]) for rank in order.ranks}
        late = order.expires_at if self.chance.random() < 0.05 else NOW
        # Few attempts, so that many die.
        order = order.model_copy(update={"attempt": order.attempt + 2})
        receipt = self.runner.run(Delivery(desk, gateway, lambda: late).deliver(order))
        assert receipt is not None
        self.story.tell(ReceiptRecorded, order.id, receipt=receipt)
        self.note(order, receipt.deferred, receipt.dead_ranks or ())
        more = list(receipt.follow_ups())
        assert sorted(rank for one in more for rank in one.ranks) == list(receipt.deferred)
        for one in more:
            assert one.id not in self.ordered, "an id is of one order"
            self.ordered.add(one.id)
        if dead := receipt.counts.get(Outcome.DEAD):
            assert receipt.dead_ranks is not None
            assert len(receipt.dead_ranks) == dead
            more += self.settle(order, receipt.dead_ranks, dead)
        return more

    def settle(self, order: Dispatch, ranks: tuple[int, ...], dead: int) -> list[Dispatch]:
        what = self.chance.choice(["replay", "write off", "leave", "leave"])
        if what == "replay":
            again = order.replay(ranks)
            self.story.tell(DeadLetterReplayed, order.id, dispatch=again, reason="thông")
            for rank in ranks:
                del self.last[rank]
            return [again]
        if what == "write off":
            place = {"alert_id": order.alert_id, "version": order.version, "channel": order.channel}
            self.story.tell(DeadLetterWrittenOff, order.id, **place, count=dead, reason="thôi")
            self.written_off += dead
        return []

    def note(self, order: Dispatch, deferred: tuple[int, ...], dead: tuple[int, ...]) -> None:
        """What each rank ended in. Only the deferred and the dead are told by rank; the rest by area."""
        for rank in order.ranks:
            assert rank not in self.last, "a rank ended once, and is not sent to again"
            if rank in dead:
                self.last[rank] = Outcome.DEAD
            elif rank not in deferred:
                self.last[rank] = Outcome.ACCEPTED  # or any other end: it is over


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.dictionaries(st.integers(0, 90), st.sampled_from(AREAS), max_size=40),
    st.integers(1, 12),
    st.integers(0, 2**32),
)
def test_it_adds_up(conn: Connection[Row], homes: dict[int, str], size: int, seed: int) -> None:
    life = Life(audience(homes, size), seed)
    rows = rebuild(conn, Reach(), life.story.log, 1000)
    assert rebuild(conn, Reach(), life.story.log, 3) == rows
    frozen = life.story.log[0].event
    assert isinstance(frozen, AudienceFrozen)
    (whole,) = view.of_alert(conn, frozen.alert_id)
    assert whole.totals.audience == whole.totals.final == len(homes) == len(life.last)
    assert whole.totals.dead == sum(end is Outcome.DEAD for end in life.last.values())
    assert whole.totals.written_off == life.written_off
    areas = view.areas_of_alert(conn, frozen.alert_id)
    assert {one.area: one.totals.audience for one in areas} == Counter(homes.values())
    dead: defaultdict[str, int] = defaultdict(int)
    for rank, end in life.last.items():
        dead[life.home[rank]] += end is Outcome.DEAD
    for one in areas:
        assert one.totals.in_flight == 0
        assert one.totals.dead == dead[one.area]
    for name in ("accepted", "gone", "refused", "dead", "expired", "superseded"):
        assert sum(getattr(one.totals, name) for one in areas) == getattr(whole.totals, name)
    letters = letters_view.find(conn, limit=1000)
    unsettled = sum(letter.count for letter in letters if letter.state != "replayed")
    assert unsettled == whole.totals.dead
    assert all(sum(letter.areas.values()) == letter.count for letter in letters)


def test_a_letter_is_settled_in_view(conn: Connection[Row]) -> None:
    frozen = audience(dict.fromkeys(range(4), "00001"), 2)
    story = Story()
    fields = frozen.model_dump(exclude={"originator_id", "originator_version", "by"})
    story.tell(AudienceFrozen, frozen.originator_id, **fields)
    first, second = plan.slices(frozen)
    for order in (first, second):
        counts = {Outcome.DEAD: 2}
        receipt = {"dispatch": order, "counts": counts, "by_area": {"00001": counts}}
        story.tell(ReceiptRecorded, order.id, receipt=receipt | {"reasons": {"UNAVAILABLE": 2}})
        story.wait(seconds=1)
    story.tell(DeadLetterReplayed, first.id, dispatch=first.replay((0, 1)), reason="Đã thông")
    fold(conn, Reach(), story.log)
    newest, oldest = letters_view.find(conn)
    assert (newest.dispatch_id, newest.state, newest.reasons) == (second.id, "open", {"UNAVAILABLE": 2})
    assert (oldest.state, oldest.settled_by, oldest.settled_because) == ("replayed", "lan", "Đã thông")
    assert oldest.next_dispatch_id == first.replay((0, 1)).id
    assert oldest.settled_at == oldest.died_at + timedelta(seconds=2)
    assert letters_view.one(conn, first.id) == oldest
    assert letters_view.one(conn, UUID(int=9)) is None
    assert [one.dispatch_id for one in letters_view.find(conn, state="open")] == [second.id]
    assert letters_view.find(conn, before=newest.position) == [oldest]
    assert (
        letters_view.find(conn, alert_id=UUID(int=9)) == letters_view.find(conn, channel=Channel.SMS) == []
    )
    piles = letters_view.piles(conn, alert_id=frozen.alert_id)
    assert {(pile.state, pile.letters, pile.recipients) for pile in piles} == {
        ("open", 1, 2),
        ("replayed", 1, 2),
    }
    (whole,) = view.of_alert(conn, frozen.alert_id)
    assert (whole.totals.dead, whole.totals.in_flight) == (2, 2)
