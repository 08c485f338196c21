"""A question to what may be silent: who looks waits but a moment, and is told what is known."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partialmethod
from pathlib import Path

import pytest

from broadcaster.account import Role
from broadcaster.engines.embedded import NatsServer
from broadcaster.roles import plant
from broadcaster.settings import Settings
from broadcaster.web.app import create_app
from broadcaster.web.monitoring.lookout import GOOD_FOR, Lookout
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import CITY, PASSWORD, SECRET, SYSTEM, Town
from tests.waiting import PATIENCE, until


class Slow:
    """Answers how often it was asked, once it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        assert self.may.wait(PATIENCE)
        return self.asked


def test_the_answer_of_now_where_it_comes_in_time() -> None:
    slow = Slow()
    slow.may.set()
    look = Lookout(slow, patience=PATIENCE)
    assert [look.get(), look.get()] == [1, 2]


def test_the_last_answer_stands_while_the_next_question_is_out_and_then_no_more() -> None:
    slow, now = Slow(), [0.0]
    look = Lookout(slow, patience=0.01, ticking=lambda: now[0])
    assert look.get() is None
    slow.may.set()
    until(lambda: look.get() is not None)
    until(lambda: not _asking())
    slow.may.clear()
    before = slow.asked
    assert look.get() == before
    now[0] = GOOD_FOR + 1
    assert look.get() is None
    assert slow.asked == before + 1  # one question is out, however many look
    slow.may.set()
    until(lambda: look.get() is not None)


def test_a_question_that_fails_is_no_answer_and_is_put_again() -> None:
    answers = [1, 0]
    look = Lookout(lambda: 1 // answers.pop(), patience=PATIENCE)
    assert look.get() is None
    assert look.get() == 1


def test_the_page_does_not_wait_for_a_broker_that_is_away(
    town: Town, nats: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than any test takes: what was said last stands, and the question stays out as long.
    begin: Callable[..., None] = vars(Lookout)["__init__"]
    monkeypatch.setattr(Lookout, "__init__", partialmethod(begin, good_for=600.0))
    monkeypatch.setattr(plant, "PATIENCE", 600.0)
    env = {"BROADCASTER_NATS_URL": nats.url, "BROADCASTER_NATS_TOKEN": nats.token}
    wanted = Settings.from_env(env | {"BROADCASTER_DATA": str(tmp_path)})
    ports = town.app.app._app.state.services.ports  # type: ignore[attr-defined]
    town.app = create_app(replace(ports, lanes=lambda: plant.lanes(wanted)))
    town.setup.grant(SYSTEM, "boss", CITY, Role.MANAGER, at=town.now)
    town.desk.accounts.create("boss", PASSWORD, SECRET, "system:setup", town.now)
    boss = Browser(town).sign_in("boss")
    system = "/console/system"
    until(lambda: "Đang chờ" in boss.go(system).answer.text)

    # Frozen, it takes calls and never answers.
    broker = nats.pid
    assert broker is not None
    os.kill(broker, signal.SIGSTOP)
    try:
        boss.go(system).sees("Đang chờ")
        assert _asking(), "the page was there before the answer"
    finally:
        os.kill(broker, signal.SIGCONT)
    until(lambda: not _asking())

    nats.stop()
    until(lambda: "Không hỏi được hàng đợi" in boss.go(system).answer.text)


def _asking() -> bool:
    return any(thread.name == "lookout" for thread in threading.enumerate())
