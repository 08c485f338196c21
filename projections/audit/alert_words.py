"""What happened to an alert, in words."""

from uuid import UUID

from projections.audit.line import Words, areas
from projections.audit.naming import Names
from schemas.content import MsgType
from schemas.events import (
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertEvent,
    AlertExpired,
    AlertIssued,
    AlertPreApproved,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertScheduled,
    AlertSubmitted,
    AlertUnscheduled,
    AlertUpdateProposed,
)
from schemas.local_time import HANOI


def describe_alert(event: AlertEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case AlertDrafted(content=content):
            title = content.text("vi").headline
            words = Words(f"Soạn: {title}", f"Drafted: {title}")
        case AlertRevised(version=version, content=content):
            title = content.text("vi").headline
            words = Words(f"Sửa bản {version}: {title}", f"Revised version {version}: {title}")
        case AlertSubmitted() | AlertReturned() | AlertRejected() | AlertApproved():
            words = _reviewed(event, say)
        case AlertPreApproved(version=version, approved_by=approver):
            words = Words(
                f"Phiên bản {version} theo mẫu đính chính do {approver} duyệt trước",
                f"Version {version} is a correcting text approved beforehand by {approver}",
            )
        case AlertScheduled() | AlertUnscheduled():
            words = _scheduled(event)
        case AlertIssued():
            words = _issued(event, say)
        case AlertUpdateProposed(version=version, content=content):
            title = content.text("vi").headline
            words = Words(f"Đề xuất bản {version}: {title}", f"Proposed version {version}: {title}")
        case AlertCancelled(reason=reason, in_error=in_error):
            words = Words(
                f"Hủy{' (phát nhầm)' if in_error else ''}: {reason}",
                f"Cancelled{' (issued in error)' if in_error else ''}: {reason}",
            )
        case AlertExpired(version=version):
            words = Words(f"Bản {version} hết hiệu lực", f"Version {version} expired")
    return words


def _reviewed(event: AlertSubmitted | AlertReturned | AlertRejected | AlertApproved, say: Names) -> Words:
    match event:
        case AlertSubmitted(version=version, delegation_id=given):
            vi, en = _right(given, say)
            words = Words(f"Trình duyệt bản {version}{vi}", f"Submitted version {version}{en}")
        case AlertReturned(version=version, reason=reason):
            words = Words(f"Trả lại bản {version}: {reason}", f"Returned version {version}: {reason}")
        case AlertRejected(version=version, reason=reason):
            words = Words(f"Từ chối bản {version}: {reason}", f"Rejected version {version}: {reason}")
        case AlertApproved(version=version):
            words = Words(f"Duyệt bản {version}", f"Approved version {version}")
    return words


def _scheduled(event: AlertScheduled | AlertUnscheduled) -> Words:
    match event:
        case AlertScheduled(version=version, due_at=due_at, cause=cause):
            when = due_at.astimezone(HANOI)
            asked = cause == "asked"
            words = Words(
                f"{'Hẹn' if asked else 'Giữ qua giờ yên tĩnh,'} phát bản {version}"
                f" lúc {when:%H:%M %d/%m/%Y}",
                f"{'Scheduled' if asked else 'Held through the quiet hours,'} version {version}"
                f" for {when:%Y-%m-%d %H:%M} local time",
            )
        case AlertUnscheduled(version=version):
            words = Words(f"Bỏ hẹn phát bản {version}", f"Took version {version} off the clock")
    return words


def _issued(event: AlertIssued, say: Names) -> Words:
    title = event.content.text("vi").headline
    count = len(event.content.areas)
    if event.msg_type is MsgType.UPDATE:
        vi, en = "Cập nhật", "Updated to"
    else:
        vi, en = "Phát", "Issued"
    right, where = _right(event.delegation_id, say), say.areas(event.content.areas, event.edition)
    return Words(
        f"{vi} bản {event.version} tới {count} địa bàn{where.vi}{right.vi}: {title}",
        f"{en} version {event.version} for {areas(count)}{where.en}{right.en}: {title}",
    )


def _right(delegation_id: UUID | None, say: Names) -> Words:
    if delegation_id is None:
        return Words("", "")
    by = say.grantor(delegation_id)
    return Words(f" theo phân cấp {delegation_id}{by.vi}", f" under delegation {delegation_id}{by.en}")
