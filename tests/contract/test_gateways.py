"""The promises of channels.gateway, kept by every gateway against its provider's double."""

import asyncio
import logging
from collections.abc import Iterator, Sequence

import pytest

from channels.gateway import Message, Recipient, Resting, Result
from schemas.areas import unaccented
from schemas.content import MsgType
from schemas.dispatch import Outcome
from tests.contract.gateways import Behaviour, Double, House, all_houses, message, recipients
from tests.following import becomes

GOOD, GONE, BUSY, NEVER = Behaviour.GOOD, Behaviour.GONE, Behaviour.BUSY_ONCE, Behaviour.NEVER


@pytest.fixture(scope="module", params=all_houses(), ids=lambda house: house.name)
def house(request: pytest.FixtureRequest) -> House:
    return request.param


@pytest.fixture(scope="module")
def double(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with house.double(tmp_path_factory.mktemp(house.name)) as double:
        yield double


Order = tuple[Message, Sequence[Recipient]]


def deliver(house: House, double: Double, *orders: Order) -> list[list[Result]]:
    """What one gateway answers to each order, one after the other."""

    async def scenario() -> list[list[Result]]:
        async with house.gateway(double) as gateway:
            return [await gateway.send(message, recipients) for message, recipients in orders]

    return asyncio.run(scenario())


def outcomes(results: Sequence[Result]) -> list[Outcome]:
    """In the order of the recipients, whose ranks fall."""
    return [result.outcome for result in sorted(results, key=lambda result: -result.rank)]


def test_each_recipient_gets_one_result(house: House, double: Double) -> None:
    people = recipients(house, *([GOOD] * 30 + [GONE] * 3 + [BUSY] * 3 + [NEVER] * 3))
    (results,) = deliver(house, double, (message(), people))
    assert sorted(result.rank for result in results) == sorted(person.rank for person in people)
    assert outcomes(results) == ([Outcome.ACCEPTED] * 30 + [Outcome.GONE] * 3 + [Outcome.DEFERRED] * 6)
    assert not any(result.ambiguous for result in results)
    assert all(bool(result.reason) == (result.outcome is not Outcome.ACCEPTED) for result in results)


def test_nobody_to_send_to(house: House, double: Double) -> None:
    assert deliver(house, double, (message(), [])) == [[]]


def test_what_is_accepted_was_received(house: House, double: Double) -> None:
    before = double.count()
    orders = [(message(), recipients(house, *[GOOD] * 20, GONE)) for _ in range(2)]
    results = deliver(house, double, *orders)
    after = double.count()
    accepted = sum(outcome is Outcome.ACCEPTED for window in results for outcome in outcomes(window))
    assert accepted == 40
    assert after.received - before.received == accepted
    assert after.unique - before.unique == accepted
    assert after.duplicates == before.duplicates
    assert sum(after.refused.values()) - sum(before.refused.values()) == 2


def test_a_repeat_is_counted_as_a_duplicate(house: House, double: Double) -> None:
    before = double.count()
    alert, people = message(), recipients(house, GOOD)
    deliver(house, double, (alert, people), (alert, people), (message(), people))
    after = double.count()
    assert (after.received - before.received, after.duplicates - before.duplicates) == (3, 1)


def test_busy_then_accepted(house: House, double: Double) -> None:
    before = double.count()
    alert, people = message(), recipients(house, BUSY, BUSY)
    first, second = deliver(house, double, (alert, people), (alert, people))
    assert outcomes(first) == [Outcome.DEFERRED] * 2
    assert outcomes(second) == [Outcome.ACCEPTED] * 2
    assert double.count().received - before.received == 2


def test_never_stays_deferred(house: House, double: Double) -> None:
    alert, people = message(), recipients(house, NEVER)
    for results in deliver(house, double, (alert, people), (alert, people)):
        assert outcomes(results) == [Outcome.DEFERRED]


def test_provider_down_loses_nobody(house: House, double: Double) -> None:
    before = double.count()
    alert, people, late = message(), recipients(house, *[GOOD] * 20), recipients(house, GOOD, GOOD)

    async def scenario() -> list[list[Result]]:
        async with house.gateway(double) as gateway:
            first = await gateway.send(message(), recipients(house, GOOD, GONE))
            counted = double.count()
            await asyncio.to_thread(double.stop)
            try:
                down = [await gateway.send(alert, people), await gateway.send(alert, late)]
            finally:
                await asyncio.to_thread(double.start)
            assert double.count() == counted, "the counts survive the double"
            await becomes(lambda: not isinstance(gateway, Resting) or not gateway.rest())
            return [first, *down, await gateway.send(alert, people), await gateway.send(alert, late)]

    first, down, still_down, up, late_up = asyncio.run(scenario())
    assert outcomes(first) == [Outcome.ACCEPTED, Outcome.GONE]
    assert outcomes(down) == [Outcome.DEFERRED] * 20
    assert outcomes(still_down) == [Outcome.DEFERRED] * 2
    assert not any(result.ambiguous for result in still_down), "a closed door leaves no doubt"
    assert outcomes(up) == [Outcome.ACCEPTED] * 20
    assert outcomes(late_up) == [Outcome.ACCEPTED] * 2
    after = double.count()
    assert after.received - before.received == 23
    assert after.duplicates == before.duplicates


def test_what_people_read(house: House, double: Double) -> None:
    reason = "Nước đã rút"
    for msg_type, locale, sayings in (
        (MsgType.ALERT, "vi", ("ngap sau tai phuc xa",)),
        (MsgType.ALERT, "en", ("deep flooding in phuc xa",)),
        (MsgType.UPDATE, "vi", ("cap nhat", "ngap sau tai phuc xa")),
        (MsgType.UPDATE, "en", ("update", "deep flooding in phuc xa")),
        (MsgType.CANCEL, "vi", ("huy", "ngap sau tai phuc xa", "nuoc da rut")),
        (MsgType.CANCEL, "en", ("cancelled", "deep flooding in phuc xa", "nuoc da rut")),
    ):
        alert = message(msg_type, reason if msg_type is MsgType.CANCEL else "")
        deliver(house, double, (alert, recipients(house, GOOD, locale=locale)))
        (text,) = double.texts(1)
        for saying in sayings:
            assert saying in unaccented(text)


def test_more_than_a_window_is_refused(house: House, double: Double) -> None:
    before = double.count()
    people = recipients(house, *[GOOD] * (house.gateway(double).window + 1))
    with pytest.raises(ValueError, match="window"):
        deliver(house, double, (message(), people))
    assert double.count() == before


def test_no_address_and_no_secret_in_a_log(
    house: House,
    double: Double,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    people = recipients(house, GOOD, GONE, BUSY, NEVER)
    with caplog.at_level(logging.DEBUG):
        deliver(house, double, (message(), people))
        double.stop()
        deliver(house, double, (message(), people))
        double.start()
    printed = capfd.readouterr()
    logged = f"{caplog.text}\n{printed.out}\n{printed.err}\n{double.said()}"
    for private in (*(person.address for person in people), *house.secrets(double)):
        assert private
        assert private not in logged
