"""The map of recipients says what the register knows, and what it does not."""

from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import Town


def test_the_map_and_its_table(town: Town) -> None:
    page = Browser(town).sign_in("lan").go("/console/reach")
    page.sees(
        "Phường Phúc Xá",
        "Phường Trúc Bạch",
        "Danh mục địa bàn 2020-03-01 không có số dân",
        "2 xã, phường chưa có tọa độ",
    )
    assert page.answer.text.count("<circle") == 1 + 5
