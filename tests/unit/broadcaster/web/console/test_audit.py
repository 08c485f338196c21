"""The audit log: filters, paging, the look at the chain, an instant of the past, and evidence."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from broadcaster.proof import checkpoint
from broadcaster.proof.handing_out import Seals
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
