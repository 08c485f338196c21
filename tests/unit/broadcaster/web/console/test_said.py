"""Pages say words where the log holds codes, in the language of who reads."""

from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import Town

CODES = ("Severe", "Extreme", "ngap_ung", "mua_lon", "00001", "ubnd-00001", "T09:00")


def test_what_an_update_changes_is_said_in_words(town: Town) -> None:
    alert_id = town.issue()
    town.catch_up()
    lan = Browser(town).sign_in("lan").go(f"/console/alerts/{alert_id}/live").press("Cập nhật")
    lan.press(
        "Trình duyệt",
        severity="Minor",
        category="ngap_ung",
        expires="2024-07-11T09:00",
        description="Đã ngớt.",
    )
    assert lan.status == 200, lan.text
    changes = lan.text.partition("So với bản đang phát")[2].partition("Cơ quan phát")[0]
    for word in ("Nhẹ", "Ngập úng đô thị", "09:00, 11/07/2024"):
        assert word in changes, changes
    assert not [code for code in (*CODES, "Minor") if code in changes]


def test_two_texts_are_set_beside_each_other_in_words(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", headline="Một")
    other = Browser(town, cookies=dict(lan.cookies)).go(lan.path)
    other.press("Lưu nháp", severity="Extreme", category="ngap_ung", areas=["00001"])
    lan.press("Lưu nháp", severity="Severe", expires="2024-07-11T09:00")
    assert lan.status == 409
    lan.sees("Cực kỳ nghiêm trọng", "Nghiêm trọng", "Ngập úng đô thị", "Phúc Xá", "09:00, 11/07/2024")
    assert not [code for code in CODES if code in lan.text]


def test_subjects_are_english_for_who_reads_english(town: Town) -> None:
    alert_id = town.issue()
    town.catch_up()
    lan = Browser(town).sign_in("lan").go("/console/compose?lang=en")
    lan.sees("Urban flooding")
    assert "Ngập úng đô thị" not in lan.text
    for path in ("/console/alerts", f"/console/alerts/{alert_id}/live", "/console/templates/write/new"):
        lan.go(path).sees("Heavy rain")


def test_an_account_s_past_names_its_bodies(town: Town) -> None:
    town.catch_up()
    lan = Browser(town).sign_in("lan").go("/console/account")
    lan.sees("UBND phường Phúc Xá (ubnd-00001)")
