"""What happened, in a line of Vietnamese and a line of English.

The account and the body stand beside the line, so they are not in it. Nothing here quotes a secret
or a subscriber: events hold neither.
"""

from typing import NamedTuple, assert_never

from schemas.content import MsgType
from schemas.dispatch import Outcome, Receipt
from schemas.events import (
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertEvent,
    AlertExpired,
    AlertIssued,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertSubmitted,
    AlertUpdateProposed,
    AnyEvent,
    AreaRegisterAdopted,
    AttemptRefused,
    AudienceFrozen,
    DelegationEvent,
    DelegationGranted,
    DelegationRevoked,
    DeliveryEvent,
    EvidenceExported,
    IssuerRegistered,
    ReceiptRecorded,
    RoleEvent,
    RoleGranted,
    RoleRevoked,
    ScreenEvent,
    ScreenRegistered,
    ScreenRemoved,
    ScreenShowed,
    SubscribersImported,
)


class Words(NamedTuple):
    """One line in each language."""

    vi: str
    en: str


_OUTCOMES = {
    Outcome.ACCEPTED: Words("đã nhận", "accepted"),
    Outcome.GONE: Words("không còn", "gone"),
    Outcome.REFUSED: Words("bị từ chối", "refused"),
    Outcome.DEFERRED: Words("hoãn lại", "deferred"),
    Outcome.DEAD: Words("thất bại", "dead"),
    Outcome.EXPIRED: Words("quá hạn", "expired"),
    Outcome.SUPERSEDED: Words("đã có bản mới", "superseded"),
}


def describe(event: AnyEvent) -> Words:
    """The event in words. A new kind of event fails the type check here until it has some."""
    match event:
        case (
            AlertDrafted()
            | AlertRevised()
            | AlertSubmitted()
            | AlertReturned()
            | AlertRejected()
            | AlertApproved()
            | AlertIssued()
            | AlertUpdateProposed()
            | AlertCancelled()
            | AlertExpired()
        ):
            words = _alert(event)
        case AudienceFrozen() | ReceiptRecorded() | SubscribersImported():
            words = _delivery(event)
        case RoleGranted() | RoleRevoked() | DelegationGranted() | DelegationRevoked():
            words = _rights(event)
        case ScreenRegistered() | ScreenRemoved() | ScreenShowed():
            words = _screen(event)
        case AttemptRefused() | EvidenceExported():
            words = _audited(event)
        case AreaRegisterAdopted(edition=edition, areas=areas):
            words = Words(
                f"Áp dụng danh mục địa bàn {edition}: {len(areas)} đơn vị",
                f"Adopted edition {edition} of the area register: {len(areas)} areas",
            )
        case IssuerRegistered(issuer_id=body, name=name):
            words = Words(f"Đăng ký cơ quan {name} ({body})", f"Registered the body {name} ({body})")
        case _:
            assert_never(event)
    return words


def _alert(event: AlertEvent) -> Words:
    match event:
        case AlertDrafted(content=content):
            title = content.text("vi").headline
            words = Words(f"Soạn thảo: {title}", f"Drafted: {title}")
        case AlertRevised(version=version, content=content):
            title = content.text("vi").headline
            words = Words(f"Sửa phiên bản {version}: {title}", f"Revised version {version}: {title}")
        case AlertSubmitted() | AlertReturned() | AlertRejected() | AlertApproved():
            words = _reviewed(event)
        case AlertIssued():
            words = _issued(event)
        case AlertUpdateProposed(version=version, content=content):
            title = content.text("vi").headline
            words = Words(f"Đề xuất phiên bản {version}: {title}", f"Proposed version {version}: {title}")
        case AlertCancelled(reason=reason, in_error=in_error):
            words = Words(
                f"Hủy{' (phát hành nhầm)' if in_error else ''}: {reason}",
                f"Cancelled{' (issued in error)' if in_error else ''}: {reason}",
            )
        case AlertExpired(version=version):
            words = Words(f"Phiên bản {version} hết hiệu lực", f"Version {version} expired")
    return words


def _reviewed(event: AlertSubmitted | AlertReturned | AlertRejected | AlertApproved) -> Words:
    match event:
        case AlertSubmitted(version=version):
            words = Words(f"Trình duyệt phiên bản {version}", f"Submitted version {version}")
        case AlertReturned(version=version, reason=reason):
            words = Words(f"Trả lại phiên bản {version}: {reason}", f"Returned version {version}: {reason}")
        case AlertRejected(version=version, reason=reason):
            words = Words(f"Bác bỏ phiên bản {version}: {reason}", f"Rejected version {version}: {reason}")
        case AlertApproved(version=version):
            words = Words(f"Duyệt phiên bản {version}", f"Approved version {version}")
    return words


