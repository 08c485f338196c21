"""Topics follow the registry: on the real tables, against the double that knows who is in which."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broadcaster.cli.app import app
from broadcaster.roles.topics import TopicThread
from broadcaster.rules import RefusedError
from broadcaster.runtime import House, clock
from broadcaster.topics.book import Standing
from broadcaster.topics.figures import families
from broadcaster.topics.keeper import Round
from broadcaster.topics.route import RouteCommands
from channels.push.sandbox import Behaviour, PushSandbox
from schemas.content import Channel
from schemas.events import Actor, AttemptRefused, PushRouteChosen, PushTopicsHalted
from tests.house import house as house_on
from tests.registries import person
from tests.topics import HOME, OTHER, change, keep, look, register
from tests.waiting import PATIENCE, until

OPERATOR = Actor(account="system:operator")


def test_everyone_is_in_the_topic_of_their_commune_and_language(hanoi: House, fcm: PushSandbox) -> None:
    for number in range(7):
        register(hanoi, f"phone-{number}", HOME if number < 4 else OTHER)
    register(hanoi, "phone-en", locale="en")
    register(hanoi, "installation", token_kind="fid")
    hanoi.registry.register(person(phone="0912345678", home=HOME), clock())
    assert hanoi.topics.standing(clock()) == Standing(0, 8, 0, 0)
    assert look(hanoi, fcm, most=3).done == 8
    assert fcm.topics() == {"hn-00001-vi": 4, "hn-00001-en": 1, "hn-00004-vi": 3}
    assert hanoi.topics.standing(clock()) == Standing(8, 0, 0, 0)
    assert look(hanoi, fcm) == Round()


def test_who_moves_reads_another_language_leaves_or_gets_another_token(
    hanoi: House, fcm: PushSandbox
) -> None:
    mover, reader, leaver, owner = (register(hanoi, f"phone-{n}") for n in "mrlo")
    keep(hanoi, fcm)
    change(hanoi, mover.device_id, home=OTHER)
    change(hanoi, reader.device_id, locale="en")
    hanoi.registry.unregister(leaver.device_id)
    hanoi.registry.refresh_token(owner.device_id, "phone-new", "token", "ios", clock())
    assert hanoi.topics.standing(clock()).out == 5
    assert look(hanoi, fcm).done == 5, "all leave, and the new token is in"
    assert fcm.topics() == {"hn-00001-vi": 1}
    keep(hanoi, fcm)
    assert fcm.topics() == {"hn-00001-vi": 1, "hn-00004-vi": 1, "hn-00001-en": 1}
    assert hanoi.topics.standing(clock()) == Standing(3, 0, 0, 0)
    assert tokens(hanoi) == {"phone-m", "phone-r", "phone-new"}, "of who left, nothing is kept"


def tokens(house: House) -> set[str]:
    with house.pool.connection() as conn:
        return {token for (token,) in conn.execute("SELECT push_token FROM topic_members")}


def test_who_was_pruned_is_taken_out_and_forgotten(hanoi: House, fcm: PushSandbox) -> None:
    device = register(hanoi, "phone-gone")
    keep(hanoi, fcm)
    found = hanoi.registry.subscriber(device.device_id)
    assert found
    hanoi.registry.erase_addresses(Channel.PUSH, [(found.id, "phone-gone")])
    keep(hanoi, fcm)
    assert fcm.topics() == {}
    assert tokens(hanoi) == set()


def test_whom_the_service_does_not_take_stays_with_their_token(hanoi: House, fcm: PushSandbox) -> None:
    for token in ("gone-1", "bad-1", "never-1", "phone-1"):
        register(hanoi, token)
    look(hanoi, fcm)
    assert hanoi.topics.standing(clock()) == Standing(1, 0, 0, 3)
    assert look(hanoi, fcm) == Round()
    assert hanoi.topics.standing(clock() + timedelta(minutes=11)).out == 1, "one may be taken later"
    assert hanoi.registry.count()[Channel.PUSH] == 4, "nobody is pruned by a service of topics"


def test_an_outage_leaves_it_open_and_is_asked_again(hanoi: House, fcm: PushSandbox) -> None:
    register(hanoi, "phone-1")
    fcm.behave(Behaviour(errors={"UNAVAILABLE": 1.0}))
    assert look(hanoi, fcm) == Round(1, unknown=1)
    assert hanoi.topics.standing(clock()).out == 1
    fcm.behave()
    assert look(hanoi, fcm) == Round(1)
    assert fcm.topics() == {"hn-00001-vi": 1}


def test_a_refused_call_raises_one_alarm_and_is_not_repeated_blindly(
    hanoi: House, fcm: PushSandbox
) -> None:
    for number in range(4):
        register(hanoi, f"phone-{number}", locale=("vi", "en", "fr", "ko")[number])
    fcm.behave(Behaviour(errors={"SENDER_ID_MISMATCH": 1.0}))
    head, at = hanoi.log.head(), clock()
    assert look(hanoi, fcm, at).halted
    for _ in range(3):
        assert look(hanoi, fcm, at + timedelta(minutes=14)) == Round(halted=True)
    probe = look(hanoi, fcm, at + timedelta(minutes=16))
    assert (probe.done, probe.halted) == (1, True), "one call, to see whether it passes"
    told = [each.event for each in hanoi.log.read(head, 10)]
    assert [(type(event), getattr(event, "reason", "")) for event in told] == [
        (PushTopicsHalted, "HTTP_403")
    ]
    assert hanoi.topics.standing(clock()).halted == "HTTP_403"
    fcm.behave()
    assert look(hanoi, fcm, at + timedelta(minutes=40)).done == 1
    assert hanoi.topics.standing(clock()).halted == ""
    keep(hanoi, fcm)
    assert sum(fcm.topics().values()) == 4


KILLED = """
import asyncio, os, sys
from broadcaster.runtime import clock
from broadcaster.topics import keeper
from tests.house import house

