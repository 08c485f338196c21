"""The audit log: filters, paging, the look at the chain, an instant of the past, and evidence."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from broadcaster.proof import checkpoint
from broadcaster.proof.handing_out import Seals
from broadcaster.web.console.oversight.audit_asked import GROUPS
from schemas.events import TOPICS
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import AT, CITY, PHUC_XA, Town

HEADLINE = {"vi": {"headline": "Ngập bãi giữa", "description": "x"}}


@pytest.fixture(name="kiem")
def _kiem(town: Town) -> Browser:
    return Browser(town).sign_in("kiem")


def rows(browser: Browser) -> list[str]:
    return browser.answer.text.partition("<tbody>")[2].split("<tr>")[1:]


def test_entries_are_filtered_and_paged(town: Town, kiem: Browser) -> None:
    alert_id = town.issue(texts=HEADLINE)
    town.later(minutes=5)
    town.issue(texts={"vi": {"headline": "Giông mạnh", "description": "x"}}, category="giong_loc")
    for number in range(48):
        town.draft(texts={"vi": {"headline": f"Nháp {number}", "description": "x"}})
    town.follow()
    kiem.go("/console/audit").sees("Khớp", "Các dòng từ 1", "Chưa có điểm kiểm nào được ký.", "Cũ hơn")
    assert len(rows(kiem)) == 50
    first = kiem.text
    older = kiem.answer.text.partition('href="/console/audit?&amp;before=')[2].partition('"')[0]
    kiem.go(f"/console/audit?before={older}")
    assert len(rows(kiem)) > 5
    assert "Nháp 47" not in kiem.text
    assert first != kiem.text
    minute = "2024-07-10T09:00"  # Hanoi's clock, and the first alert's minute.
    for query, count in (
        (f"alert={alert_id}", 4),
        (f"alert={alert_id}&account=minh", 1),
        (f"body={PHUC_XA}&topic=alert.issued", 2),
        (f"topic=alert.issued&until={minute}", 1),
        ("topic=alert.issued&since=2024-07-10T09:01", 1),
        ("topic=alert.issued&since=2024-07-10T09:06", 0),
        ("account=nobody", 0),
        ("account=%00&topic=alert.issued", 2),
    ):
        assert kiem.go(f"/console/audit?{query}").status == 200, query
        assert len(rows(kiem)) == count, query
    kiem.sees("Nhật ký")
    assert kiem.go("/console/audit?alert=x").status == 422
    assert kiem.go("/console/audit?since=yesterday").status == 422
    kiem.sees("Ngày giờ chưa đúng.")
    kiem.go("/console/audit?lang=en").sees("Audit trail", "Hash chain")


def test_lines_name_what_they_are_about(town: Town, kiem: Browser) -> None:
    town.issue(texts=HEADLINE)
    town.follow()
    kiem.go("/console/audit?topic=alert.issued").sees("tới 1 địa bàn (Phường Phúc Xá 00001): Ngập bãi giữa")
    kiem.go("/console/audit?topic=role.granted").sees("của UBND phường Phúc Xá (ubnd-00001) cho lan")
    kiem.go("/console/audit?topic=alert.approved").sees(
        "Duyệt bản 1", "Ngập bãi giữa", "UBND phường Phúc Xá"
    )
    with town.pool.connection() as conn:
        row = conn.execute(
            "SELECT summary FROM audit_entries WHERE topic = 'role.granted' LIMIT 1"
        ).fetchone()
    assert row is not None
    assert "UBND" not in row[0]  # The view keeps codes.


def test_a_row_that_is_no_event_any_more_is_told_in_the_views_words(town: Town, kiem: Browser) -> None:
    town.issue(texts=HEADLINE)
    town.follow()
    with town.pool.connection() as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("UPDATE events SET state = '{' WHERE topic = 'alert.issued'")
        conn.execute("SET session_replication_role = origin")
    kiem.go("/console/audit?topic=alert.issued").sees(
        "tới 1 địa bàn: Ngập bãi giữa", "không còn như lúc ghi"
    )


def test_a_question_is_one_filter(town: Town, kiem: Browser) -> None:
    town.issue(texts=HEADLINE)
    town.follow()
    given = rows(kiem.go("/console/audit?topic=rights"))
    assert given
    assert all("role.granted" in each for each in given)
    assert len(rows(kiem.go("/console/audit?topic=alerts"))) == 4
    assert len(rows(kiem.go("/console/audit?topic=alerts&account=minh"))) == 1
    assert rows(kiem.go("/console/audit?topic=handed")) == []
    by_code = rows(kiem.go(f"/console/audit?topic=rights&body={PHUC_XA}"))
    assert 0 < len(by_code) < len(given)
    assert rows(kiem.go("/console/audit?topic=rights&body=ubnd+phuong+PHUC+xa")) == by_code
    assert rows(kiem.go("/console/audit?topic=rights&body=nobody")) == []


def test_every_topic_is_in_one_group() -> None:
    assert sorted(topic for group in GROUPS.values() for topic in group) == sorted(TOPICS)


def test_lines_are_taken_as_a_file_and_that_is_one_too(town: Town, kiem: Browser) -> None:
    alert_id = town.issue(texts={"vi": {"headline": "=1+1", "description": "x"}})
    town.follow()
    query = f"alert={alert_id}&topic=alerts"
    assert kiem.go(f"/console/audit/export.csv?{query}").status == 200
    table = list(csv.DictReader(io.StringIO(kiem.answer.content.decode("utf-8-sig"))))
    assert [each["topic"] for each in table] == [
        "alert.issued",
        "alert.approved",
        "alert.submitted",
        "alert.drafted",
    ]
    assert table[0]["headline"] == "'=1+1"
    assert table[1]["body_name"] == "UBND phường Phúc Xá"
    assert "Phường Phúc Xá 00001" in table[0]["summary"]
    taken = list(town.log.everything())[-1].event
    assert (taken.TOPIC, taken.by.account, taken.by.body) == ("export.made", "kiem", CITY)
    told = kiem.go(f"/console/audit/export.json?{query}").answer.json()
    assert (told["whole"], len(told["lines"]), told["upto"]) == (True, 4, town.log.head() - 1)
    assert told["filters"] == {"alert": alert_id, "topic": "alerts"}
    assert told["lines"][0]["headline"] == "=1+1"
    town.follow()
    kiem.go("/console/audit?topic=handed").sees("Xuất các dòng nhật ký ra tệp csv, alert", "ra tệp json")
    assert len(rows(kiem)) == 2
    head = town.log.head()
    for path in ("export.xlsx", "export.csv?alert=x"):
        kiem.go(f"/console/audit/{path}")
    Browser(town).sign_in("hoa").go("/console/audit/export.csv")
    assert [each.event.TOPIC for each in town.log.everything()][head:] in ([], ["attempt.refused"])


def test_a_changed_row_is_shown(town: Town, kiem: Browser) -> None:
    town.issue()
    kiem.go("/console/audit").sees("đúng như lúc ghi")
    with town.pool.connection() as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("UPDATE events SET state = state || ' '::bytea WHERE position = 9")
        conn.execute("SET session_replication_role = origin")
    kiem.go("/console/audit").sees("Dòng 9 không còn như lúc ghi")


def test_the_last_checkpoint_is_held_against_the_log(town: Town, tmp_path: Path) -> None:
    seals = Seals("town.test", tmp_path / "key.pem", tmp_path / "points.jsonl")
    town.seals = seals
    town.open()
    kiem = Browser(town).sign_in("kiem")
    key = checkpoint.make_key(seals.key_path)
    checkpoint.notarise(town.log, key, seals.origin, seals.file, town.now)
    kiem.go("/console/audit").sees("Điểm kiểm cuối: dòng")
    checkpoint.append(seals.file, checkpoint.sign(key, seals.origin, 3, bytes(32), town.now))
    kiem.go("/console/audit").sees("không khớp điểm kiểm ở dòng 3")
    seals.file.unlink()
    seals.file.mkdir()
    kiem.go("/console/audit").sees("Không đọc được tệp điểm kiểm")


def test_what_stood_then(town: Town) -> None:
    alert_id = town.issue(texts=HEADLINE)
    town.later(minutes=31)
    kiem = Browser(town).sign_in("kiem")
    at = "2024-07-10T09:30"
    kiem.go(f"/console/audit/as-of?at={at}").sees("1 cảnh báo", "Ngập bãi giữa", "duyệt minh", "Đang phát")
    kiem.sees("Phường Phúc Xá (00001)", "Căn cứ", "theo thẩm quyền", "mọi dòng về cảnh báo này")
    kiem.go("/console/audit/as-of?at=2024-07-10T08:30").sees("0 cảnh báo")
    kiem.go(f"/console/audit/as-of?at={at}&alert={alert_id}").sees("Ngập bãi giữa")
    for bad in ("at=2024-07-11T09:30", "at=x", f"at={at}&alert=x"):
        assert kiem.go(f"/console/audit/as-of?{bad}").status == 422, bad


def test_evidence_is_handed_out_and_recorded(town: Town, tmp_path: Path) -> None:
    town.seals = Seals("town.test", tmp_path / "key.pem", tmp_path / "points.jsonl")
    town.open()
    kiem = Browser(town).sign_in("kiem")
    alert_id = town.issue()
    kiem.go("/console/audit/as-of").sees("Máy này không giữ khóa ký")
    checkpoint.make_key(tmp_path / "key.pem")
    kiem.press("Lấy bằng chứng", alert=alert_id)
    assert kiem.answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(kiem.answer.content)) as bundle:
        assert json.loads(bundle.read("manifest.json"))["alert_id"] == alert_id
        assert "checkpoint.json" in bundle.namelist()
    event = list(town.log.everything())[-1].event
    assert (event.TOPIC, event.by.account, event.by.body) == ("evidence.exported", "kiem", CITY)
    head = town.log.head()
    for given in ("", "x", "00000000-0000-0000-0000-000000000000"):
        kiem.go("/console/audit/as-of").press("Lấy bằng chứng", alert=given)
        assert kiem.status == 422, given
    town.later(minutes=11)
    kiem.go("/console/audit/as-of").press("Lấy bằng chứng", alert=alert_id, code="")
    kiem.sees("Cần mã xác thực mới.")
    assert town.log.head() == head


def test_without_checkpoints_there_is_no_evidence(town: Town, kiem: Browser) -> None:
    alert_id = town.issue()
    kiem.go("/console/audit/as-of").press("Lấy bằng chứng", alert=alert_id)
    kiem.sees("Máy này không có điểm kiểm dùng được")


def test_only_auditors_read_it(town: Town) -> None:
    hoa = Browser(town).sign_in("hoa")
    assert "/console/audit" not in hoa.answer.text
    for path in ("/console/audit", "/console/audit/as-of", f"/console/audit?since={AT:%Y-%m-%dT%H:%M}"):
        assert hoa.go(path).status == 403
    values = [("csrf", hoa.go("/console/people").csrf()), ("alert", town.issue())]
    assert hoa.send("/console/audit/evidence", values).status == 403
