"""Templates and saved areas: written, approved by another, used for a draft, taken out of use."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from broadcaster.template import Template
from schemas.events import AlertDrafted, AreaSetSaved
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import CITY, HANG_BAC, PHUC_XA, Town

TEXT = {
    "name": "Ngập phố",
    "purpose": "draft",
    "kind": "alert",
    "category": "mua_lon",
    "severity": "Severe",
    "urgency": "Expected",
    "certainty": "Likely",
    "risk_level": "2",
    "lifetime_hours": "6",
    "gaps": "noi | Nơi ngập | đường Hoa Bằng | 40",
    "headline": "Ngập tại {noi}",
    "description": "Nước đang lên tại {noi}.",
    "headline_en": "Flood at {noi}",
    "description_en": "Water rises at {noi}.",
}


@pytest.fixture(name="lan")
def _lan(town: Town) -> Browser:
    return Browser(town).sign_in("lan")


def write(lan: Browser, **changes: str) -> Browser:
    return lan.go("/console/templates/write/new").press("Lưu mẫu", **(TEXT | changes))


def template(town: Town, browser: Browser) -> Template:
    return town.office.template(UUID(browser.path.rpartition("/")[2]))


def sent(town: Town) -> Sequence[str]:
    return [each.event.TOPIC for each in town.log.everything() if "template" in each.event.TOPIC]


def test_a_template_from_first_word_to_last(town: Town, lan: Browser) -> None:
    write(lan).sees("Ngập phố", "Chưa duyệt", "Bản 1, lan lưu", "Flood at {noi}")
    path, first = lan.path, template(town, lan)
    assert (first.issuer_id, first.latest.body.lifetime_hours) == (PHUC_XA, 6)
    assert "Duyệt mẫu" not in lan.text
    lan.press("Lưu bản mới", description="Nước đang lên nhanh tại {noi}.")
    lan.sees("Bản 2, lan lưu", "Các bản trước", "Nước đang lên nhanh")
    minh = Browser(town).sign_in("minh").go(path).press("Duyệt mẫu")
    minh.sees("minh duyệt", "Đã duyệt")
    lan.go(path).press("Điền và soạn tiếp", **{"gap-noi": "đường Hoa Bằng"})
    assert lan.path.startswith("/console/drafts/")
    assert 'value="Ngập tại đường Hoa Bằng"' in lan.answer.text
    (draft,) = town.drafts.of([PHUC_XA])
    assert draft.one("headline_en") == "Flood at đường Hoa Bằng"
    assert (draft.one("severity"), draft.one("expires"), "areas" in draft.fields) == (
        "Severe",
        "2024-07-10T15:00",
        False,
    )
    minh.press("Ngừng dùng mẫu")
    minh.sees("Đã bỏ")
    assert "Dùng mẫu này" not in lan.go(path).text
    lan.go("/console/templates?lang=en").sees("Retired templates (1)")


def test_a_correction_too_long_for_a_phone_says_so_to_its_approver(town: Town, lan: Browser) -> None:
    write(
        lan,
        purpose="correction",
        gaps="",
        headline_en="",
        description_en="",
        headline="Đính chính",
        description="x",
        sms_text="Tin nhầm. " * 30,
    )
    path = lan.path
    minh = Browser(town).sign_in("minh").go(path).press("Duyệt mẫu")
    assert minh.status == 422
    minh.sees("Tin nhắn dài quá mức cho phép", "bỏ các ký tự làm tin dài thêm: ầ")
    assert sent(town) == ["template.saved"]


def test_what_is_wrong_is_said_and_nothing_saved(town: Town, lan: Browser) -> None:
    for wrong, words in (
        ({"name": ""}, "Chưa điền."),
        ({"headline": ""}, "Chưa điền."),
        ({"gaps": ""}, "Mỗi ô trống có trong lời"),
        ({"gaps": "noi"}, "Mỗi dòng: tên"),
        ({"gaps": "Nơi | Nơi | | 9"}, "Mỗi dòng: tên"),
        ({"lifetime_hours": "x"}, "Có ký tự"),
        ({"lifetime_hours": "719", "category": "mua_lon"}, "Phải là lúc sắp tới"),
        ({"category": "none"}, "Không có lĩnh vực này."),
        ({"category": ""}, "Chưa điền."),
        ({"headline": "x" * 201 + "{noi}"}, "Dài quá 200 ký tự."),
    ):
        lan.go("/console/templates/write/new")
        values = [("csrf", lan.csrf()), ("body", PHUC_XA), *(TEXT | wrong).items()]
        lan.send("/console/templates/write/new", values)
        assert lan.status == 422, wrong
        lan.sees(words)
    assert sent(town) == []


def test_a_gap_left_open_is_refused(town: Town, lan: Browser) -> None:
    write(lan)
    values = [("csrf", lan.csrf()), ("body", PHUC_XA), ("gap-noi", "")]
    assert lan.send(f"{lan.path}/use", values).status == 422
    lan.sees("Chưa điền.")
    values[-1] = ("gap-noi", "x" * 41)
    assert lan.send(lan.path, values).status == 422
    lan.sees("Dài quá 40 ký tự.")
    assert town.drafts.of([PHUC_XA]) == []


def test_two_who_write_at_once(town: Town, lan: Browser) -> None:
    path = write(lan).path
    town.later(seconds=30)
    hoa = Browser(town).sign_in("hoa").go(path)
    lan.press("Lưu bản mới", name="Ngập phố 2")
    hoa.press("Lưu bản mới", name="Ngập phố 3", description="Của hoa {noi}")
    assert hoa.status == 422
    hoa.sees("Người khác vừa thay đổi.", "Của hoa {noi}")
    minh = Browser(town).sign_in("minh").go(path)
    lan.press("Lưu bản mới", name="Ngập phố 4")
    assert minh.press("Duyệt mẫu").status == 422
    assert sent(town) == ["template.saved"] * 3


def test_the_city_s_are_read_below_and_not_changed(town: Town, lan: Browser) -> None:
    author = Browser(town).sign_in("city-author")
    write(author)
    path = author.path
    lan.go("/console/templates").sees("Ngập phố", "UBND thành phố Hà Nội")
    lan.go(path).sees("Dùng mẫu này")
    assert "Viết bản mới" not in lan.text
    values = [("csrf", lan.csrf()), ("version", "1"), *TEXT.items()]
    assert lan.send(path, values).status == 403
    assert lan.send(f"{path}/retire", values).status == 403
    assert lan.send(f"{path}/approve", [*values, ("number", "1")]).status == 403
    mine = write(lan).path
    assert Browser(town).sign_in("tuan").go(mine).status == 404
    values = [("csrf", lan.csrf()), ("body", CITY), *TEXT.items()]
    assert lan.send("/console/templates/write/new", values).status == 403
    assert lan.go(f"/console/templates/{uuid4()}").status == 404


def test_nothing_to_report_in_one_press(town: Town, lan: Browser) -> None:
    lan.go("/console/templates").press("Soạn bản tin không có gì mới")
    assert lan.status == 422
    write(lan, purpose="nothing_to_report", kind="bulletin", risk_level="", category="an_ninh", gaps="")
    author = Browser(town).sign_in("city-author")
    write(
        author,
        purpose="nothing_to_report",
        kind="bulletin",
        gaps="don_vi | Đơn vị | | 160",
        headline="{don_vi}: không có gì mới",
        description="Bình thường.",
        headline_en="",
        description_en="",
    )
    lan.go("/console/templates")
    values = [("csrf", lan.csrf()), ("nonce", "n"), ("body", PHUC_XA)]
    lan.send("/console/templates/nothing-to-report", values).sees("UBND phường Phúc Xá: không có gì mới")
    lan.send("/console/templates/nothing-to-report", values)
    (event,) = [e.event for e in town.log.everything() if isinstance(e.event, AlertDrafted)]
    assert event.content.areas == ("00001",)
    values = [("csrf", lan.csrf()), ("nonce", "m"), ("body", HANG_BAC)]
    assert lan.send("/console/templates/nothing-to-report", values).status == 403


def test_saved_areas(town: Town, lan: Browser) -> None:
    lan.go("/console/templates").press("Lưu địa bàn mới", name="Ven sông", areas="phuc xa\nKhông đâu")
    assert lan.status == 422
    lan.sees("Có tên không tìm thấy", "Không đâu")
    lan.press("Lưu địa bàn mới", name="Ven sông", areas="phuc xa\nPhường Trúc Bạch")
    lan.sees("Ven sông (2)")
    lan.press("Lưu địa bàn", name="Ven sông", areas="phuc xa")
    lan.sees("Ven sông (1)")
    (one,) = [e.event for e in town.log.everything() if isinstance(e.event, AreaSetSaved)][1:]
    assert one.areas == ("00001",)
    path = write(lan).path
    lan.go(path).press("Điền và soạn tiếp", **{"gap-noi": "x", "area_set": str(one.originator_id)})
    assert town.drafts.of([PHUC_XA])[0].fields["areas"] == ["00001"]
    values = [("csrf", lan.csrf()), ("version", "2"), ("do", "retire")]
    tuan = Browser(town).sign_in("tuan").go("/console/templates")
    assert "Ven sông" not in tuan.text
    other = [("csrf", tuan.csrf()), *values[1:]]
    assert tuan.send(f"/console/area-sets/{one.originator_id}", other).status == 404
    lan.send(f"/console/area-sets/{one.originator_id}", values).sees("Chưa lưu địa bàn nào.")


def test_a_form_that_comes_twice_makes_one(town: Town, lan: Browser) -> None:
    page = lan.go("/console/templates/write/new").answer
    paths = set[str]()
    for _ in range(2):
        lan.answer = page
        paths.add(lan.press("Lưu mẫu", **TEXT).path)
    assert len(paths) == 1
    page, path = lan.answer, lan.path
    for is_first in (True, False):
        lan.answer = page
        lan.press("Điền và soạn tiếp", **{"gap-noi": "phố Huế"})
        paths.add(lan.path)
        if is_first:
            lan.press("Lưu nháp", headline="Chữ của tôi")
        town.later(minutes=1)
    assert len(paths) == 2
    (draft,) = town.drafts.of([PHUC_XA])
    assert draft.one("headline") == "Chữ của tôi"
    lan.go(path).press("Điền và soạn tiếp", **{"gap-noi": "phố Huế"})
    assert len(town.drafts.of([PHUC_XA])) == 2
    city = Browser(town).sign_in("city-author").go("/console/templates")
    page = city.answer
    for _ in range(2):
        city.answer = page
        city.press("Lưu địa bàn mới", name="Ven sông", areas="Phường Phúc Xá")
    saved = [one for one in town.log.everything() if isinstance(one.event, AreaSetSaved)]
    assert len(saved) == 1
