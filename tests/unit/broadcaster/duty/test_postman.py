"""Reminders reach the mail server once each, whatever dies in between."""

import asyncio
import gc
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP, default
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from broadcaster.duty.letters import letter
from broadcaster.duty.postman import SETTLE, Postman
from broadcaster.duty.reminders import GIVE_UP, LEASE, Claim, Reminders
from broadcaster.roles.remind import HouseDesk
from broadcaster.runtime import House
from channels.sms.relay import Relay
from channels.sms.sandbox import Behaviour, SmtpSandbox
from channels.sms.settings import MailSettings
from schemas.events import Actor, Event, IssuerContactsSet, Notice, ReminderDue, ReminderSent
from schemas.ids import issuer_stream
from tests.unit.broadcaster.duty.past import lived
from tests.unit.projections.cadence.histories import START, instant
from tests.unit.projections.story import Story

DAY = 24 * 60
OVERDUE = instant(3 * DAY)
OFFICES = {"vp-ubnd": "84243000010", "ubnd-001": "84243000011", "ubnd-00001": "84243000012"}


class Killed(BaseException):
    """As kill -9 would: nothing after it happens."""


class Desk(HouseDesk):
    """A house whose clock stands where it is set."""

    at: datetime = OVERDUE + SETTLE

    def now(self) -> datetime:
        return self.at


class Fragile(Reminders):
    """Dies at one step."""

    dies: str = ""

    def decide(self, at: datetime) -> int:
        self._die("before deciding")
        found = super().decide(at)
        self._die("after deciding")
        return found

    def claim(self, at: datetime, most: int = 20) -> list[Claim]:
        found = super().claim(at, most)
        self._die("after claiming")
        return found

    def sending(self, claim: Claim) -> None:
        self._die("before the data is noted")
        super().sending(claim)
        self._die("before the data")

    def done(self, claim: Claim, outcome: str, at: datetime, **more: Any) -> None:
        self._die("before the answer is noted")
        super().done(claim, outcome, at, **more)
        self._die("after the answer is noted")

    def _die(self, here: str) -> None:
        if self.dies == here:
            raise Killed(here)


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpSandbox]:
    with SmtpSandbox(tmp_path_factory.mktemp("smtp")) as running:
        yield running


@pytest.fixture
def smtp(double: SmtpSandbox) -> SmtpSandbox:
    double.behave()
    double.taken.clear()
    return double


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    story = Story(at=START)
    for body, parent in (("vp-ubnd", None), ("ubnd-001", "vp-ubnd"), ("ubnd-00001", "ubnd-001")):
        story.body(body, 1, parent=parent)
        contact = {"kind": "email", "value": f"{OFFICES[body]}@hanoi.example"}
        story.tell(IssuerContactsSet, issuer_stream(body), issuer_id=body, contacts=(contact,))
    story.at = instant(2 * DAY)
    story.issue("vp-ubnd")
    story.issue("ubnd-001")
    with lived(database, story.log, data=tmp_path) as opened:
        yield opened


def settings(smtp: SmtpSandbox) -> MailSettings:
    told = smtp.endpoint
    return MailSettings(
        told.host,
        told.port,
        "sms.example",
        "canh-bao@hanoi.example",
        username=told.system_id,
        password=told.password,
        patience=0.0,
        reconnect_first=0.01,
    )


def rounds(house: House, smtp: SmtpSandbox, at: datetime, dies: str = "") -> int:
    """A process that is started, makes a round, and ends or is killed."""
    desk, reminders = Desk(house), Fragile(house.pool, house.log, house.cadence, "vp-ubnd")
    desk.at, reminders.dies = at, dies
    postman = Postman(reminders, desk, settings(smtp))

    async def run() -> int:
        relay = Relay(settings(smtp))
        try:
            return await postman.round(relay)
        finally:
            await relay.close()

    try:
        return asyncio.run(run())
    except Killed:
        # A killed process closes nothing: its sockets go here, and are not held against a later test.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        raise


def seen(smtp: SmtpSandbox) -> Counter[str]:
    """How often the mail server took each id."""
    mails = [message_from_bytes(mail.octets, policy=default) for mail in smtp.taken]
    return Counter(str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in mails)


def logged(house: House, kind: type[Event]) -> list[Any]:
    return [event for _, _, event in house.log.read(0, 1000, [kind.TOPIC])]


def decided(house: House) -> list[str]:
    return [str(event.originator_id) for event in logged(house, ReminderDue)]


def test_what_is_overdue_is_told_once(house: House, smtp: SmtpSandbox) -> None:
    at = OVERDUE + SETTLE
    assert rounds(house, smtp, at) == 2
    assert rounds(house, smtp, at) == 0
    assert [(one.notice, one.recipient) for one in logged(house, ReminderDue)] == [
        ("overdue", "ubnd-00001"),
        ("overdue", "ubnd-001"),
    ]
    assert seen(smtp) == Counter(decided(house))
    assert sorted(mail.recipients[0] for mail in smtp.taken) == sorted(
        [OFFICES["ubnd-00001"], OFFICES["ubnd-001"]]
    )
    text = message_from_bytes(smtp.taken[0].octets, policy=default).get_body(("plain",))
    assert text is not None
    assert "quá hạn đưa tin từ 00:00 04/07/2024" in text.get_content()
    assert {one.outcome for one in logged(house, ReminderSent)} == {"accepted"}


