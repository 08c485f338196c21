"""What is foretold is what happens: the pre-flight and the freeze find the same people."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from broadcaster.alert import Alert
from broadcaster.reckoning import forecast
from broadcaster.reckoning.forecast import Quotas
from broadcaster.reckoning.preflight import ChannelPreflight, Preflights
from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.runtime import House, clock
from projections.audience import view as audience
from schemas.content import Channel, Mode, Severity
from tests.house import BA_DINH, PHUC_XA, approver, author, content, house

COMMUNES = ("00001", "00004", "00006", "00049")
QUOTAS = Quotas(push_per_second=100, sms_parts_per_second=10, sms_price=Decimal(350))


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        chance = random.Random(4)
        for number in range(60):
            opened.registry.register(
                NewSubscriber(
                    token=f"tok-{number}" if number % 3 else None,
                    platform="android" if number % 3 else None,
                    phone=f"09{number:08d}" if number % 3 != 1 else None,
                    home=chance.choice(COMMUNES),
                    areas=(chance.choice(COMMUNES),),
                    locale=chance.choice(["vi", "en"]),
                    opt_outs=chance.choice([(), ("ngap_ung",)]),
                ),
                clock(),
            )
        yield opened


def follow(hanoi: House) -> None:
    for name in ("fanout", "board", "audience", "reach"):
        follower = hanoi.follower(hanoi.projection(name))
        while follower.catch_up() < hanoi.log.head():
            pass


def submit(hanoi: House, body: str, *areas: str, **changes: object) -> Alert:
    told = content(*areas, channels=(Channel.PUSH, Channel.SMS), **changes)
    alert = hanoi.alerts.draft(author(body), body, told, at=clock())
    return hanoi.alerts.submit(author(body), alert.id, at=clock())


def issue(hanoi: House, alert: Alert, body: str) -> None:
    hanoi.alerts.approve(approver(body), alert.id, at=clock())
    hanoi.alerts.issue(author(body), alert.id, at=clock())
    follow(hanoi)


def foretold(hanoi: House, alert: Alert) -> dict[Channel, ChannelPreflight]:
    with hanoi.pool.connection() as conn:
        found = Preflights(hanoi.office, hanoi.registry, hanoi.census, QUOTAS).of(conn, alert, clock())
    return {one.channel: one for one in found.channels}


def check(hanoi: House, alert: Alert, version: int, before: dict[Channel, ChannelPreflight]) -> None:
    with hanoi.pool.connection() as conn:
        rows = [row for row in audience.of_alert(conn, alert.id) if row.version == version]
        assert {row.channel: row.count for row in rows} == {
            channel: one.recipients for channel, one in before.items()
        }
        for row in rows:
            assert audience.by_area(conn, alert.id, version, row.channel) == before[row.channel].by_area


def test_the_audience_is_the_one_foretold(hanoi: House) -> None:
    alert = submit(hanoi, PHUC_XA, "00001")
    before = foretold(hanoi, alert)
    assert before[Channel.PUSH].recipients > 0
    issue(hanoi, alert, PHUC_XA)
    check(hanoi, alert, 1, before)
    # The next version also goes to whoever got the first.
    end = clock() + timedelta(hours=9)
    hanoi.alerts.propose_update(author(PHUC_XA), alert.id, content("00001", expires_at=end), at=clock())
    second = hanoi.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    hanoi.registry.register(NewSubscriber(phone="0911111111", home="00001"), clock())
    later = foretold(hanoi, second)
    assert later[Channel.SMS].recipients == before[Channel.SMS].recipients + 1
    issue(hanoi, second, PHUC_XA)
    check(hanoi, alert, 2, later)


def test_overlaps_and_the_spared_are_foretold(hanoi: House) -> None:
    first = submit(hanoi, BA_DINH, "001", severity=Severity.EXTREME, incident="ngap-2026")
    wide = foretold(hanoi, first)[Channel.PUSH].recipients
    issue(hanoi, first, BA_DINH)
    free = foretold(hanoi, submit(hanoi, PHUC_XA, "00001"))[Channel.PUSH]
    (overlap,) = free.overlaps
    assert (overlap.alert_id, overlap.recipients) == (first.id, free.recipients)
    assert 0 < free.recipients < wide
    lesser = submit(hanoi, PHUC_XA, "00001", incident="ngap-2026")
    before = foretold(hanoi, lesser)
    push = before[Channel.PUSH]
    assert (push.recipients, push.overlaps) == (0, ())
    assert [(each.alert_id, each.count) for each in push.spared] == [(first.id, free.recipients)]
    issue(hanoi, lesser, PHUC_XA)
    check(hanoi, lesser, 1, before)


def test_a_drill_overlaps_with_drills_alone(hanoi: House) -> None:
    tester = hanoi.registry.register(NewSubscriber(phone="0911111111", home="00001"), clock())
    hanoi.registry.add_tester(tester.device_id, clock())
    real = submit(hanoi, PHUC_XA, "00001")
    issue(hanoi, real, PHUC_XA)
    drill = submit(hanoi, PHUC_XA, "00001", mode=Mode.EXERCISE)
    assert foretold(hanoi, drill)[Channel.SMS].overlaps == ()
    issue(hanoi, drill, PHUC_XA)
    again = foretold(hanoi, submit(hanoi, PHUC_XA, "00001", mode=Mode.EXERCISE))
    assert [each.alert_id for each in again[Channel.SMS].overlaps] == [drill.id]
    meant = foretold(hanoi, submit(hanoi, PHUC_XA, "00001"))
    assert [each.alert_id for each in meant[Channel.SMS].overlaps] == [real.id]


def test_the_effort_follows_from_the_quotas(hanoi: House) -> None:
    alert = submit(hanoi, BA_DINH, "001")
    before = foretold(hanoi, alert)
    push, sms = before[Channel.PUSH], before[Channel.SMS]
    assert push.effort == forecast.Effort(push.recipients, push.recipients / 100, None)
    vi, en = sms.effort.sms
    assert vi.recipients + en.recipients == sms.recipients
    assert min(vi.recipients, en.recipients) > 0
    assert sms.effort.messages == vi.parts * vi.recipients + en.parts * en.recipients
    assert sms.effort.seconds == sms.effort.messages / 10
    assert sms.effort.cost == 350 * sms.effort.messages
    assert vi.encoding == "gsm7"
    issue(hanoi, alert, BA_DINH)
    with hanoi.pool.connection() as conn:
        preflights = Preflights(hanoi.office, hanoi.registry, hanoi.census, QUOTAS)
        with pytest.raises(LookupError, match="no version in work"):
            preflights.of(conn, hanoi.office.alert(alert.id), clock())
