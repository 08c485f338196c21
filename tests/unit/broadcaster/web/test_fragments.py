"""What is drawn once for everyone is never shown to someone for whom it would be another."""

from functools import partial
from uuid import uuid4

import pytest

from broadcaster.account import Role
from broadcaster.web import i18n
from broadcaster.web.fragments import Fragments
from schemas.events import Actor
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import CITY, SYSTEM, Town


def made(town: Town) -> int:
    return town.app.app._app.state.services.fragments.made  # type: ignore[attr-defined]


def test_a_part_is_drawn_once_for_its_key_and_language() -> None:
    kept = Fragments()
    drawn: list[tuple[str, str]] = []

    def draw(said: str) -> str:
        drawn.append((said, i18n.language()))
        return f"{said} {i18n.language()}"

    for lang in i18n.LANGS:
        for said in ("a", "b"):
            for _ in range(2):
                with i18n.speaking(lang):
                    assert kept.part("name", said, caller=partial(draw, said)) == f"{said} {lang}"
    assert len(drawn) == 4
    # The name of a part is of its key: two parts may be made of the same.
    assert kept.part("other", "a", caller=lambda: "x") == "x"


def test_the_longest_unused_part_goes_first() -> None:
    kept = Fragments(most=2)
    for key in ("a", "b", "a", "c"):
        kept.value(key, object)
    before = kept.made
    kept.value("a", object)
    assert kept.made == before
    kept.value("b", object)
    assert kept.made == before + 1


def test_a_part_that_failed_is_not_kept() -> None:
    kept, answers = Fragments(), [1, 0]
    with pytest.raises(ZeroDivisionError):
        kept.value("a", lambda: 1 // answers.pop())
    assert kept.value("a", lambda: 1 // answers.pop()) == 1


def part(browser: Browser, path: str) -> str:
    """The table of the page, as it came."""
    return browser.go(path).answer.text.partition("<table")[2].partition("</table>")[0]


def test_a_second_reader_of_the_map_pays_nothing_and_a_new_count_is_shown(town: Town) -> None:
    lan, tuan = Browser(town).sign_in("lan"), Browser(town).sign_in("tuan")
    first = part(lan, "/console/reach")
    before = made(town)
    assert part(tuan, "/console/reach") == first
    assert made(town) == before
    assert 'data-account="tuan"' in tuan.answer.text  # what is around it is his own
    tuan.go("/console/reach?lang=en").sees("By commune, the least reached first")
    lan.go("/console/reach").sees("nơi ít người nhận nhất trước")

    town.client().post("/v1/devices", {"phone": "0912345678", "home": "00049"}).raise_for_status()
    town.later(minutes=2)
    assert part(lan, "/console/reach") != first


def test_the_map_of_screens_is_of_the_viewers_own(town: Town) -> None:
    town.setup.grant(SYSTEM, "boss", CITY, Role.MANAGER, at=town.now)
    lan, tuan = Browser(town).sign_in("lan"), Browser(town).sign_in("tuan")
    city = Browser(town).sign_in("city-author")
    names = ("Phường Phúc Xá", "Phường Hàng Bạc")
    for area in ("00001", "00049"):
        town.setup.register_screen(
            Actor(account="boss", body=CITY), uuid4(), name=area, area=area, profile="m96x32-1", at=town.now
        )
    wanted = ((city, (True, True)), (lan, (True, False)), (tuan, (False, True)))
    for _ in range(2):
        for browser, sees in wanted:
            shown = part(browser, "/console/screen-map")
            assert tuple(name in shown for name in names) == sees
    before = made(town)
    for browser, sees in wanted:
        shown = part(browser, "/console/screen-map")
        assert tuple(name in shown for name in names) == sees
    assert made(town) == before
    lan.go("/console/screen-map?lang=en").sees("Map of screens", "Phường Phúc Xá")
    assert made(town) > before
