"""Drafts: saved as they stand, never overwritten unseen, put up once."""

from uuid import uuid4

import pytest

from broadcaster.drafting.drafts import MOST, DraftConflictError, DraftsFullError
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.console.test_story import ALERT
from tests.unit.broadcaster.web.town import PHUC_XA, Town


def test_a_draft_is_saved_while_it_is_typed(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    csrf, path = lan.csrf(), f"/console/drafts/{uuid4()}"
    first = lan.send(
        f"{path}/autosave", [("csrf", csrf), ("body", PHUC_XA), ("headline", "Mưa")], If_Match='"0"'
    )
    assert (first.status, first.answer.headers["etag"]) == (200, '"1"')
    first.sees("Mưa", "UCS-2", "GSM-7")
    values = [("csrf", csrf), ("body", PHUC_XA), ("headline", "Mưa \u2013 to")]
    second = lan.send(f"{path}/autosave", values, If_Match='"1"')
    assert second.answer.headers["etag"] == '"2"'
    second.sees("Ký tự làm tin dài hơn: “\u2013”")
    assert lan.send(f"{path}/autosave", values, If_Match='"1"').answer.headers["etag"] == '"2"'
    stale = lan.send(f"{path}/autosave", [*values, ("description", "x")], If_Match='"1"')
    assert stale.status == 412
    assert lan.send(f"{path}/autosave", values).status == 428
    assert lan.go(path).answer.text.count("Mưa \u2013 to") >= 2


def test_an_empty_form_is_not_kept(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    values = [("csrf", lan.csrf()), ("body", PHUC_XA), ("kind", "alert")]
    answer = lan.send(f"/console/drafts/{uuid4()}/autosave", values, If_Match='"0"')
    assert answer.answer.headers["etag"] == '"0"'
    assert town.drafts.of([PHUC_XA]) == []


def test_a_conflict_shows_both_and_loses_neither(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", headline="Một")
    other = Browser(town, cookies=dict(lan.cookies)).go(lan.path)
    other.press("Lưu nháp", headline="Hai", description="Dòng một\nDòng hai")
    lan.press("Lưu nháp", headline="Ba")
    assert lan.status == 409
    lan.sees("Bản của bạn", "Ba", "Hai", "Dòng hai")
    lan.press("Dùng bản của tôi")
    assert lan.status == 200
    said = {draft.one("headline"): draft for draft in town.drafts.of([PHUC_XA])}
    assert set(said) == {"Ba", "Hai"}
    assert said["Hai"].one("description") == "Dòng một\nDòng hai"


def test_a_draft_is_put_up_once(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", headline="x")
    again = Browser(town, cookies=dict(lan.cookies)).go(lan.path)
    lan.press("Trình duyệt", **ALERT)
    assert lan.status == 200
    again.press("Trình duyệt", **ALERT)
    assert again.status in {200, 404}
    drafted = [one for one in town.log.everything() if one.event.TOPIC == "alert.drafted"]
    assert len(drafted) == 1
    assert town.drafts.of([PHUC_XA]) == []


TOO_DEAR = "Tin nhắn dài quá mức cho phép; hãy viết ngắn hơn, hoặc bỏ các ký tự làm tin dài thêm"
LONG = "Nước sông lên nhanh, bà con các tổ dân phố ven sông khẩn trương đưa người và của lên cao " * 2


def test_what_is_refused_goes_on_as_one_alert(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    lan.press("Trình duyệt", **(ALERT | {"headline": LONG[:140]}))
    assert lan.status == 422
    lan.sees("Lời riêng cho màn hình", "Bảng nhỏ nhất không hiện hết tiêu đề")
    assert "texts.vi" not in lan.text
    lan.press("Trình duyệt", sign_text="Nghiêng " * 8)
    assert lan.status == 422
    lan.sees("Bảng nhỏ nhất không hiện hết lời này")
    town.catch_up()
    home = Browser(town, cookies=dict(lan.cookies)).go("/console")
    home.sees("Bản nháp")
    assert "Cần viết tiếp" not in home.text
    lan.press("Trình duyệt", sign_text="Nước lên nhanh")
    assert lan.status == 200, lan.text
    told = [one.event.TOPIC for one in town.log.everything() if one.event.TOPIC.startswith("alert.")]
    assert told == ["alert.drafted", "alert.revised", "alert.revised", "alert.submitted"]
    assert town.drafts.of([PHUC_XA]) == []


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"sign_text": "Nước lên 🌀"}, "Lời riêng cho màn hình", "Bảng điện tử không hiện được: 🌀"),
        ({"sms_text": "Ngập sâu " * 30}, "Lời riêng cho tin nhắn", f"{TOO_DEAR}: ậ â"),
        ({"description": str(ALERT["headline"])}, "Nội dung", "Nhắc lại nguyên tiêu đề"),
        ({"instruction": "Lên <b>cao</b>"}, "Người dân cần làm gì", "Có mã HTML"),
    ],
)
def test_what_no_channel_takes_is_said_at_its_field(
    town: Town, said: dict[str, str], field: str, words: str
) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Trình duyệt", **(ALERT | said))
    assert lan.status == 422
    lan.sees(f"{field}: {words}")
    assert "texts.vi" not in lan.text


def test_a_draft_that_is_gone_says_so_and_keeps_the_words(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", headline="x")
    late = Browser(town, cookies=dict(lan.cookies)).go(lan.path)
    lan.press("Trình duyệt", **ALERT)
    late.press("Lưu nháp", description="Chữ của tôi")
    assert late.status == 404
    late.sees("Bản nháp không còn", "Chữ của tôi")
    late.go(f"/console/drafts/{uuid4()}").sees("đã được trình duyệt, hoặc đã bỏ")


def test_a_page_from_before_it_was_put_up_begins_no_second_alert(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    page = lan.answer
    lan.press("Trình duyệt", **ALERT)
    path = lan.path
    for words in ("Nước sông lên nhanh từ 18 giờ.", "Chữ của tôi"):
        # The answer was lost and the form comes again; or she went back, changed it and pressed.
        for button in ("Trình duyệt", "Lưu nháp"):
            lan.answer = page
            lan.press(button, **(ALERT | {"description": words}))
            if (button, words) == ("Trình duyệt", ALERT["description"]):
                assert (lan.status, lan.path) == (200, path), "the answer that was lost comes again"
                continue
            assert lan.status == 404
            lan.sees("Bản nháp không còn", words)
            assert f'href="{path}"' in lan.answer.text
    drafted = [one for one in town.log.everything() if one.event.TOPIC == "alert.drafted"]
    assert (len(drafted), town.drafts.of([PHUC_XA])) == (1, [])
    town.later(days=61)
    town.drafts.save(uuid4(), PHUC_XA, {"headline": ["x"]}, expected=0, by="lan", at=town.now)
    with town.pool.connection() as conn:
        assert conn.execute("SELECT * FROM drafts_gone").fetchall() == []


def test_the_other_text_is_kept_once_and_only_where_there_is_room(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", headline="Một")
    other = Browser(town, cookies=dict(lan.cookies)).go(lan.path)
    other.press("Lưu nháp", headline="Hai")
    lan.press("Lưu nháp", headline="Ba")
    page = lan.answer
    for _ in range(2):  # Pressed twice.
        lan.answer = page
        lan.press("Dùng bản của tôi")
    assert sorted(each.one("headline") for each in town.drafts.of([PHUC_XA])) == ["Ba", "Hai"]
    other.press("Lưu nháp", headline="Bốn")
    for number in range(MOST - 2):
        town.drafts.save(uuid4(), PHUC_XA, {"x": [str(number)]}, expected=0, by="lan", at=town.now)
    other.press("Dùng bản của tôi")
    assert other.status == 422
    other.sees("Cơ quan có quá nhiều bản nháp")
    assert 'value="Bốn"' in other.answer.text
    # Nor does the next press write over the other's unseen.
    assert other.press("Lưu nháp").status == 409


def test_what_is_claimed_is_not_claimed_twice(town: Town) -> None:
    draft_id = uuid4()
    town.drafts.save(draft_id, PHUC_XA, {"headline": ["x"]}, expected=0, by="lan", at=town.now)
    assert town.drafts.claim(draft_id, 1, town.now)
    assert not town.drafts.claim(draft_id, 1, town.now)
    town.drafts.release(draft_id)
    assert town.drafts.claim(draft_id, 1, town.now)


def test_a_list_of_names_is_pasted(town: Town) -> None:
    author = Browser(town).sign_in("city-author").go("/console/compose")
    author.press("Thêm vào địa bàn", headline="x", paste="phuc xa\nQuận Hoàn Kiếm, Hàng Bạc\nHàng Gai")
    assert author.status == 422
    author.sees("Có tên không tìm thấy, hoặc trùng nhiều nơi.", "Hàng Gai")
    draft = town.drafts.of(["ubnd-tp"])[0]
    assert draft.fields["areas"] == ["00001", "002"]
    author.press("Bỏ chọn tất cả", paste="")
    author.sees("Chưa chọn nơi nào.")


def test_a_draft_is_thrown_away_only_as_it_was_seen(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", headline="x")
    other = Browser(town, cookies=dict(lan.cookies)).go(lan.path).press("Lưu nháp", headline="y")
    path = lan.path
    lan.press("Bỏ hẳn, không giữ lại")
    assert lan.path == path
    other.press("Bỏ hẳn, không giữ lại")
    assert other.path == "/console"
    assert town.drafts.of([PHUC_XA]) == []


def test_a_body_has_room_for_so_many(town: Town) -> None:
    for number in range(MOST):
        fields = {"headline": [str(number)]}
        town.drafts.save(uuid4(), PHUC_XA, fields, expected=0, by="lan", at=town.now)
    with pytest.raises(DraftsFullError):
        town.drafts.save(uuid4(), PHUC_XA, {"headline": ["x"]}, expected=0, by="lan", at=town.now)
    town.later(days=61)
    kept = town.drafts.save(uuid4(), PHUC_XA, {"headline": ["x"]}, expected=0, by="lan", at=town.now)
    assert town.drafts.of([PHUC_XA]) == [kept]
    with pytest.raises(DraftConflictError):
        town.drafts.save(kept.id, PHUC_XA, {"headline": ["z"]}, expected=5, by="lan", at=town.now)
