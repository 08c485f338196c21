"""Who is concerned, where they are reached, and who is gone."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg_pool import ConnectionPool

from broadcaster.engines.embedded import PostgresServer
from broadcaster.registry.rules import NewSubscriber
from broadcaster.registry.subscribers import Address, Registry
from schemas.areas import Span
from schemas.content import Channel, Lane
from tests.registries import AT, SMALL, Desk, desk_on, person

CITY = SMALL.spans(["01"])
CATEGORIES = ("bao", "mua_lon", "tuyen_truyen")


@pytest.fixture(scope="module")
def shared(postgres: PostgresServer) -> Iterator[Desk]:
    with desk_on(postgres) as desk:
        yield desk


@pytest.fixture
def registry(shared: Desk) -> Registry:
    shared.clear()
    return shared.registry


@pytest.fixture
def pool(shared: Desk) -> ConnectionPool[Any]:
    return shared.pool


def join(registry: Registry, new: NewSubscriber) -> int:
    """Registers, and answers the opaque id."""
    found = registry.subscriber(registry.register(new, AT).device_id)
    assert found is not None
    return found.id


class Question(NamedTuple):
    spans: tuple[Span, ...]
    category: str
    lane: Lane


spans = st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, len(SMALL) - 1)).map(
    lambda ends: Span(min(ends), max(ends))
)
questions = st.builds(
    Question, st.lists(spans, max_size=3).map(tuple), st.sampled_from(CATEGORIES), st.sampled_from(Lane)
)
leaves = st.sampled_from([area.code for area in SMALL.leaves("01")])
anywhere = st.lists(st.sampled_from([area.code for area in SMALL]), max_size=3)
unwanted = st.lists(st.sampled_from(CATEGORIES), max_size=2)


@st.composite
def crowds(draw: st.DrawFn) -> list[NewSubscriber]:
    """People with addresses of their own."""
    return [
        person(
            f"tok-{number}" if reach != "phone" else None,
            f"09{number:08d}" if reach != "token" else None,
            draw(leaves),
            areas=draw(anywhere),
            opt_outs=draw(unwanted),
        )
        for number, reach in enumerate(
            draw(st.lists(st.sampled_from(["token", "phone", "both"]), max_size=8))
        )
    ]


def concerned(new: NewSubscriber, channel: Channel, question: Question) -> bool:
    address = new.token if channel is Channel.PUSH else new.phone
    numbers = [SMALL.number(code) for code in (new.home, *new.areas)]
    within = any(span.first <= number <= span.last for span in question.spans for number in numbers)
    wanted = question.lane is Lane.EMERGENCY or question.category not in new.opt_outs
    return address is not None and within and wanted


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(crowd=crowds(), asked=st.lists(questions, min_size=1, max_size=4))
def test_an_audience_is_those_concerned_and_no_one_else(
    shared: Desk, crowd: list[NewSubscriber], asked: list[Question]
) -> None:
    shared.clear()
    people = {join(shared.registry, new): new for new in crowd}
    for question in asked:
        for channel in (Channel.PUSH, Channel.SMS):
            audience = shared.registry.audience(channel, *question)
            expected = {id_ for id_, new in people.items() if concerned(new, channel, question)}
            assert set(audience.bitmap) == expected
            assert audience.by_area == Counter(people[id_].home for id_ in expected)


def test_no_one_opts_out_of_an_emergency(registry: Registry) -> None:
    deaf = join(registry, person("tok-1", "0912345678", opt_outs=list(CATEGORIES)))
    for channel in (Channel.PUSH, Channel.SMS):
        for lane in Lane:
            heard = deaf in registry.audience(channel, CITY, "bao", lane).bitmap
            assert heard == (lane is Lane.EMERGENCY)


def test_who_follows_from_elsewhere_counts_at_home(registry: Registry) -> None:
    join(registry, person("tok-1", home="00101", areas=["00201", "00202"]))
    join(registry, person("tok-2", home="00201", areas=["00202"]))
    audience = registry.audience(Channel.PUSH, SMALL.spans(["002"]), "bao", Lane.ALERT)
    assert (len(audience.bitmap), audience.by_area) == (2, {"00101": 1, "00201": 1})


def test_screens_are_no_subscribers(registry: Registry) -> None:
    with pytest.raises(ValueError, match="channel: led has no subscribers, only push, sms"):
        registry.audience(Channel.LED, CITY, "bao", Lane.ALERT)


def test_an_address_says_how_to_reach_it(registry: Registry) -> None:
    both = join(registry, person("tok-1", "0912345678", locale="en", platform="ios", token_kind="fid"))
    silent = join(registry, person(phone="0987654321"))
    ids = [silent, both, 10**12]
    assert registry.addresses(Channel.PUSH, ids) == [Address(both, "tok-1", "fid", "ios", "en")]
    assert sorted(registry.addresses(Channel.SMS, ids), key=lambda address: address.id) == [
        Address(both, "+84912345678", "msisdn", "", "en"),
        Address(silent, "+84987654321", "msisdn", "", "vi"),
    ]
    assert registry.addresses(Channel.SMS, []) == []
    assert "tok-1" not in repr(registry.addresses(Channel.PUSH, ids))


def test_a_cursor_keeps_its_transaction(registry: Registry, pool: ConnectionPool[Any]) -> None:
    stays = join(registry, person("tok-1"))
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM subscribers")
        inside = registry.audience(Channel.PUSH, CITY, "bao", Lane.ALERT, cursor=cursor)
        assert (len(inside.bitmap), inside.by_area) == (0, {})
        assert registry.addresses(Channel.PUSH, [stays], cursor=cursor) == []
        connection.rollback()
    assert set(registry.audience(Channel.PUSH, CITY, "bao", Lane.ALERT).bitmap) == {stays}


def test_a_gone_token_is_forgotten_and_its_number_stays(registry: Registry) -> None:
    both = join(registry, person("tok-1", "0912345678"))
    assert registry.erase_addresses(Channel.PUSH, [(both, "tok-1")]) == 1
    assert registry.addresses(Channel.PUSH, [both]) == []
    assert [address.address for address in registry.addresses(Channel.SMS, [both])] == ["+84912345678"]
    assert registry.count() == {Channel.PUSH: 0, Channel.SMS: 1}


def test_who_has_no_address_left_is_erased_whole(registry: Registry, pool: ConnectionPool[Any]) -> None:
    gone, _ = registry.register(person("tok-1", areas=["002"]), AT)
    found = registry.subscriber(gone)
    assert found is not None
    registry.note(gone, uuid4(), 1, "opened", AT)
    assert registry.erase_addresses(Channel.PUSH, [(found.id, "tok-1"), (found.id, "tok-1")]) == 1
    with pool.connection() as connection:
        for table in ("subscribers", "subscriber_areas", "device_receipts"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_refreshed_token_survives_the_news_that_the_old_one_is_gone(registry: Registry) -> None:
    device_id, _ = registry.register(person("tok-old"), AT)
    other = join(registry, person("tok-other"))
    found = registry.subscriber(device_id)
    assert found is not None
    registry.refresh_token(device_id, "tok-new", "token", "android", AT)
    gone = [(found.id, "tok-old"), (other, "tok-new"), (10**12, "tok-other")]
    assert registry.erase_addresses(Channel.PUSH, gone) == 0
    assert registry.erase_addresses(Channel.PUSH, []) == 0
    assert registry.count() == {Channel.PUSH: 2, Channel.SMS: 0}
