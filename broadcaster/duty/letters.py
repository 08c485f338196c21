"""Notices as mail, in Vietnamese: plain text and HTML. The Message-ID is the reminder's id."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from uuid import UUID

from projections.cadence.rule import State
from projections.cadence.view import BodyCadence
from schemas.events import Notice, ReminderDue
from schemas.local_time import HANOI

_SUBJECTS = {
    Notice.DAY_BEFORE: "Còn 24 giờ để đưa tin: {name}",
    Notice.HOURS_BEFORE: "Còn 6 giờ để đưa tin: {name}",
    Notice.OVERDUE: "Quá hạn đưa tin: {name}",
    Notice.ESCALATED: "Quá hạn đưa tin thêm một ngày: {name}",
    Notice.DIGEST: "Tổng hợp nhịp đưa tin ngày {day}",
    Notice.ASKED: "Nhắc đưa tin: {name}",
}
_BODIES = {
    Notice.DAY_BEFORE: "{name} phải đưa tin chậm nhất {by}. Từ đầu kỳ đến nay chưa có tin nào được tính.",
    Notice.HOURS_BEFORE: "{name} phải đưa tin chậm nhất {by}, còn dưới 6 giờ.",
    Notice.OVERDUE: "{name} quá hạn đưa tin từ {due}.",
    Notice.ESCALATED: "{name} quá hạn đưa tin từ {due}, đã quá một ngày mà chưa có tin.",
    Notice.DIGEST: "Các cơ quan quá hạn hoặc sắp đến hạn đưa tin:",
    Notice.ASKED: "Cấp trên nhắc {name} đưa tin, ngày {day}.",
}
_DUTY = "Điện 05/CĐ-UBND yêu cầu thông tin, cảnh báo thường xuyên, tối thiểu 03 ngày 01 tin."
_HOW = "Nếu không có gì mới: trang Mẫu tin, nút “Soạn bản tin không có gì mới”."
_STATES = {State.OVERDUE: "quá hạn từ", State.DUE_SOON: "hạn"}


def letter(
    reminder: UUID,
    notice: ReminderDue,
    decided_at: datetime,
    *,
    sender: str,
    names: Mapping[str, str],
    bodies: Sequence[BodyCadence] = (),
) -> bytes:
    """The mail's octets. `bodies` are those that a digest is about; `names` are those of bodies by id.

    It says what the log said at `decided_at`, and says so: a mail server may have been down since.
    """
    name = _shown(names.get(notice.about or "", notice.about or ""))
    known = {
        "name": name,
        "due": _clock(notice.due_at),
        "by": _by(notice.due_at),
        "day": f"{notice.due_at.astimezone(HANOI):%d/%m/%Y}",
    }
    lines = [_BODIES[notice.notice].format_map(known)]
    listed = [_listed(body) for body in bodies if body.state in _STATES]
    closing = [_DUTY]
    if notice.notice is not Notice.DIGEST and notice.recipient == notice.about:
        closing.append(_HOW)
    closing.append(f"Theo nhật ký của hệ thống lúc {_clock(decided_at)}.")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = "undisclosed-recipients:;"
    mail["Subject"] = _SUBJECTS[notice.notice].format_map(known)
    mail["Date"] = format_datetime(decided_at)
    mail["Message-ID"] = message_id(reminder, sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(lines, listed, closing), charset="utf-8", cte="base64")
    mail.add_alternative(_html(lines, listed, closing), subtype="html", charset="utf-8", cte="base64")
    mail.set_boundary(f"=_{reminder.hex}")
    return mail.as_bytes()


def message_id(reminder: UUID, sender: str) -> str:
    """RFC 5322 §3.6.4: the same at every try."""
    return f"<{reminder}@{sender.partition('@')[2]}>"


def _listed(body: BodyCadence) -> str:
    if body.overdue_since:
        told = _clock(body.overdue_since)
    else:
        told = "" if body.due_at is None else _by(body.due_at)
    return f"{_shown(body.name)}: {_STATES[body.state]} {told}"


def _shown(name: str) -> str:
    """A name as a header may hold it: what is no character of a line is a space.

    One name with a NUL or half a character would have its mail refused, or the whole round end on it.
    """
    return " ".join("".join(each if each.isprintable() else " " for each in name).split())


def _text(lines: list[str], listed: list[str], closing: list[str]) -> str:
    return "\n".join([*lines, *(f"- {one}" for one in listed), "", *closing]) + "\n"


def _html(lines: list[str], listed: list[str], closing: list[str]) -> str:
    rows = "".join(f"<li>{escape(one)}</li>" for one in listed)
    said = "".join(f"<p>{escape(one)}</p>" for one in lines)
    end = "".join(f"<p>{escape(one)}</p>" for one in closing)
    listing = f"<ul>{rows}</ul>" if rows else ""
    return f'<!doctype html><html lang="vi"><body>{said}{listing}{end}</body></html>\n'


def _by(at: datetime) -> str:
    """A deadline. Midnight is said by the day that ends with it: by the next it is read as a day more."""
    local = at.astimezone(HANOI)
    if local.time() == time():
        return f"hết ngày {local - timedelta(days=1):%d/%m/%Y}"
    return f"lúc {_clock(at)}"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(HANOI):%H:%M %d/%m/%Y}"