class Dies:
    def __init__(self): self.calls = 0
    async def change(self, change, topic, people):
        self.calls += 1
        if self.calls > int(sys.argv[2]):
            os.kill(os.getpid(), 9)
        return [keeper.Result(one.rank, keeper.Outcome.ACCEPTED) for one in people]

keeper.CALLS = 1
with house(sys.argv[1], push_topics=True) as opened:
    asyncio.run(keeper.TopicKeeper(opened.topics, Dies(), clock, 2).round())
"""


@pytest.mark.parametrize("after", [0, 3])
def test_a_kill_in_the_middle_loses_nothing(
    hanoi: House, fcm: PushSandbox, city_database: str, after: int
) -> None:
    leaver = register(hanoi, "phone-l")
    keep(hanoi, fcm)
    for number in range(5):
        register(hanoi, f"phone-{number}")
    hanoi.registry.unregister(leaver.device_id)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, city_database, str(after)], check=False, capture_output=True
    )
    assert done.returncode == -9, done.stderr.decode()[-500:]
    # What was called about when it died is in doubt, and is called about again.
    assert hanoi.topics.standing(clock()).out == 6 - min(6, after and 2 * after - 1)
    keep(hanoi, fcm)
    standing = hanoi.topics.standing(clock())
    assert (standing.members, standing.out) == (5, 0)
    assert "phone-l" not in tokens(hanoi)


def test_without_the_setting_everyone_is_taken_out(
    hanoi: House, fcm: PushSandbox, city_database: str
) -> None:
    register(hanoi, "phone-1")
    keep(hanoi, fcm)
    with house_on(city_database) as off:
        assert not off.topics.is_idle()
        keep(off, fcm)
        assert off.topics.is_idle()
    assert fcm.topics() == {}
    assert not hanoi.topics.is_idle()


def test_one_at_a_time_keeps_them(hanoi: House) -> None:
    with hanoi.topics.alone() as first:
        assert first
        with hanoi.topics.alone() as second:
            assert not second
    with hanoi.topics.alone() as again:
        assert again


def test_all_can_be_subscribed_again(hanoi: House, fcm: PushSandbox) -> None:
    register(hanoi, "phone-1")
    keep(hanoi, fcm)
    fcm.members(forget=True)
    assert hanoi.topics.resync() == 1
    assert hanoi.topics.standing(clock()).out == 1
    keep(hanoi, fcm)
    assert fcm.topics() == {"hn-00001-vi": 1}


def test_the_follow_role_keeps_them(city_database: str, tmp_path: Path) -> None:
    folder = tmp_path / "sandbox" / "fcm"
    with (
        PushSandbox(folder) as fcm,
        house_on(city_database, push_topics=True, data=tmp_path) as house,
    ):
        register(house, "phone-1")
        thread = TopicThread(house)
        thread.start()
        until(lambda: fcm.topics() == {"hn-00001-vi": 1})
        until(lambda: house.topics.standing(clock()).members == 1)
        thread.stop()
        with house_on(city_database, data=tmp_path) as off:
            last = TopicThread(off, look=0.01)
            last.start()
            last.join(PATIENCE)
            assert off.topics.is_idle(), "it ends by itself, but not before"
        assert fcm.topics() == {}


def test_monitors_see_what_the_last_look_left(hanoi: House, fcm: PushSandbox) -> None:
    assert list(families(hanoi.pool, clock())) == []
    register(hanoi, "phone-1")
    fcm.behave(Behaviour(errors={"SENDER_ID_MISMATCH": 1.0}))
    look(hanoi, fcm)

    def told() -> dict[str, float]:
        found = families(hanoi.pool, clock())
        return {
            family.name.removeprefix("broadcaster_push_topics_"): family.samples[0].value
            for family in found
        }

    assert (told()["out_of_step"], told()["halted"], told()["held"]) == (1, 1, 0)
    fcm.behave()
    look(hanoi, fcm, clock() + timedelta(minutes=16))
    assert (told()["out_of_step"], told()["halted"]) == (0, 0)


# --- the operator's choice --------------------------------------------------------------------------


def test_topics_are_chosen_only_while_they_are_in_step(hanoi: House, fcm: PushSandbox) -> None:
    commands = RouteCommands(hanoi.office, hanoi.topics)
    register(hanoi, "phone-1")
    keep(hanoi, fcm)
    register(hanoi, "phone-2")
    head = hanoi.log.head()
    with pytest.raises(RefusedError, match="out of step with the registry by 1 phones"):
        commands.choose(OPERATOR, "topics", "Hạn ngạch đã hết", at=clock())
    (refused,) = hanoi.log.read(head, 10)
    assert isinstance(refused.event, AttemptRefused)
    assert commands.now().route == "tokens"
    keep(hanoi, fcm)
    chosen = commands.choose(OPERATOR, "topics", "Hạn ngạch đã hết", at=clock())
    assert isinstance(chosen, PushRouteChosen)
    assert (chosen.by, commands.now().route) == (OPERATOR, "topics")
    with pytest.raises(RefusedError, match="by topics already"):
        commands.choose(OPERATOR, "topics", "Lần nữa", at=clock())
    register(hanoi, "phone-3")
    commands.choose(OPERATOR, "tokens", "Đã thông", at=clock())
    assert commands.now().route == "tokens", "back again whatever is out of step"


def test_topics_that_nobody_keeps_cannot_be_chosen(city_database: str) -> None:
    for wanted, rule in ((False, "BROADCASTER_PUSH_TOPICS"), (True, "nobody")):
        with house_on(city_database, push_topics=wanted) as house, pytest.raises(RefusedError, match=rule):
            RouteCommands(house.office, house.topics).choose(OPERATOR, "topics", "Thử", at=clock())


def test_the_command_line(
    city_database: str, fcm: PushSandbox, hanoi: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    monkeypatch.setenv("BROADCASTER_PUSH_TOPICS", "true")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["push", *words])
        return result.exit_code, result.stdout

    register(hanoi, "phone-1")
    code, said = run("status")
    assert (code, said.splitlines()) == (
        0,
        [
            "route tokens; topics are kept",
            "in topics 0, out of step 1, waiting for an alert to end 0, not taken 0",
        ],
    )
    assert run("route", "both", "--reason", "Thử")[0] != 0
    assert run("route", "topics", "--reason", "")[0] != 0
    assert run("route", "topics", "--reason", "Thử")[0] != 0
    keep(hanoi, fcm)
    assert run("route", "topics", "--reason", "Thử", "--by", "truc-ban")[0] == 0
    assert run("status")[1].startswith("route topics")
    (chosen,) = hanoi.log.read(0, 10, [PushRouteChosen.TOPIC])
    assert chosen.event.by.account == "truc-ban"
