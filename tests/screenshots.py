"""Pictures of the console's pages, by language and width: `python -m tests.screenshots --help`."""

import argparse
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright
from psycopg import sql

from broadcaster.account import Role
from broadcaster.demo.people import write_people
from broadcaster.demo.stage import spread
from broadcaster.engines.embedded import PostgresServer
from broadcaster.registry.csv_import import import_csv
from broadcaster.runtime import SYSTEM, clock
from schemas.events import Actor
from tests import scenes
from tests.house import furnish, house
from tests.processes import passable_folder
from tests.site import CITY, PASSWORD, Site, site

WIDTHS = (320, 1280)
LANGS = ("vi", "en")
TALLEST = 8000
PEOPLE, SCREENS, SEED = 3000, 24, 2024
SEEN = """Promise.all([...document.images].map((each) => {
  each.loading = "eager";
  return each.decode().catch(() => undefined);
}))"""
"""A picture that is drawn when it is scrolled to is waited for."""
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def main(folder: Path, only: list[str]) -> None:
    """Takes them: those whose names match one of `only`, or all where it is empty."""
    path = shutil.which("chromium")
    if path is None:
        sys.exit("screenshots: chromium is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        data = stack.enter_context(passable_folder())
        server = stack.enter_context(PostgresServer(data, durable=False))
        name = f"shots_{uuid4().hex}"
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        furnish(server.url_of(name))
        _people(server.url_of(name), data)
        hanoi = stack.enter_context(site(server.url_of(name), cadence_public=True))
        playwright = stack.enter_context(sync_playwright())
        chromium = playwright.chromium.launch(executable_path=path, args=ARGS)
        for shot in take(chromium, hanoi, folder, only):
            sys.stdout.write(f"{shot}\n")
        chromium.close()


def _people(database: str, folder: Path) -> None:
    """Phones all over the city, and screens, so that no count is nothing."""
    manager = Actor(account="quan", body=CITY)
    with house(database) as opened:
        tree = opened.tree()
        write_people(folder / "people.csv", PEOPLE, tree, SEED)
        import_csv(folder / "people.csv", opened.pool, tree, at=clock())
        opened.setup.grant(SYSTEM, manager.account, CITY, Role.MANAGER, at=clock())
        for number, area in enumerate(spread(tree, SCREENS), start=1):
            opened.setup.register_screen(
                manager,
                UUID(int=number),
                name=f"Bảng {tree[area].name}",
                area=area,
                profile="m96x32-1",
                at=clock(),
            )


def take(chromium: Browser, hanoi: Site, folder: Path, only: list[str]) -> list[str]:
    """Acts the story, and stops at each page."""
    taken: list[str] = []

    def shoot(page: Page, name: str, path: str | None = None) -> None:
        wanted = not only or any(fnmatch(name, each) for each in only)
        asking = "&" if path and "?" in path else "?"
        for lang in (LANGS if path else ("vi",)) if wanted else ():
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if path:
                    page.goto(f"{path}{asking}lang={lang}")
                file = f"{name}-{lang}-{width}.png"
                page.evaluate(SEEN)
                # As tall as the page: what sticks to the window's edge is then where the page ends.
                height = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": max(900, min(height, TALLEST))})
                page.screenshot(path=folder / file)
                taken.append(file)
        page.set_viewport_size({"width": 1280, "height": 900})
        if path:
            page.goto(f"{path}{asking}lang=vi")

    def person(account: str) -> Page:
        page = chromium.new_context(
            base_url=hanoi.url, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh", reduced_motion="reduce"
        ).new_page()
        page.goto("/console/sign-in")
        page.get_by_label("Tên tài khoản").fill(account)
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        page.get_by_label("Mã xác thực").fill(hanoi.code())
        page.get_by_role("button", name="Đăng nhập").click()
        page.wait_for_url("**/console")
        return page

    shoot(chromium.new_context(base_url=hanoi.url).new_page(), "sign-in", "/console/sign-in")
    alert = _story(hanoi, person, shoot)
    _house(hanoi, person, shoot)
    scenes.give_up(hanoi)
    _city(person("quan"), shoot)
    _public(chromium.new_context(base_url=hanoi.url).new_page(), alert, scenes.withdrawn(hanoi), shoot)
    return taken


def _city(quan: Page, shoot: Callable[..., None]) -> None:
    """What a manager of the whole city has: the longest menu, and every screen."""
    shoot(quan, "home-manager", "/console")
    shoot(quan, "system", "/console/system")
    shoot(quan, "reach", "/console/reach")
    shoot(quan, "bodies", "/console/bodies")
    shoot(quan, "screens-city", "/console/screens")
    shoot(quan, "screen", f"/console/screens/{UUID(int=1)}")
    shoot(quan, "screen-groups", "/console/screen-groups")
    quan.get_by_label("Tên nhóm").fill("Nhà văn hóa")
    quan.get_by_role("button", name="Lập nhóm").click()
    shoot(quan, "screen-group", _path(quan))
    shoot(quan, "screen-map", "/console/screen-map")
    shoot(quan, "dead-letters", "/console/dead-letters")
    shoot(quan, "dead-letter", scenes.letter_of(quan))


def _public(page: Page, alert: str, over: str, shoot: Callable[..., None]) -> None:
    """What everyone sees."""
    shoot(page, "public-home", "/")
    shoot(page, "public-alerts", "/alerts")
    shoot(page, "public-place", "/alerts?place=ba%20dinh")
    shoot(page, "public-places", "/alerts?place=minh")
    shoot(page, "public-past", "/alerts?when=past")
    shoot(page, "public-alert", alert.removeprefix("/console"))
    shoot(page, "public-over", over)
    page.emulate_media(media="print")
    shoot(page, "public-paper", alert.removeprefix("/console"))
    page.emulate_media(media="screen")
    shoot(page, "my", "/my")
    shoot(page, "my-areas", "/my/areas")
    scenes.choose(page)
    shoot(page, "my-chosen", "/my")
    shoot(page, "docs", "/docs")
    shoot(page, "accessibility", "/accessibility")
    shoot(page, "scorecard", "/cadence")
    shoot(page, "not-found", "/alerts/none")
    shoot(page, "player", "/screens/player")
    page.get_by_role("button", name="Ghép nối bằng mã").click()
    page.locator("#code").filter(has_text=re.compile(r"\w")).wait_for()
    shoot(page, "player-pairing")


def _house(hanoi: Site, person: Callable[[str], Page], shoot: Callable[..., None]) -> None:
    """The pages beside the story: audit, screens, templates, bodies."""
    kiem, hoa, lan = person("kiem"), person("hoa"), person("lan")
    hoa.goto("/console/screens")
    hoa.get_by_label("Tên màn hình").fill("Bảng chợ Long Biên")
    hoa.get_by_role("button", name="Lắp màn hình", exact=True).click()
    hoa.get_by_text("Nó chỉ hiện một lần").wait_for()
    shoot(hoa, "screen-put-up")
    hanoi.follow()
    shoot(hoa, "screens", "/console/screens")
    shoot(hoa, "dead-letters-none", "/console/dead-letters")
    scenes.delegate(hoa)
    shoot(hoa, "body", "/console/bodies/ubnd-00001")
    shoot(kiem, "audit", "/console/audit")
    shoot(kiem, "as-of", "/console/audit/as-of")
    lan.goto("/console/templates/write/new")
    lan.get_by_label("Tên mẫu").fill("Ngập phố")
    lan.get_by_label("Lĩnh vực").select_option("ngap_ung")
    lan.get_by_label("Ô trống").fill("noi | Nơi ngập | đường Hoa Bằng | 40")
    lan.get_by_label("Tiêu đề", exact=True).fill("Ngập tại {noi}")
    lan.get_by_label("Nội dung", exact=True).fill("Nước đang lên tại {noi}.")
    shoot(lan, "template-write")
    lan.get_by_role("button", name="Lưu mẫu").click()
    lan.wait_for_url(re.compile("/console/templates/[0-9a-f-]{36}$"))
    shoot(lan, "template", _path(lan))
    shoot(lan, "templates", "/console/templates")


def _story(hanoi: Site, person: Callable[[str], Page], shoot: Callable[..., None]) -> str:
    """From an empty form to an update; answers the alert's page."""
    ha, son = person("ha"), person("son")
    shoot(ha, "compose-empty", "/console/compose")
    alert = _put_up(ha, shoot)
    hanoi.follow()
    shoot(son, "home", "/console")
    shoot(son, "review", alert)
    son.get_by_role("button", name="Duyệt và phát ngay").click()
    shoot(son, "review-faults")
    son.get_by_label("Tôi đã đọc hết và hiểu").check()
    son.get_by_role("button", name="Duyệt và phát ngay").click()
    son.wait_for_url("**/live")
    hanoi.follow()
    shoot(son, "live", f"{alert}/live")
    shoot(son, "live-areas", f"{alert}/areas")
    shoot(son, "left-out", f"{alert}/screens")
    scenes.leave_out(son)
    shoot(son, "left-out-one", f"{alert}/screens")
    shoot(son, "cancel", f"{alert}/cancel")
    ha.goto(f"{alert}/live")
    ha.get_by_role("button", name="Cập nhật").click()
    ha.get_by_label("Nội dung", exact=True).fill("Mưa đã ngớt. Hạn chế ra đường ở vùng trũng.")
    shoot(ha, "update")
    ha.get_by_role("button", name="Trình duyệt").click()
    ha.wait_for_url("**/console/alerts/*")
    hanoi.follow()
    shoot(son, "review-update", alert)
    shoot(son, "alerts", "/console/alerts")
    shoot(son, "account", "/console/account")
    shoot(son, "cadence", "/console/cadence")
    shoot(son, "cadence-body", "/console/cadence/ubnd-00001")
    hoa = person("hoa")
    shoot(hoa, "people", "/console/people")
    _let_in(hoa, person, shoot)
    token = hanoi.desk.accounts.invite(f"moi@{CITY}", "hoa", hanoi.now())
    shoot(hoa, "welcome", f"/console/welcome/{token}")
    ha.goto("/console/compose")
    ha.get_by_role("button", name="Trình duyệt").click()
    shoot(ha, "compose-faults")
    ha.context.clear_cookies()
    ha.get_by_label("Tiêu đề", exact=True).fill("Mưa to")
    ha.locator("#ended").wait_for()
    shoot(ha, "compose-ended")
    shoot(person("ly"), "draft-gone", f"/console/drafts/{UUID(int=1)}")
    return alert


def _let_in(hoa: Page, person: Callable[[str], Page], shoot: Callable[..., None]) -> None:
    """A person and a key, by two managers."""
    hoa.get_by_label("Tên tài khoản").first.fill("thu@ubnd-00001")
    hoa.get_by_role("button", name="Mời", exact=True).click()
    shoot(hoa, "people-asked")
    hoa.goto("/console/keys")
    hoa.get_by_label("Tên chương trình").fill("tram-do-mua")
    hoa.get_by_role("button", name="Đề nghị khóa").click()
    shoot(hoa, "keys-asked")
    vinh = person("vinh")
    shoot(vinh, "home-confirm", "/console")
    shoot(vinh, "access", "/console/access")
    vinh.get_by_role("button", name="Xác nhận tram-do-mua").click()
    shoot(vinh, "keys", "/console/keys")
    vinh.goto("/console/access")
    vinh.get_by_role("button", name="Xác nhận thu@ubnd-00001").click()
    shoot(vinh, "access-confirmed")
    shoot(vinh, "account-own", "/console/account")
    vinh.get_by_role("button", name="Tạo 10 mã mới").click()
    shoot(vinh, "account-codes")


def _put_up(page: Page, shoot: Callable[..., None]) -> str:
    page.goto("/console/compose")
    page.get_by_label("Lĩnh vực").select_option("ngap_ung")
    page.get_by_label("Cấp 3").check()
    page.get_by_label("Diễn tập").check()
    page.get_by_label("Mức độ").select_option("Severe")
    page.get_by_label("Tiêu đề", exact=True).fill("Mưa rất to, nguy cơ ngập úng nội thành")
    page.get_by_label("Nội dung", exact=True).fill("Từ 18h đến 23h ngày 21/11, mưa 100\u2013150 mm.")
    page.get_by_label("Người dân cần làm gì").fill("Hạn chế ra đường, không trú dưới cây. Gọi 112 khi cần.")
    page.get_by_label("Quận Ba Đình").check()
    page.get_by_text("Đã lưu nháp").wait_for()
    shoot(page, "compose-exercise", _path(page))
    page.get_by_label("Thật", exact=True).check()
    page.get_by_role("button", name="Trình duyệt").click()
    page.wait_for_url("**/console/alerts/*")
    return _path(page)


def _path(page: Page) -> str:
    return "/" + page.url.partition("//")[2].partition("/")[2]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these alone: screen* my")
    given = parser.parse_args()
    main(given.folder, given.only)