def _issued(event: AlertIssued) -> Words:
    title = event.content.text("vi").headline
    areas = len(event.content.areas)
    if event.msg_type is MsgType.UPDATE:
        vi, en = "Cập nhật", "Updated to"
    else:
        vi, en = "Phát hành", "Issued"
    return Words(
        f"{vi} phiên bản {event.version} tới {areas} địa bàn: {title}",
        f"{en} version {event.version} for {_areas(areas)}: {title}",
    )


def _rights(event: RoleEvent | DelegationEvent) -> Words:
    match event:
        case RoleGranted(account=account, body=body, role=role):
            words = Words(
                f"Cấp quyền {role} của {body} cho {account}", f"Granted {role} of {body} to {account}"
            )
        case RoleRevoked(account=account, body=body, role=role):
            words = Words(
                f"Thu hồi quyền {role} của {body} từ {account}", f"Revoked {role} of {body} from {account}"
            )
        case DelegationGranted(grantor=grantor, grantee=grantee, fields=fields, areas=areas):
            named = ", ".join(fields)
            dates = f"{event.starts_at:%Y-%m-%d %H:%M} - {event.ends_at:%Y-%m-%d %H:%M} UTC"
            words = Words(
                f"Phân cấp quyền của {grantor} cho {grantee}: {named}; {len(areas)} địa bàn; {dates}",
                f"Delegated from {grantor} to {grantee}: {named}; {_areas(len(areas))}; {dates}",
            )
        case DelegationRevoked(grantor=grantor, grantee=grantee, delegation_id=delegation_id):
            words = Words(
                f"Thu hồi phân cấp {delegation_id} của {grantor} cho {grantee}",
                f"Revoked the delegation {delegation_id} from {grantor} to {grantee}",
            )
    return words


def _areas(count: int) -> str:
    return f"{count} {'area' if count == 1 else 'areas'}"


def _audited(event: AttemptRefused | EvidenceExported) -> Words:
    match event:
        case AttemptRefused(command=command, rule=rule, detail=detail):
            words = Words(
                f"Từ chối lệnh {command}: {rule} ({detail})", f"Refused to {command}: {rule} ({detail})"
            )
        case EvidenceExported(upto=upto, sha256=sha256):
            words = Words(
                f"Xuất bằng chứng đến vị trí {upto} (SHA-256 {sha256})",
                f"Exported evidence up to position {upto} (SHA-256 {sha256})",
            )
    return words


def _delivery(event: DeliveryEvent) -> Words:
    match event:
        case AudienceFrozen(version=version, channel=channel, count=count):
            words = Words(
                f"Chốt {count} người nhận phiên bản {version} qua {channel}",
                f"Fixed {count} recipients of version {version} by {channel}",
            )
        case ReceiptRecorded(receipt=receipt):
            words = _receipt(receipt)
        case SubscribersImported(accepted=accepted, rejected=rejected):
            words = Words(
                f"Nạp người nhận: {accepted} hợp lệ, {rejected} bị loại",
                f"Imported subscribers: {accepted} taken, {rejected} rejected",
            )
    return words


def _receipt(receipt: Receipt) -> Words:
    dispatch = receipt.dispatch
    place = (
        f"{dispatch.channel} v{dispatch.version} [{dispatch.first}, {dispatch.last}) #{dispatch.attempt}"
    )
    counts = [
        (receipt.counts[outcome], words)
        for outcome, words in _OUTCOMES.items()
        if outcome in receipt.counts
    ]
    return Words(
        f"Kết quả gửi {place}: " + ", ".join(f"{count} {words.vi}" for count, words in counts),
        f"Receipt of {place}: " + ", ".join(f"{count} {words.en}" for count, words in counts),
    )


def _screen(event: ScreenEvent) -> Words:
    match event:
        case ScreenRegistered(name=name, area=area, profile=profile):
            words = Words(
                f"Lắp màn hình {name} tại {area} ({profile})", f"Put up screen {name} in {area} ({profile})"
            )
        case ScreenRemoved():
            words = Words("Gỡ màn hình", "Took the screen down")
        case ScreenShowed(shown=shown):
            what = ", ".join(f"{one.alert_id} v{one.version}" for one in shown)
            words = Words(f"Màn hình đã hiện {what}", f"The screen showed {what}")
    return words