STEPS = (
    "before deciding",
    "after deciding",
    "after claiming",
    "before the data is noted",
    "before the data",
    "before the answer is noted",
    "after the answer is noted",
)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_sends_nothing_twice_and_loses_nothing_unsaid(
    house: House, smtp: SmtpSandbox, step: str
) -> None:
    at = OVERDUE + SETTLE
    with pytest.raises(Killed):
        rounds(house, smtp, at, dies=step)
    rounds(house, smtp, at)
    rounds(house, smtp, at + LEASE + timedelta(seconds=1))
    outcomes = {str(one.originator_id): one.outcome for one in logged(house, ReminderSent)}
    assert sorted(outcomes) == sorted(decided(house))
    assert len(outcomes) == 2
    for reminder, outcome in outcomes.items():
        times = seen(smtp)[reminder]
        # Between the data and its answer no one can know; that is said, and it is not sent again.
        assert times == 1 if outcome == "accepted" else times <= 1
    if step in {"before the data", "before the answer is noted"}:
        assert "unknown" in outcomes.values()
    elif step != "after the answer is noted":  # The other one's was under way then.
        assert set(outcomes.values()) == {"accepted"}


def test_a_mail_server_down_for_a_day_loses_none(house: House, smtp: SmtpSandbox) -> None:
    smtp.stop()
    at = OVERDUE + SETTLE
    for hours in range(0, 25, 4):
        assert rounds(house, smtp, at + timedelta(hours=hours)) == 0
    smtp.start()
    rounds(house, smtp, at + timedelta(hours=25))
    told = decided(house)
    assert len(told) > 4
    assert seen(smtp) == Counter(told)


def test_two_instances_send_each_once(house: House, smtp: SmtpSandbox) -> None:
    at = OVERDUE + timedelta(hours=25)
    pair = [Reminders(house.pool, house.log, house.cadence, "vp-ubnd") for _ in range(2)]
    desks = [Desk(house) for _ in pair]
    for desk in desks:
        desk.at = at
    postmen = [Postman(one, desk, settings(smtp)) for one, desk in zip(pair, desks, strict=True)]

    async def both() -> None:
        relays = [Relay(settings(smtp)) for _ in postmen]
        await asyncio.gather(
            *(postman.round(relay) for postman, relay in zip(postmen, relays, strict=True))
        )
        for postman, relay in zip(postmen, relays, strict=True):
            await postman.round(relay)
            await relay.close()

    asyncio.run(both())
    assert seen(smtp) == Counter(decided(house))


def test_an_office_without_an_address_and_a_refusal_are_said(house: House, smtp: SmtpSandbox) -> None:
    stream = issuer_stream("ubnd-00001")
    version = house.office.issuer("ubnd-00001").version
    house.log.append(
        [
            IssuerContactsSet(
                originator_id=stream,
                originator_version=version + 1,
                by={"account": "x"},  # type: ignore[arg-type]
                issuer_id="ubnd-00001",
                contacts=(),
            )
        ],
        at=instant(3 * DAY - 1),
    )
    smtp.behave(Behaviour(refuse_content=True))
    rounds(house, smtp, OVERDUE + SETTLE)
    assert sorted(one.outcome for one in logged(house, ReminderSent)) == ["no_contact", "refused"]


def test_a_server_that_never_takes_it_is_given_up(house: House, smtp: SmtpSandbox) -> None:
    smtp.stop()
    rounds(house, smtp, OVERDUE + SETTLE)
    rounds(house, smtp, OVERDUE + GIVE_UP + timedelta(minutes=1))
    smtp.start()
    assert {one.outcome for one in logged(house, ReminderSent)} >= {"refused"}


@pytest.mark.parametrize("name", ["A\r\nBcc: all@x.vn\r\n\r\nnothing", "B\x00", "C\u2028D\x85E", "F\ud800"])
def test_no_name_adds_to_a_mails_head_or_keeps_it_from_going(name: str) -> None:
    due = ReminderDue(
        originator_id=uuid4(),
        originator_version=1,
        by=Actor(account="system:cadence"),
        notice=Notice.OVERDUE,
        recipient="ubnd-001",
        about="ubnd-00001",
        due_at=datetime(2026, 10, 1, tzinfo=UTC),
    )
    mail = letter(uuid4(), due, due.due_at, sender="a@x.vn", names={"ubnd-00001": name})
    read = message_from_bytes(mail, policy=SMTP)
    assert read["Bcc"] is None
    assert read["Subject"].startswith("Quá hạn đưa tin: ")
    assert read["Subject"].isprintable()
    assert b"\x00" not in mail
