"""10,000 random lives of alerts: every message they told, held to the schema and to two lists of rules.

Then all of it from a log: what is read back renders to the same bytes as on the first day.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from uuid import UUID

import pytest
from lxml import etree
from psycopg_pool import ConnectionPool

from broadcaster.cap import messages, rules
from broadcaster.cap.parse import parse
from broadcaster.log import LOG_DDL, AlertLog
from schemas.events import AlertCancelled, AlertEvent, AlertIssued
from tests.unit.broadcaster.cap.checker import Chain
from tests.unit.broadcaster.cap.told import AT, CONTENT, history, rendered, schema, words
from tests.unit.broadcaster.cap.walks import Walk

HISTORIES, PARTS = 10_000, 10
EACH = HISTORIES // PARTS
PAGE = 2_000
SEED = 20_240_710
HOUR = timedelta(hours=1)


def lives(part: int) -> Iterator[Walk]:
    chance = random.Random(SEED + part)
    return (Walk(number, chance) for number in range(part * EACH + 1, (part + 1) * EACH + 1))


def written(log: AlertLog, events: Iterator[AlertEvent]) -> None:
    while page := list(islice(events, PAGE)):
        log.append(page, at=AT)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_message_of_ten_thousand_lives(database: str, part: int) -> None:
    oasis, seen, told = schema(), set[str](), Counter[str]()
    digests: dict[UUID, list[str]] = {}
    with ConnectionPool(database, min_size=1, max_size=2) as pool:
        with pool.connection() as conn:
            conn.execute(LOG_DDL.encode())
        log = AlertLog(pool)

        def lived() -> Iterator[AlertEvent]:
            for life in lives(part):
                out = [one for one in life.events if isinstance(one, AlertIssued | AlertCancelled)]
                chain = Chain(seen)
                digests[life.alert.id] = []
                for event, data in zip(out, rendered(out), strict=True):
                    oasis.assertValid(etree.fromstring(data))
                    assert chain.faults(data) == []
                    assert rules.breaches(parse(data)) == ()
                    told[getattr(event, "msg_type", "Cancel")] += 1
                    digests[life.alert.id].append(sha256(data).hexdigest())
                told["lives"] += 1
                yield from life.events

        written(log, lived())
        for alert_id, first in digests.items():
            found = messages.read(log, alert_id)
            versions = [event.version for event in found.issued]
            versions += [found.cancelled.version] if found.cancelled else []
            again = [sha256(found.bytes_of(version, words)).hexdigest() for version in versions]
            assert again == first
    assert told["lives"] == len(digests) == EACH
    assert len(seen) == told["Alert"] + told["Update"] + told["Cancel"]
    # It is not of the easy ones alone.
    assert told["Alert"] > EACH / 2
    assert told["Update"] > EACH / 10
    assert told["Cancel"] > EACH / 50


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (rb"\+07:00</sent>", rb"+00:00</sent>", "sent: "),
        (rb"Public", rb"Restricted", "Restricted"),
        (rb"<sender>", rb"<sender>a, ", "sender: "),
        (rb"<language>vi-VN", rb"<language>vi", "language: "),
        (rb"<category>", rb"<category>Geo", "category: not the same"),
        (rb"<value>00001", rb"<value>", "geocode: no value"),
        (rb"<contact>.*</contact>", rb"", "contact"),
        (rb"VN-ADMIN-2020-03-01", rb"VN-ADMIN", "geocode: the edition"),
        (rb"<expires>2024", rb"<expires>2023", "out of order"),
        (rb"<references>", rb"<references>a,b,c ", "no message of ours"),
        (rb"<references>.*</references>", rb"", "all but an Alert"),
        (rb"<status>Actual", rb"<status>Test", "status: changes"),
    ],
)
def test_the_checker_sees_what_is_wrong(right: bytes, wrong: bytes, said: str) -> None:
    first, second = rendered(history([CONTENT, CONTENT], [HOUR], None, in_error=False))
    chain = Chain(set())
    assert chain.faults(first) == chain.faults(second) == []
    chain = Chain(set())
    chain.faults(first)
    bad, changes = re.subn(right, wrong, second, count=1)
    assert changes
    assert any(said in fault for fault in chain.faults(bad))


def test_the_checker_wants_every_message_that_still_holds() -> None:
    first, second, third = rendered(history([CONTENT] * 3, [HOUR], None, in_error=False))
    chain = Chain(set())
    assert chain.faults(first) == chain.faults(second) == []
    references = second[second.index(b"<references>") : second.index(b"</references>")]
    start, end = third.index(b"<references>"), third.index(b"</references>")
    fewer = third[:start] + references + third[end:]
    assert any("still hold" in fault for fault in chain.faults(fewer))
    assert any("used before" in fault for fault in Chain({*chain.seen}).faults(first))
