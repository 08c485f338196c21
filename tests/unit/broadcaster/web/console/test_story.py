"""The whole story by four people without a script: author, approver, the city's author, an auditor."""

from datetime import timedelta

from broadcaster.account import Role
from broadcaster.accounts import codes
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import SECRET, SYSTEM, Town

ALERT = {
    "category": "mua_lon",
    "severity": "Severe",
    "risk_level": "3",
    "headline": "Ngập bãi giữa",
    "description": "Nước sông lên nhanh từ 18 giờ.",
    "areas": ["00001"],
}


def at_next_code(town: Town) -> str:
    town.later(minutes=11)
    return codes.code(SECRET, town.now)


def test_from_draft_to_withdrawal(town: Town) -> None:
    town.catch_up()
    lan = Browser(town).sign_in("lan")
    lan.sees("Việc của tôi", "UBND phường Phúc Xá")
    lan.go("/console/compose").press("Lưu nháp", headline="Ngập bãi")
    lan.sees("Đã lưu nháp")
    lan.press("Trình duyệt")
    assert lan.status == 422
    lan.sees("Cần sửa", "Chưa điền.", "Lĩnh vực", "Mức độ", "Nội dung", "Địa bàn")
    lan.press("Trình duyệt", **ALERT)
    assert lan.status == 200, lan.text
    lan.sees("Chờ duyệt", "Ngập bãi giữa")
    assert "Duyệt và phát ngay" not in lan.text
    alert_path = lan.path
    town.catch_up()

    minh = Browser(town).sign_in("minh")
    minh.sees("Chờ duyệt", "Ngập bãi giữa")
    minh.go(alert_path).press("Duyệt và phát ngay")
    assert minh.status == 422
    minh.sees("Cần đánh dấu xác nhận.")
    minh.press("Trả lại", reason="Thiếu việc cần làm")
    minh.sees("Đang soạn")

    lan.go(alert_path).press("Viết tiếp").press("Trình duyệt", instruction="Chuyển đồ lên cao.")
    assert lan.status == 200, lan.text
    code = at_next_code(town)
    minh.go(alert_path).press("Duyệt và phát ngay", sure=True)
    minh.sees("Cần mã xác thực mới.")
    minh.press("Duyệt và phát ngay", sure=True, code="000000")
    minh.sees("Mã không đúng hoặc đã dùng rồi.")
    minh.press("Duyệt và phát ngay", sure=True, code=code)
    assert minh.status == 200, minh.text
    minh.sees("Đang phát", "Hủy cảnh báo", "Chuyển đồ lên cao.")

    lan.go(f"{alert_path}/live").press("Cập nhật")
    lan.sees("Cập nhật cảnh báo", "CẬP NHẬT: Ngập bãi giữa")
    lan.press("Trình duyệt", description="Nước sông đã đứng.")
    lan.sees("So với bản đang phát", "Nước sông đã đứng.")
    minh.go(alert_path).press("Chỉ duyệt", sure=True).press("Phát ngay", sure=True)
    minh.sees("Số liệu lúc", "Nước sông đã đứng.")

    kiem = Browser(town).sign_in("kiem")
    kiem.go(f"{alert_path}/live").sees("Nước sông đã đứng.")
    assert "Hủy cảnh báo" not in [each.strip() for each in kiem.text.split("·")]
    assert kiem.go(f"{alert_path}/cancel").status == 403

    minh.go(f"{alert_path}/cancel").press("Xem trước", reason="Nước đã rút")
    minh.sees("HỦY: Ngập bãi giữa", "Nước đã rút")
    minh.press("Hủy cảnh báo ngay")
    assert minh.status == 422
    minh.press("Hủy cảnh báo ngay", sure=True, reason="Nước đã rút")
    assert minh.status == 200, minh.text
    minh.sees("Đã hủy.", "Nước đã rút")


def test_who_wrote_it_does_not_approve_it(town: Town) -> None:
    town.setup.grant(SYSTEM, "lan", "ubnd-00001", Role.APPROVER, at=town.now)
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Trình duyệt", **ALERT)
    lan.sees("Bạn đã tham gia soạn bản này; phải có người khác duyệt.")
    path = lan.path
    values = [("csrf", lan.csrf()), ("sure", "1"), ("expected", "2")]
    lan.send(f"{path}/do/approve", values)
    assert lan.status == 422
    lan.sees("Bạn đã tham gia soạn")
    assert [each.rule for each in town.refusals()] == ["approval.four-eyes"]


def test_nobody_approves_a_text_he_has_not_read(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Trình duyệt", **ALERT)
    path = lan.path
    minh = Browser(town).sign_in("minh").go(path)
    other = Browser(town, cookies=dict(minh.cookies)).go(path).press("Trả lại", reason="Sửa")
    assert other.status == 200
    lan.go(path).press("Viết tiếp").press("Trình duyệt", description="Lời khác")
    minh.press("Duyệt và phát ngay", sure=True)
    assert minh.status == 422
    minh.sees("Người khác vừa thay đổi cảnh báo này.", "Lời khác")


def test_an_exercise_looks_like_one(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    assert "mode-exercise" not in lan.answer.text
    lan.press("Lưu nháp", headline="Thử còi", mode="exercise")
    assert "mode-exercise" in lan.answer.text
    lan.sees("Chỉ gửi tới người nhận thử")


def test_what_is_refused_is_said_next_to_its_field(town: Town) -> None:
    tuan = Browser(town).sign_in("tuan").go("/console/compose")
    assert "mat_dien" not in tuan.answer.text
    past = (town.now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    tuan.press("Trình duyệt", **(ALERT | {"areas": ["00049"], "expires": past}))
    assert tuan.status == 422
    tuan.sees("Phải là lúc sắp tới, trong vòng 30 ngày.")
    assert 'id="error-expires"' in tuan.answer.text
    tuan.press("Trình duyệt", expires="", risk_level="")
    tuan.sees("Cảnh báo thiên tai phải có cấp độ")
    assert 'id="error-risk_level"' in tuan.answer.text
